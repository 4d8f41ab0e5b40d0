// Processes of `./dev up`: started in their own session with their output in a log, found again by pid and start time, stopped by name.
import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync, readdirSync, readlinkSync } from 'node:fs';
import { createServer } from 'node:net';
import { dirname } from 'node:path';

export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Field 22 of /proc/PID/stat: with the pid it names a process for good. Undefined when there is none. */
export function startTime(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' ? undefined : fields[19];
  } catch {
    return undefined;
  }
}

export const isRunning = (process) => process !== undefined && startTime(process.pid) === process.started;

/** Starts argv with its output appended to `log`; resolves to { pid, started, argv, log }. */
export async function start(argv, log, env = {}) {
  mkdirSync(dirname(log), { recursive: true });
  const out = openSync(log, 'a');
  const child = spawn(argv[0], argv.slice(1), { detached: true, stdio: ['ignore', out, out], env: { ...process.env, ...env } });
  closeSync(out);
  await new Promise((resolve, reject) => {
    child.once('spawn', resolve);
    child.once('error', (error) => reject(new Error(`cannot start ${argv[0]}: ${error.message}`)));
  });
  child.unref();
  return { pid: child.pid, started: startTime(child.pid), argv, log };
}

/** SIGTERM, then SIGKILL after `patience` ms. */
export async function stop(proc, patience = 6000) {
  if (!isRunning(proc)) return;
  process.kill(proc.pid, 'SIGTERM');
  for (let waited = 0; waited < patience && isRunning(proc); waited += 50) await sleep(50);
  if (isRunning(proc)) process.kill(proc.pid, 'SIGKILL');
  for (let waited = 0; waited < 2000 && isRunning(proc); waited += 20) await sleep(20);
}

export const logTail = (log, lines = 15) => {
  try {
    return readFileSync(log, 'utf8').trimEnd().split('\n').slice(-lines).join('\n');
  } catch {
    return '(no output)';
  }
};

/** True when 127.0.0.1:port can be bound. */
export const portIsFree = (port) =>
  new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });

/** "name (pid N)" of whoever listens on the port, by /proc; a guess in words when it may not be seen. */
export function portHolder(port) {
  const wanted = port.toString(16).toUpperCase().padStart(4, '0');
  const inodes = new Set();
  for (const table of ['/proc/net/tcp', '/proc/net/tcp6']) {
    for (const row of readTable(table)) {
      const fields = row.trim().split(/\s+/);
      if (fields[1]?.endsWith(`:${wanted}`) && fields[3] === '0A') inodes.add(`socket:[${fields[9]}]`);
    }
  }
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    if (socketsOf(pid).some((link) => inodes.has(link))) return `${nameOf(pid)} (pid ${pid})`;
  }
  return 'a process of another user';
}

function readTable(path) {
  try {
    return readFileSync(path, 'utf8').split('\n').slice(1);
  } catch {
    return [];
  }
}

function socketsOf(pid) {
  try {
    return readdirSync(`/proc/${pid}/fd`).map((fd) => {
      try {
        return readlinkSync(`/proc/${pid}/fd/${fd}`);
      } catch {
        return '';
      }
    });
  } catch {
    return [];
  }
}

function nameOf(pid) {
  try {
    return readFileSync(`/proc/${pid}/comm`, 'utf8').trim();
  } catch {
    return 'unknown';
  }
}
