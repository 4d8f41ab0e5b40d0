#!/usr/bin/env node
'use strict';
// Stands in for a native solc: npm's WASM solc behind solc's command line.
// forge only ever calls `solc --version` and `solc --standard-json [--base-path X] [--include-path Y]`.
const fs = require('fs');
const path = require('path');
const { version } = require('solc/package.json');

const args = process.argv.slice(2);

// The commit in the version string is only inside the WASM (about 1 s to load): remember it per package version.
function longVersion() {
  const memory = path.join(__dirname, '..', 'cache', `.solc-${version}`);
  try {
    return fs.readFileSync(memory, 'utf8');
  } catch {
    const long = require('solc').version().replace('.Emscripten.clang', '.Linux.g++');
    fs.mkdirSync(path.dirname(memory), { recursive: true });
    fs.writeFileSync(memory, long);
    return long;
  }
}

// Where an import that is not among the sources is read from.
function importRoots() {
  return args.filter((_, i) => /^--(base|include)-path$/.test(args[i - 1] ?? ''));
}

function findImport(name) {
  for (const root of ['', ...importRoots()]) {
    const file = path.resolve(root, name);
    if (fs.existsSync(file)) return { contents: fs.readFileSync(file, 'utf8') };
  }
  return { error: `File not found: ${name}` };
}

if (args.includes('--version')) {
  console.log(`solc, the solidity compiler commandline interface\nVersion: ${longVersion()}`);
} else if (args.includes('--standard-json')) {
  process.stdout.write(require('solc').compile(fs.readFileSync(0, 'utf8'), { import: findImport }));
} else {
  console.error('solc.cjs: only --version and --standard-json are known');
  process.exitCode = 1;
}
