import { createHash } from 'node:crypto';
import {
  cpSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { freeBasePort } from '../../src/cli/cluster/free-ports.ts';
import { encodeEpochs } from '../../src/log/checkpoint-format.ts';
import { readIndexTrailer, SegmentIndex } from '../../src/log/segment-index.ts';
import { type Ended, runBin } from './support/bin.ts';

// What a node has on its disk is what was written: first beside the running node, then in copies of the stopped node's
// folder, into which damage is planted.
interface Row {
  readonly type: string;
  readonly [field: string]: unknown;
}

const LINES = 400_000;
let dir = '';
let data = '';
let clusterOptions: string[] = [];
let bootstrap: string[] = [];
let copies = 0;
const odradek = (line: string, input = '') => runBin('odradek', [...line.split(' '), ...bootstrap], input);
const dump = (line: string, folder = data) =>
  runBin('odradek', [...line.split(' '), '--data-dir', folder, ...bootstrap]);
const rows = ({ stdout }: Ended): Row[] =>
  stdout
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line));
const ofType = (type: string, all: readonly Row[]) => all.filter((row) => row.type === type);
const ok = async (ended: Promise<Ended>) => {
  const result = await ended;
  expect(result).toMatchObject({ status: 0, stderr: '' });
  return result;
};

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'odradek-dump-'));
  data = join(dir, 'node-1/data');
  const basePort = await freeBasePort(1);
  clusterOptions = ['--dir', dir, '--base-port', String(basePort), '--nodes', '1'];
  bootstrap = ['--bootstrap', `ws://127.0.0.1:${basePort + 1}`];
  await ok(runBin('cluster', ['up', ...clusterOptions]));
  await ok(odradek('topics create t --config segment.bytes=1048576'));
  await ok(odradek('topics create other --partitions 2'));
  await ok(odradek('produce t --key-separator :', 'k:first\n:\nk:é\n'));
  await ok(odradek('produce t', Array.from({ length: LINES }, (_, n) => `line ${n}\n`).join('')));
  await ok(odradek('consume t --group readers --max 2'));
}, 60_000);

afterAll(async () => {
  await runBin('cluster', ['down', ...clusterOptions]);
  rmSync(dir, { recursive: true, force: true, maxRetries: 10 });
});

/** Every file with its size, change time and content. */
function fingerprint(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => join(folder, name))
    .filter((path) => statSync(path).isFile())
    .sort()
    .map((path) => {
      const digest = createHash('sha256').update(readFileSync(path)).digest('hex');
      return `${path} ${statSync(path).mtimeMs} ${digest}`;
    });
}

/** A copy of the stopped node's folder, to damage. */
function copy(): string {
  const folder = join(dir, `copy-${++copies}`);
  cpSync(data, folder, { recursive: true });
  return folder;
}

function change(file: string, edit: (bytes: Buffer) => Buffer | undefined): void {
  const bytes = readFileSync(file);
  writeFileSync(file, edit(bytes) ?? bytes);
}

const flip = (at: number) => (bytes: Buffer) => {
  bytes[at] = (bytes[at] ?? 0) ^ 1;
  return bytes;
};

/** The path of a file of topic t in a copy, by the end of its name. */
function fileOf(folder: string, suffix: string): string {
  const [segment] = ofType('segment', logRows);
  const partition = String(segment?.file).split('/').at(-2) ?? '';
  const names = readdirSync(join(folder, 'log', partition)).filter((name) => name.endsWith(suffix));
  return join(folder, 'log', partition, names[0] ?? 'none');
}

let logRows: Row[] = [];

test('the log of a running node is dumped as it was written', async () => {
  logRows = rows(await ok(dump('log dump --topic t --records')));
  const records = ofType('record', logRows);
  expect(records).toHaveLength(LINES + 3);
  expect(records.slice(0, 4).map(({ offset, key, value }) => [offset, key, value])).toEqual([
    [0, 'k', 'first'],
    [1, '', ''],
    [2, 'k', 'é'],
    [3, null, 'line 0'],
  ]);
  expect(records.at(-1)).toMatchObject({ offset: LINES + 2, value: `line ${LINES - 1}`, headers: [] });
  expect(ofType('segment', logRows).length).toBeGreaterThan(2);
  expect(ofType('damage', logRows)).toEqual([]);
  const batches = ofType('batch', logRows);
  expect(batches[0]).toMatchObject({
    position: 0,
    baseOffset: 0,
    lastOffset: 2,
    records: 3,
    compression: 'none',
  });
}, 30_000);

