import { describe, expect, test } from 'vitest';
import type { PartitionLog } from '../../src/log/partition-log.ts';
import { batch, FOLDER, TestNode, TOPIC } from './support.ts';

const SEGMENT = `${FOLDER}/00000000000000000000.log`;
const IDS = { topicId: TOPIC, partition: 0 };

const TORN = 'Cutting off the torn tail of a log';
const RECOVERED = 'Recovered a log by scanning its tail';
const CORRUPT = 'The log is corrupt and stands down';
const FULL = 'The disk is full, appends are refused';
const ROOM = 'The disk has room again, appends are taken';

/** What the machine logged of these happenings, in all of its lives: level, sentence and ids. */
function lines(node: TestNode, ...messages: string[]): [string, string, object][] {
  return node.world.log
    .filter(({ message }) => messages.includes(message))
    .map(({ level, message, fields }) => [level, message, fields]);
}

/** A machine whose log has four batches, written one by one and synced. */
async function withRecords(seed: number): Promise<{ readonly node: TestNode; readonly log: PartitionLog }> {
  const node = new TestNode(seed, {}, { tailCacheBytesMax: 0 });
  const log = await node.openLog();
  for (let n = 0; n < 4; n++) {
    log.appendAsLeader(batch([`value ${n}`]), 1, 0);
    await node.sync(log);
  }
  return { node, log };
}

describe('one line, with its ids, for', () => {
  test('a torn tail that is cut off, and for the scan that found it', async () => {
    const { node } = await withRecords(1);
    node.crash('process');
    const { disk } = node.node.platform;
    const file = await node.settle(disk.open(SEGMENT));
    await node.settle(file.truncate((await node.settle(file.size())) - 1));
    await node.open();
    expect(lines(node, TORN, RECOVERED, CORRUPT)).toEqual([
      ['info', TORN, { ...IDS, endOffset: 3, reason: expect.any(String) }],
      ['info', RECOVERED, { ...IDS, from: 0, endOffset: 3 }],
    ]);
  });

  test('a scan of a whole log, and none for a clean start', async () => {
    const { node } = await withRecords(2);
    node.crash('process');
    const directory = await node.open();
    await node.settle(directory.close());
    node.crash('process');
    await node.open();
    expect(lines(node, TORN, RECOVERED, CORRUPT)).toEqual([
      ['info', RECOVERED, { ...IDS, from: 0, endOffset: 4 }],
    ]);
  });

  test('corruption that the start finds', async () => {
    const { node } = await withRecords(3);
    node.crash('process');
    node.node.disk.rot(SEGMENT, 65);
    const log = (await node.open()).get(TOPIC, 0) ?? expect.fail('the log is gone');
    await node.read(log, 0).catch(() => undefined);
    expect(lines(node, TORN, RECOVERED, CORRUPT)).toEqual([
      ['error', CORRUPT, { ...IDS, logEndOffset: 0, reason: expect.any(String) }],
    ]);
  });

  test('corruption that reads find, however many', async () => {
    const { node, log } = await withRecords(4);
    node.node.disk.rot(SEGMENT, 65);
    for (let n = 0; n < 3; n++) {
      await expect(node.read(log, 0)).rejects.toMatchObject({ code: 'KAFKA_STORAGE_ERROR' });
    }
    expect(lines(node, TORN, RECOVERED, CORRUPT)).toEqual([
      ['error', CORRUPT, { ...IDS, soundOffset: 0, reason: expect.any(String) }],
    ]);
  });

  test('a disk that is full, however often and by however many logs it is tried, and for room', async () => {
    const node = new TestNode(5);
    const directory = await node.open();
    const logs = [0, 1].map((partition) => node.settle(directory.create(TOPIC, partition, node.config)));
    const [first, second] = await Promise.all(logs);
    if (!first || !second) throw new Error('no logs');
    node.node.disk.capacityBytes = node.node.disk.usedBytes;
    for (const log of [first, second]) log.appendAsLeader(batch(['no room']), 1, 0);
    await node.world.run(node.world.nowMs + 10_000);
    expect(second.isDiskFull).toBe(true);
    node.node.disk.clearFaults();
    await node.world.run(node.world.nowMs + 60_000);
    expect([first.syncedOffset, second.syncedOffset]).toEqual([1, 1]);
    const name = expect.any(String);
    expect(lines(node, FULL, ROOM)).toEqual([
      ['error', FULL, { name, reason: expect.stringContaining('is full') }],
      ['info', ROOM, { name }],
    ]);
  });
});
