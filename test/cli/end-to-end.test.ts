import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { freeBasePort } from '../../src/cli/cluster/free-ports.ts';
import { type Ended, runBin, startBin } from './support/bin.ts';

// One node, through the commands in bin/, as a user has them.
let dir = '';
let basePort = 0;
let clusterOptions: string[] = [];
const cluster = (...args: string[]) => runBin('cluster', [...args, ...clusterOptions]);
const odradek = (line: string, input = '') => runBin('odradek', words(line), input);
const words = (line: string) => [...line.split(' '), '--bootstrap', `ws://127.0.0.1:${basePort + 1}`];
const rows = ({ stdout }: Ended) => stdout.trimEnd().split('\n');
const ok = async (ended: Promise<Ended>) => {
  const result = await ended;
  expect(result).toMatchObject({ status: 0, stderr: '' });
  return result;
};

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'odradek-cli-'));
  basePort = await freeBasePort(2);
  clusterOptions = ['--dir', dir, '--base-port', String(basePort), '--nodes', '1'];
  expect((await ok(cluster('up'))).stdout).toContain(`bootstrap: ws://127.0.0.1:${basePort + 1}`);
}, 60_000);

afterAll(async () => {
  await cluster('down');
  rmSync(dir, { recursive: true, force: true, maxRetries: 10 });
});

test('topics are created, listed, described, altered and deleted', async () => {
  expect((await ok(odradek('topics create a --partitions 2 --config retention.ms=3600000'))).stdout).toBe(
    'Created topic a: 2 partitions, replication factor 1.\n',
  );
  expect(await odradek('topics create a')).toMatchObject({ status: 1, stdout: '' });
  expect(JSON.parse((await ok(odradek('topics list --json'))).stdout)).toMatchObject([
    { name: 'a', partitions: 2 },
  ]);
  await ok(odradek('topics alter a --partitions 3 --config retention.ms= --config segment.bytes=1048576'));
  const described = JSON.parse((await ok(odradek('topics describe a --json'))).stdout);
  expect(described.partitions.map((each: { partition: number }) => each.partition)).toEqual([0, 1, 2]);
  expect(described.configs.filter((each: { source: string }) => each.source === 'topic')).toEqual([
    { name: 'segment.bytes', value: '1048576', source: 'topic' },
  ]);
  expect((await ok(odradek('topics describe a'))).stdout).toContain('config segment.bytes=1048576');
  await ok(odradek('topics delete a'));
  for (const line of [
    'topics describe a',
    'topics delete a',
    'topics alter a --partitions 4',
    'consume a',
    'produce a',
  ]) {
    const { status, stderr } = await odradek(line);
    expect(stderr, line).toBe(
      'odradek: there is no topic "a"; "odradek topics list" shows those there are\n',
    );
    expect(status).toBe(1);
  }
  expect((await odradek('topics create b --replication-factor 2')).stderr).toMatch(/replication factor/i);
});

test('lines go in with keys and come out in order, with all there is to know', async () => {
  await ok(odradek('topics create keyed'));
  const summary = JSON.parse(
    (await ok(odradek('produce keyed --key-separator :', 'a:1\nb:2\na:é\n'))).stdout,
  );
  expect(summary).toMatchObject({ records: 3, bytes: 7 });
  expect(Object.keys(summary)).toEqual(['records', 'bytes', 'seconds', 'recordsPerSecond', 'p50Ms', 'p99Ms']);
  expect(rows(await ok(odradek('consume keyed --exit-at-end')))).toEqual(['1', '2', 'é']);
  const json = rows(await ok(odradek('consume keyed --from 1 --max 1 --format json'))).map((row) =>
    JSON.parse(row),
  );
  expect(json).toEqual([
    {
      topic: 'keyed',
      partition: 0,
      offset: 1,
      timestamp: expect.any(Number),
      key: 'b',
      value: '2',
      headers: [],
    },
  ]);
  const failed = await odradek('produce keyed --key-separator :', 'c:4\nwithout\n');
  expect(failed).toMatchObject({ status: 1, stderr: 'odradek: line 2 has no key separator ":"\n' });
  expect(JSON.parse(failed.stdout)).toMatchObject({ records: 1 });
  expect((await odradek('consume keyed --partition 1')).stderr).toContain('and no 1');
  expect((await odradek('consume keyed --partition 0 --from 9')).stderr).toContain('holds 0 to 3');
});

