import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { LocalCluster } from '../../../src/cli/cluster/local-cluster.ts';
import { NodeProcess } from '../../../src/cli/cluster/node-process.ts';

let dir = '';
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'odradek-pid-'));
  mkdirSync(join(dir, 'node-1'));
});
afterEach(() => rmSync(dir, { recursive: true }));

const node = () => new NodeProcess(1, dir, { port: 1, kafkaPort: 2 }, []);
const writePid = (text: string) => writeFileSync(join(dir, 'node-1', 'pid'), text);

test('without a pid file, or with nonsense in it, no process runs', async () => {
  expect(node().pid).toBeNull();
  for (const text of ['', '0', '-1', 'abc', '1.5', '99999999']) {
    writePid(text);
    expect(node().pid, text).toBeNull();
  }
  expect(await node().end('kill')).toBe(false);
  expect(await node().status()).toEqual({
    id: 1,
    pid: null,
    state: 'stopped',
    listeners: [],
    waitingFor: null,
  });
});

test('a process that inherited the number is neither taken for the node nor killed', async () => {
  writePid(String(process.pid));
  expect(node().pid).toBeNull();
  expect(await node().end('kill')).toBe(false);
  node().signal('SIGKILL');
});

test('a process that carries the folder of this very node is it, and can be killed', async () => {
  const child = spawn(
    process.execPath,
    ['-e', 'setInterval(() => {}, 1000)', '--', `dataDir=${join(dir, 'node-1', 'data')}`],
    { stdio: 'ignore' },
  );
  await new Promise((spawned) => child.once('spawn', spawned));
  writePid(String(child.pid));
  // The kernel shows the new command line only after exec.
  await expect.poll(() => node().pid).toBe(child.pid);
  const ended = new Promise((exited) => child.once('exit', (_code, signal) => exited(signal)));
  expect(await node().end('kill')).toBe(true);
  expect(await ended).toBe('SIGKILL');
  expect(node().pid).toBeNull();
});

test('a cluster keeps the layout that it was made with', () => {
  expect(LocalCluster.create(dir, { nodes: 2, basePort: 500 }).bootstrap).toBe(
    'ws://127.0.0.1:501,ws://127.0.0.1:502',
  );
  expect(LocalCluster.open(dir, { nodes: 2, basePort: 500 }).kafkaBootstrap).toBe(
    '127.0.0.1:2591,127.0.0.1:2592',
  );
  expect(LocalCluster.open(dir, { nodes: 3, basePort: 900 }).nodes).toHaveLength(2);
  expect(() => LocalCluster.open(dir, { nodes: 3, basePort: 900 }).node(3)).toThrow('nodes 1 to 2');
});
