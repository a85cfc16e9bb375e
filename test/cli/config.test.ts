import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { loadConfig } from '../../src/cli/node-config.ts';
import { UsageError } from '../../src/cli/run.ts';
import { runBin } from './support/bin.ts';

let file = '';

beforeEach(() => {
  const dir = mkdtempSync(join(tmpdir(), 'odradek-config-'));
  file = join(dir, 'node.yaml');
  writeFileSync(file, 'nodeId: 1\ndataDir: d\nvoters: [1@h:1]\n');
  return () => rmSync(dir, { recursive: true });
});

afterEach(() => vi.unstubAllEnvs());

test('the file is the one of --config, else the one that the environment names, else none', async () => {
  const other = join(file, '../other.yaml');
  writeFileSync(other, 'nodeId: 2\ndataDir: d\nvoters: [1@h:1]\n');
  vi.stubEnv('ODRADEK_CONFIG', other);
  expect((await loadConfig({ config: file, set: [] })).config.nodeId).toBe(1);
  expect((await loadConfig({ config: undefined, set: [] })).config.nodeId).toBe(2);
  vi.stubEnv('ODRADEK_CONFIG', '');
  const set = ['nodeId=3', 'dataDir=d', 'voters=1@h:1'];
  expect((await loadConfig({ config: undefined, set })).config.nodeId).toBe(3);
});

test('one mistake is one line; several are a list; a file that is not there is a mistake, too', async () => {
  const refused = async (...set: string[]) => {
    const error = await loadConfig({ config: file, set }).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(UsageError);
    return (error as UsageError).message;
  };
  expect(await refused('prot=1')).toBe('--set prot=1: prot is an unknown key; did you mean port?');
  expect((await refused('prot=1', 'logLevel=inof')).split('\n')).toEqual([
    '2 mistakes in the configuration:',
    '  --set prot=1: prot is an unknown key; did you mean port?',
    expect.stringContaining('did you mean info?'),
  ]);
  file = `${file}.not`;
  expect(await refused()).toContain('cannot read the config file');
});

test('config show tells each value and where it comes from; config check exits with 0 or 2', async () => {
  const shown = await runBin('odradek', ['config', 'show', '--json', '--config', file, '--set', 'port=9']);
  const rows = JSON.parse(shown.stdout) as { name: string; value: string | null; source: string }[];
  expect(rows).toContainEqual({ name: 'nodeId', value: '1', source: `${file}:1` });
  expect(rows).toContainEqual({ name: 'port', value: '9', source: '--set port=9' });
  expect(rows).toContainEqual({ name: 'logLevel', value: 'info', source: 'default' });
  expect(rows).toContainEqual({ name: 'rack', value: null, source: 'default' });
  expect(await runBin('odradek', ['config', 'check', '--config', file])).toMatchObject({
    status: 0,
    stdout: 'The configuration of node 1 is valid.\n',
  });
  const wrong = await runBin('odradek', ['config', 'check', '--config', file, '--set', 'prot=1']);
  expect(wrong).toMatchObject({ status: 2, stdout: '' });
  expect(wrong.stderr).toContain('did you mean port?');
});