test('records are printed by a format, and sent again as they were', async () => {
  await ok(odradek('topics create origin --partitions 2 --config retention.ms=-1'));
  await ok(odradek('topics create copy --partitions 2 --config retention.ms=-1'));
  const rowsIn = [
    { key: 'a', value: 'é', headers: [{ key: 'h', value: 'w' }], timestamp: 1000, partition: 1 },
    { key: { base64: '/w==' }, value: { base64: 'AP8=' }, headers: [], timestamp: 2000, partition: 0 },
    { key: null, value: null, headers: [{ key: 'n', value: null }], timestamp: 3000, partition: 0 },
  ];
  const json = rowsIn.map((row) => `${JSON.stringify(row)}\n`).join('');
  await ok(odradek('produce origin --input json --keep-partitions', json));
  const dumped = (await ok(odradek('consume origin --exit-at-end --json'))).stdout;
  await ok(odradek('produce copy --input json --keep-partitions', dumped));
  const again = rows(await ok(odradek('consume copy --exit-at-end --format json'))).map((row) =>
    JSON.parse(row),
  );
  expect(again.sort((a, b) => a.timestamp - b.timestamp)).toMatchObject(rowsIn);
  expect(dumped.replaceAll('"origin"', '"copy"').trim().split('\n').sort()).toEqual(
    rows(await ok(odradek('consume copy --exit-at-end --json'))).sort(),
  );
  const formatted = await ok(
    odradek('consume origin --partition 1 --exit-at-end --format %t:%p:%o:%k:%v:%h:%T\\x21'),
  );
  expect(formatted.stdout).toBe('origin:1:0:a:é:h=w:1000!');
  await ok(
    odradek('produce origin --header-separator | --key-separator = --partition 1 -H x=y', 'a=1|k=v\n'),
  );
  const one = await ok(odradek('consume origin --partition 1 --from -1 --exit-at-end --format %h;%k;%v'));
  expect(one.stdout).toBe('a=1,x=y;k;v');
  await ok(odradek('produce origin --partition 1 --input whole', 'two\nlines\n'));
  const whole = await ok(odradek('consume origin --partition 1 --from -1 --exit-at-end --format %S'));
  expect(whole.stdout).toBe('10');
});

test('a group goes on where it was, and tells its lag', async () => {
  await ok(odradek('topics create numbers --partitions 3'));
  await ok(odradek('produce numbers', Array.from({ length: 1000 }, (_, n) => `${n}\n`).join('')));
  const first = rows(await ok(odradek('consume numbers --group g --max 100')));
  expect(first).toHaveLength(100);
  expect(JSON.parse((await ok(odradek('groups list --json'))).stdout)).toMatchObject([{ groupId: 'g' }]);
  const rest = rows(await ok(odradek('consume numbers --group g --exit-at-end')));
  expect([...first, ...rest].map(Number).sort((a, b) => a - b)).toEqual(
    Array.from({ length: 1000 }, (_, n) => n),
  );
  const group = JSON.parse((await ok(odradek('groups describe g --json'))).stdout);
  // Records without a key stick to a partition for a while: not every partition need have any.
  expect(new Set(group.partitions.map(({ lag }: { lag: number }) => lag))).toEqual(new Set([0]));
  expect((await ok(odradek('groups describe g'))).stdout).toContain('lag 0');
  expect(rows(await ok(odradek('consume numbers --group g --from earliest --exit-at-end')))).toHaveLength(
    1000,
  );
  expect(await odradek('groups describe nobody')).toMatchObject({ status: 1 });
});

test('ranges by offset and time, the last N, and a search', async () => {
  await ok(odradek('topics create range --config retention.ms=-1'));
  const json = Array.from(
    { length: 10 },
    (_, n) => `{"key":"k${n}","value":"v${n % 3}","timestamp":${n * 1000}}\n`,
  );
  await ok(odradek('produce range --input json', json.join('')));
  const keys = async (options: string) =>
    (await ok(odradek(`consume range --format %k, ${options}`))).stdout.split(',').filter(Boolean);
  expect(await keys('--from 2 --to 5')).toEqual(['k2', 'k3', 'k4']);
  expect(await keys('--from @3000 --to @1970-01-01T00:00:06Z')).toEqual(['k3', 'k4', 'k5']);
  expect(await keys('--from -2 --exit-at-end')).toEqual(['k8', 'k9']);
  expect(await keys('--grep v1 --exit-at-end')).toEqual(['k1', 'k4', 'k7']);
  expect(await keys('--grep /K[25]/i --grep-in key --max-records 2')).toEqual(['k2', 'k5']);
  // What a search passed over is committed like what it found.
  expect(await keys('--group searchers --grep v2 --max-records 1')).toEqual(['k2']);
  expect(await keys('--group searchers --max-records 1')).toEqual(['k3']);
});