test('a range, a partition, and other ways to show bytes', async () => {
  const some = rows(await ok(dump('log dump --topic t --records --offset 1:4 --keys hex --values base64')));
  expect(ofType('record', some).map(({ key, value }) => [key, value])).toEqual([
    [{ hex: '' }, { base64: '' }],
    [{ hex: '6b' }, { base64: Buffer.from('é').toString('base64') }],
    [null, { base64: Buffer.from('line 0').toString('base64') }],
  ]);
  expect(ofType('segment', some)).toHaveLength(1);
  const one = rows(await ok(dump(`log dump --topic t --records --offset ${LINES} --values json`)));
  expect(ofType('record', one)).toMatchObject([{ offset: LINES, value: `line ${LINES - 3}` }]);
  expect(ofType('partition', rows(await ok(dump('log dump --topic other --partition 1'))))).toMatchObject([
    { topic: 'other', partition: 1 },
  ]);
  expect(await dump('log dump --topic nobody')).toMatchObject({
    status: 1,
    stderr: expect.stringContaining('no replica of topic "nobody"; it has logs of'),
  });
  expect(await dump('log dump --offset 5:2')).toMatchObject({ status: 2 });
  expect(await dump('log dump', join(dir, 'nowhere'))).toMatchObject({
    status: 1,
    stderr: expect.stringContaining("no node's data folder"),
  });
  expect(await runBin('odradek', ['log', 'dump'])).toMatchObject({ status: 2 });
});

test('metadata: the entries with their records, committed offsets readable', async () => {
  const all = rows(await ok(dump('metadata dump --records')));
  expect(ofType('node', all)).toMatchObject([{ nodeId: 1 }]);
  expect(ofType('snapshot', all)).toMatchObject([{ index: 0 }]);
  const records = ofType('record', all) as (Row & { record: string; fields: Record<string, unknown> })[];
  expect(records.filter(({ record }) => record === 'Topic').map(({ fields }) => fields.name)).toEqual([
    't',
    'other',
  ]);
  const commits = records.filter(({ record }) => record === 'GroupOffsets').map(({ fields }) => fields);
  expect(commits.at(-1)).toMatchObject({
    groupId: 'readers',
    commits: [{ topic: 't', partition: 0, offset: 2 }],
  });
  const entries = ofType('entry', all);
  expect(entries.map(({ index }) => index)).toEqual(entries.map((_, i) => i + 1));
  const from = rows(await ok(dump(`metadata dump --from ${entries.length}`)));
  expect(ofType('entry', from)).toMatchObject([{ index: entries.length, records: expect.any(Object) }]);
});

test('a reader that goes away ends the dump quietly', async () => {
  const { execFile } = await import('node:child_process');
  const { promisify } = await import('node:util');
  const line = `set -o pipefail; "${process.execPath}" bin/odradek log dump --records --data-dir "${data}" | head -1`;
  const { stdout, stderr } = await promisify(execFile)('bash', ['-c', line]);
  expect([stdout.split('\n').length, stderr]).toEqual([2, '']);
});

test("a stopped node's folder gives the same, verifies, and stays as it is", async () => {
  await ok(runBin('cluster', ['down', ...clusterOptions]));
  const before = fingerprint(data);
  const stopped = rows(await ok(dump('log dump --topic t --records')));
  expect(ofType('record', stopped)).toEqual(ofType('record', logRows));
  const verified = rows(await ok(dump('log dump --verify')));
  const verdicts = verified.filter(({ status }) => status !== undefined);
  expect(new Set(verdicts.map(({ type }) => type))).toEqual(new Set(['index', 'epochs', 'producers']));
  expect(verdicts.filter(({ status }) => status === 'wrong' || status === 'damaged')).toEqual([]);
  // A clean stop leaves the index of every segment that holds anything.
  expect(ofType('index', verified).filter(({ status }) => status === 'matches').length).toBeGreaterThan(2);
  await ok(dump('metadata dump --records'));
  expect(fingerprint(data)).toEqual(before);
}, 30_000);

test('a torn tail is told, and is no corruption', async () => {
  const folder = copy();
  const last = ofType('segment', logRows).at(-1);
  const file = join(folder, 'log', String(last?.file).split('/log/')[1] ?? '');
  const sizeBytes = statSync(file).size;
  const batch = readFileSync(file).subarray(0, 200);
  batch.writeBigInt64BE(BigInt(LINES + 3), 0);
  change(file, (bytes) => Buffer.concat([bytes, batch]));
  const torn = rows(await ok(dump('log dump --topic t', folder)));
  expect(ofType('damage', torn)).toMatchObject([
    { file, position: sizeBytes, endPosition: sizeBytes + 200, offset: LINES + 3, verdict: 'torn' },
  ]);
});

