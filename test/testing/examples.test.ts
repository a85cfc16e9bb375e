import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const root = join(import.meta.dirname, '../..');
const examples = 'docs/examples/testing';

/** Runs a test runner in a process of its own, as whoever copied the example would: it must not take itself for a part of this run. */
async function run(...args: string[]): Promise<string> {
  const env = Object.fromEntries(
    Object.entries(process.env).filter(
      ([name]) => !/^(VITEST|TEST$|TINYPOOL|NODE_ENV|NODE_OPTIONS|JEST)/.test(name),
    ),
  );
  const { stdout, stderr } = await promisify(execFile)(process.execPath, args, {
    cwd: root,
    env: { ...env, NO_COLOR: '1' },
    timeout: 50_000,
  });
  return stdout + stderr;
}

test('the example for node:test runs', async () => {
  expect(await run('--test', `${examples}/node-test/`)).toMatch(/# pass 1\n# fail 0/);
});

test('the example for Vitest runs', async () => {
  const output = await run('node_modules/vitest/vitest.mjs', 'run', '--root', `${examples}/vitest`);
  expect(output).toMatch(/Tests +1 passed \(1\)/);
});

test('the example for Jest, with kafkajs as the client, runs', async () => {
  const config = `${examples}/jest/jest.config.js`;
  const output = await run('--experimental-vm-modules', 'node_modules/jest/bin/jest.js', '--config', config);
  expect(output).toMatch(/Tests: +1 passed, 1 total/);
});