test('the offsets of a group are moved while nobody is in it, and a group is deleted', async () => {
  await ok(odradek('topics create moved'));
  await ok(odradek('produce moved', 'a\nb\nc\nd\n'));
  await ok(odradek('consume moved --group movers --exit-at-end'));
  const reset = async (options: string) =>
    JSON.parse((await ok(odradek(`groups reset-offsets movers ${options} --json`))).stdout);
  expect(await reset('--shift-by -3 --dry-run')).toEqual({
    groupId: 'movers',
    dryRun: true,
    partitions: [{ topic: 'moved', partition: 0, oldOffset: 4, newOffset: 1 }],
  });
  expect((await reset('--to-offset 2')).partitions).toMatchObject([{ oldOffset: 4, newOffset: 2 }]);
  const { child, ended } = startBin('odradek', words('consume moved --group movers'));
  await new Promise((printed) => child.stdout.once('data', printed));
  const refused = await odradek('groups reset-offsets movers --to-earliest');
  expect(refused).toMatchObject({
    status: 1,
    stderr: expect.stringContaining('has members; stop them first'),
  });
  child.kill('SIGINT');
  expect((await ended).stdout).toBe('c\nd\n');
  expect((await ok(odradek('groups delete movers'))).stdout).toBe('Deleted group movers.\n');
  expect((await odradek('groups delete movers')).stderr).toContain('there is no group "movers"');
});

test('health at a glance, once and again and again', async () => {
  await ok(odradek('topics create healthy --partitions 2'));
  await ok(odradek('produce healthy', 'x\n'));
  const described = JSON.parse((await ok(odradek('topics describe healthy --json'))).stdout);
  expect(described.partitions).toMatchObject([{ state: 'ok' }, { state: 'ok' }]);
  expect(described.partitions.map((each: { sizeBytes: number }) => each.sizeBytes > 0).sort()).toEqual([
    false,
    true,
  ]);
  expect(described.partitions[0].replicaLogs).toMatchObject([{ broker: 1, inSync: true, lag: 0 }]);
  const listed = JSON.parse((await ok(odradek('topics list --json'))).stdout);
  expect(listed.find(({ name }: { name: string }) => name === 'healthy')).toMatchObject({ health: 'ok' });
  const text = (await ok(odradek('cluster describe'))).stdout;
  expect(text).toMatch(/partitions, all in sync\n/);
  expect(text).toMatch(/metadata quorum: leader 1/);
  expect(text).not.toContain('\x1b');
  const { child, ended } = startBin('odradek', words('cluster describe --watch --interval 1 --json'));
  let seen = '';
  await new Promise<void>((twice) => {
    child.stdout.on('data', (chunk: Buffer) => {
      seen += chunk.toString();
      if (seen.split('\n').length > 2) twice();
    });
  });
  child.kill('SIGINT');
  expect(await ended).toMatchObject({ status: 0, stderr: '' });
  expect(JSON.parse(seen.split('\n')[1] ?? '')).toMatchObject({ controllerId: 1, unhealthy: [] });
});

test('Ctrl-C commits what was printed and leaves the group', async () => {
  await ok(odradek('topics create tail'));
  await ok(odradek('produce tail', 'one\ntwo\n'));
  const { child, ended } = startBin('odradek', words('consume tail --group watchers'));
  await new Promise((printed) => child.stdout.once('data', printed));
  child.kill('SIGINT');
  expect(await ended).toMatchObject({ status: 0, stderr: '' });
  const group = JSON.parse((await ok(odradek('groups describe watchers --json'))).stdout);
  expect(group.members).toEqual([]);
  expect(group.partitions).toMatchObject([{ topic: 'tail', committedOffset: 2, lag: 0 }]);
});

test('a shell completes topics and groups, and hears no complaint without a cluster', async () => {
  const complete = (line: string) =>
    runBin('odradek', ['--get-yargs-completions', 'odradek', ...line.split(' ')]);
  const at = `--bootstrap ws://127.0.0.1:${basePort + 1}`;
  expect(rows(await ok(complete(`topics describe ${at} heal`)))).toEqual(['healthy']);
  expect(rows(await ok(complete(`consume healthy ${at} --group wat`)))).toEqual(['watchers']);
  expect((await ok(complete(`consume --bootstrap ws://127.0.0.1:${basePort + 2} `))).stdout).toBe('');
});

test('a reader that goes away is a normal end', async () => {
  const { child, ended } = startBin('odradek', words('consume tail --from earliest'));
  child.stdout.once('data', () => child.stdout.destroy());
  await ok(odradek('produce tail', 'x\n'.repeat(100_000)));
  expect(await ended).toMatchObject({ status: 0, stderr: '' });
});