test('a flipped bit is corruption, told in its place; what follows is dumped all the same', async () => {
  const folder = copy();
  const [, second, third] = ofType('batch', logRows);
  const file = fileOf(folder, '.log');
  change(file, flip(Number(second?.position) + 100));
  const ended = await dump('log dump --topic t --records', folder);
  expect(ended).toMatchObject({ status: 1, stderr: 'odradek: one thing is corrupt: see above\n' });
  const all = rows(ended);
  expect(ofType('damage', all)).toMatchObject([
    {
      file,
      position: second?.position,
      endPosition: third?.position,
      offset: second?.baseOffset,
      verdict: 'corrupt',
      problem: expect.stringContaining('checksum'),
    },
  ]);
  const at = all.findIndex(({ type }) => type === 'damage');
  expect(all[at + 1]).toMatchObject({ type: 'batch', position: third?.position });
  expect(ofType('record', all)).toHaveLength(LINES + 3 - Number(second?.records));
}, 30_000);

test('a log cut below its synced checkpoint is corrupt, however well it ends', async () => {
  const folder = copy();
  const last = String(ofType('segment', logRows).at(-1)?.file).split('/log/')[1] ?? '';
  truncateSync(join(folder, 'log', last), 0);
  const ended = await dump('log dump --topic t', folder);
  expect(ended.status).toBe(1);
  expect(ofType('damage', rows(ended)).at(-1)?.reason).toMatch(/below its synced checkpoint/);
});

test('--verify finds an index, and epochs, that contradict the segments', async () => {
  const index = copy();
  change(fileOf(index, '.index'), flip(3));
  const damaged = await dump('log dump --topic t --verify', index);
  expect(damaged.status).toBe(1);
  expect(ofType('index', rows(damaged))[0]).toMatchObject({ status: 'damaged' });

  // A whole file, written for this very segment, that points elsewhere.
  const wrong = copy();
  change(fileOf(wrong, '.index'), (bytes) => {
    const trailer = readIndexTrailer(bytes);
    const forged = new SegmentIndex(0, 1);
    const count = (bytes.length - 28) / 8;
    for (let i = 0; i <= count; i++)
      forged.add({ baseOffset: i * 7, lastOffset: i * 7 + 6, sizeBytes: 70, maxTimestamp: i });
    forged.endOffset = trailer?.endOffset ?? 0;
    forged.sizeBytes = trailer?.sizeBytes ?? 0;
    return Buffer.from(forged.encodeOffsets());
  });
  const misled = await dump('log dump --topic t --verify', wrong);
  expect(misled.status).toBe(1);
  expect(ofType('index', rows(misled))[0]).toMatchObject({ status: 'wrong', problem: /places offset/ });

  const epochs = copy();
  change(fileOf(epochs, 'leader-epoch-checkpoint'), () =>
    Buffer.from(
      encodeEpochs([
        { epoch: 0, startOffset: 0 },
        { epoch: 3, startOffset: 9 },
      ]),
    ),
  );
  const ended = await dump('log dump --topic t --verify', epochs);
  expect(ended.status).toBe(1);
  expect(ofType('epochs', rows(ended))).toMatchObject([
    { status: 'wrong', problem: 'it says that epoch 3 begins at offset 9' },
  ]);
});

test('the metadata log: a torn tail, a flipped bit, a damaged snapshot', async () => {
  const walOf = (folder: string) => join(folder, 'raft/0000000001.wal');
  const torn = copy();
  const sizeBytes = statSync(walOf(torn)).size;
  truncateSync(walOf(torn), sizeBytes - 3);
  expect(ofType('damage', rows(await ok(dump('metadata dump', torn))))).toMatchObject([
    { verdict: 'torn', endPosition: sizeBytes - 3 },
  ]);

  const flipped = copy();
  const entries = ofType('entry', rows(await ok(dump('metadata dump', flipped))));
  const position = Number(entries[3]?.position);
  change(walOf(flipped), flip(position + 20));
  const ended = await dump('metadata dump', flipped);
  expect(ended.status).toBe(1);
  expect(ofType('damage', rows(ended))).toMatchObject([{ position, verdict: 'corrupt' }]);
  expect(ofType('entry', rows(ended)).at(-1)?.index).toBe(entries.at(-1)?.index);

  const snapshot = copy();
  change(join(snapshot, 'raft/0000000000000000.snapshot'), flip(20));
  const lost = await dump('metadata dump', snapshot);
  expect(lost.status).toBe(1);
  expect(ofType('damage', rows(lost))).toMatchObject([
    { index: 0, reason: expect.stringContaining('damaged') },
  ]);
});
