import { execFile, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { freeBasePort } from '../../src/cli/cluster/free-ports.ts';
import { KAFKA_PORT_OFFSET } from '../../src/cli/cluster/ports.ts';
import { root, runBin } from './support/bin.ts';
import { clientExample, tourCommands } from './support/readme.ts';

// The README's tour for real, on ports and in a folder of its own.
const hasKcat = spawnSync('kcat', ['-V']).status === 0;

let dir = '';
let basePort = 0;

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'odradek-tour-'));
  basePort = await freeBasePort(3);
});

afterAll(async () => {
  await runBin('cluster', ['down', '--dir', dir]);
  rmSync(dir, { recursive: true, force: true, maxRetries: 10 });
});

/** Runs a line of the tour in a shell in which the commands mean this test's cluster. */
async function run(line: string): Promise<string> {
  const shell = `
    set -o pipefail
    cluster() { "$NODE" bin/cluster "$@" --dir '${dir}' --base-port ${basePort}; }
    odradek() { "$NODE" bin/odradek "$@" --bootstrap ws://127.0.0.1:${basePort + 1}; }
    ${line.replaceAll('bin/', '').replaceAll('127.0.0.1:9091', `127.0.0.1:${basePort + KAFKA_PORT_OFFSET + 1}`)}
    status=$?; wait; exit $status`;
  const { stdout } = await promisify(execFile)('bash', ['-c', shell], {
    cwd: root,
    env: { ...process.env, NODE: process.execPath },
  });
  return stdout;
}

test('the tour goes as the README tells it', async () => {
  const said = new Map<string, string>();
  const isRun = (line: string) => !line.startsWith('make ') && (hasKcat || !line.includes('kcat'));
  for (const line of tourCommands().filter(isRun)) {
    said.set(line, (said.get(line) ?? '') + (await run(line)));
    if (line === 'bin/cluster start 2') await runClientExample();
  }
  const of = (start: string) => [...said].find(([line]) => line.includes(start))?.[1] ?? '';
  expect(of('cluster up')).toContain('3 nodes are ready');
  expect(of('topics create')).toBe('Created topic flights: 6 partitions, replication factor 3.\n');
  expect(of('consume flights --group').trim().split('\n')).toHaveLength(3);
  expect(of('groups describe')).toContain('lag 0');
  expect(of('kill 2')).toContain('"records":1000000');
  expect(Number(of('wc -l'))).toBe(1_000_003);
  if (hasKcat) {
    expect(of('consume numbers')).toBe('1000\n');
    expect(of('kcat -b 127.0.0.1:9091 -C')).toBe('1000\n1001\n');
  }
  expect(of('cluster down')).toBe('All nodes are stopped.\n');
}, 120_000);

/** The client's ten lines, with the built client and this test's port. */
async function runClientExample(): Promise<void> {
  const file = join(dir, 'example.mjs');
  const source = clientExample()
    .replace("'odradek'", JSON.stringify(join(root, 'dist/client/node.js')))
    .replace('127.0.0.1:7001', `127.0.0.1:${basePort + 1}`);
  writeFileSync(file, source);
  const { stdout } = await promisify(execFile)(process.execPath, [file]);
  expect(stdout).toBe('en hello 0\n');
}