test('Ctrl-C while producing acknowledges what was read, and sums it up', async () => {
  await ok(odradek('topics create typed'));
  const { child, ended } = startBin('odradek', words('produce typed'), null);
  child.stdin.write('by hand\n');
  // The input stays open; the record is there all the same.
  expect((await ok(odradek('consume typed --max 1'))).stdout).toBe('by hand\n');
  child.kill('SIGINT');
  const { status, stdout } = await ended;
  expect([status, JSON.parse(stdout)]).toMatchObject([0, { records: 1, bytes: 7 }]);
});

test('exit status 2 is for what the command line got wrong, before anything is asked of a cluster', async () => {
  for (const line of [
    'consume tail --from beginning',
    'consume tail --from committed',
    'consume tail --from 5 --to 5',
    'consume tail --grep-in key',
    'produce tail --input json --key-field a',
    'produce tail --key-field a --key-separator b',
    'topics alter tail',
    'topics create t --config nonsense',
    'start --config /nowhere/node.yaml',
    'unknown',
  ]) {
    const { status, stdout, stderr } = await odradek(line);
    expect([status, stdout], line).toEqual([2, '']);
    expect(stderr).toContain('Run "odradek --help"');
  }
  expect(await runBin('odradek', ['topics', 'list', '--bootstrap', 'localhost'])).toMatchObject({
    status: 2,
  });
  expect(await runBin('odradek', ['--help'])).toMatchObject({ status: 0, stderr: '' });
});

test('a cluster that is not there is told within seconds, with what to do', async () => {
  const args = ['topics', 'list', '--bootstrap', `ws://127.0.0.1:${basePort + 2}`];
  const { status, stderr } = await runBin('odradek', args);
  expect(status).toBe(1);
  expect(stderr).toMatch(/^odradek: no node answers at .*bin\/cluster status.*\n$/);
}, 10_000);

test('the processes of a cluster: status, kill, start, stop, logs', async () => {
  const status = async () => JSON.parse((await ok(cluster('status', '--json'))).stdout);
  const [before] = await status();
  expect(before).toMatchObject({
    id: 1,
    state: 'ready',
    listeners: expect.arrayContaining([`ws://127.0.0.1:${basePort + 1}`]),
  });
  expect((await ok(cluster('up'))).stdout).toContain('1 node is ready');
  expect((await status())[0].pid).toBe(before.pid);
  expect((await ok(cluster('kill', '1'))).stdout).toBe('Node 1 is killed.\n');
  expect(await status()).toEqual([{ id: 1, pid: null, state: 'stopped', listeners: [], waitingFor: null }]);
  expect((await ok(cluster('kill', '1'))).stdout).toBe('Node 1 was not running.\n');
  expect(await cluster('kill', '2')).toMatchObject({
    status: 1,
    stderr: expect.stringContaining('there is no node 2'),
  });
  await ok(cluster('start', '1'));
  expect(rows(await ok(odradek('consume keyed --exit-at-end'))).slice(0, 3)).toEqual(['1', '2', 'é']);
  await ok(cluster('stop', '1'));
  expect((await ok(cluster('logs', '1'))).stdout).toContain('"msg":"Stopped"');
  const server = createServer();
  await new Promise<void>((listening) => server.listen(basePort + 1, '127.0.0.1', listening));
  expect(await cluster('up')).toMatchObject({
    status: 1,
    stderr: expect.stringContaining('is in use by another process'),
  });
  await new Promise((closed) => server.close(closed));
  await ok(cluster('up'));
}, 60_000);

test('a node says in one line why it cannot start', async () => {
  const config = ['start', '--config', 'config/node-1.yaml', '--set', `port=${basePort + 1}`];
  const taken = await runBin('odradek', [
    ...config,
    '--set',
    `dataDir=${join(dir, 'other')}`,
    '--set',
    'logLevel=error',
  ]);
  expect(taken).toMatchObject({
    status: 1,
    stderr: expect.stringMatching(/^odradek: port \d+ is in use[^\n]*\n$/),
  });
  const foreign = await runBin('odradek', [
    ...config,
    '--set',
    `dataDir=${join(dir, 'node-1/data')}`,
    '--set',
    'nodeId=9',
  ]);
  expect(foreign).toMatchObject({
    status: 1,
    stderr: expect.stringMatching(/^odradek: [^\n]*belongs to node 1[^\n]*\n$/),
  });
  const wrong = await runBin('odradek', [...config, '--set', 'prot=1']);
  expect(wrong).toMatchObject({
    status: 2,
    stderr: expect.stringMatching(/^odradek: --set prot=1: prot is an unknown key; did you mean port\?\n/),
  });
});
