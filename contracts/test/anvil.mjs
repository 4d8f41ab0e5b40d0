// A chain of one's own for a test: anvil on a free loopback port, stopped by its process id.
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const ANVIL = fileURLToPath(
  new URL('../node_modules/@foundry-rs/anvil-linux-amd64/bin/anvil', import.meta.url),
);

export async function startAnvil() {
  const child = spawn(ANVIL, ['--host', '127.0.0.1', '--port', '0'], { stdio: ['ignore', 'pipe', 'inherit'] });
  const stop = () =>
    new Promise((resolve) => {
      if (child.exitCode !== null || child.signalCode !== null) return resolve();
      child.once('exit', resolve);
      child.kill();
    });
  const lines = createInterface({ input: child.stdout });
  const rpc = await new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`anvil ended with ${code}`)));
    lines.on('line', (line) => {
      const match = /Listening on (\S+)/.exec(line);
      if (match) resolve(`http://${match[1]}`);
    });
  });
  return { rpc, stop };
}
