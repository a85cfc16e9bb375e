import { describe, expect, test } from 'vitest';
import type { LogDirectory } from '../../src/log/log-directory.ts';
import type { PartitionLog } from '../../src/log/partition-log.ts';
import type { Disk } from '../../src/platform/ports.ts';
import { splitBatches } from '../../src/protocol/record-batch.ts';
import { batch, FOLDER, TestNode, TOPIC } from './support.ts';

const SEGMENT = `${FOLDER}/00000000000000000000.log`;

async function writeFile(disk: Disk, path: string, bytes: Uint8Array): Promise<void> {
  const file = await disk.open(path, { create: true });
  await file.truncate(0);
  await file.write(0, [bytes]);
  await file.sync();
}

/** A node that was killed after it had synced `count` batches, none of which the checkpoint knows. */
async function killedNode(count: number, changes = {}): Promise<{ node: TestNode; bytes: Uint8Array }> {
  const node = new TestNode(count, changes);
  const log = await node.openLog();
  for (let i = 0; i < count; i++)
    log.appendAsLeader(batch([`value ${i}`, 'x'.repeat(i * 7)]), 1 + (i >> 2), 0);
  await node.sync(log);
  node.crash('process');
  return { node, bytes: node.node.disk.peek(SEGMENT) ?? new Uint8Array(0) };
}

async function reopen(node: TestNode): Promise<{ directory: LogDirectory; log: PartitionLog }> {
  const directory = await node.open();
  return { directory, log: directory.get(TOPIC, 0) ?? expect.fail('the log is gone') };
}

describe('recovery after an unclean stop', () => {
  test('a log cut at any byte comes back as its longest valid prefix', async () => {
    const { node, bytes } = await killedNode(6);
    const ends = splitBatches(bytes).map((part) => part.byteOffset + part.length - bytes.byteOffset);
    for (let length = 0; length <= bytes.length; length++) {
      await node.settle(writeFile(node.node.platform.disk, SEGMENT, bytes.slice(0, length)));
      // As if it had never been recovered: the checkpoint is that of the first life.
      await node.settle(node.node.platform.disk.remove('/data/log/offsets-checkpoint'));
      const { log } = await reopen(node);
      const whole = ends.filter((end) => end <= length).length;
      expect([length, log.logEndOffset, log.failed]).toEqual([length, whole * 2, undefined]);
      expect(log.syncedOffset).toBe(whole * 2);
      expect(node.node.disk.files().get(SEGMENT)).toBe(whole === 0 ? 0 : ends[whole - 1]);
      expect((await node.readAll(log)).length).toBe(whole * 2);
      expect(log.latestEpoch).toBe(whole === 0 ? -1 : 1 + ((whole - 1) >> 2));
      node.crash('process');
    }
  });

  test('a damaged byte is corruption, in the last batch too: what is whole was perhaps acknowledged', async () => {
    const { node, bytes } = await killedNode(4);
    const parts = splitBatches(bytes);
    for (let position = 0; position < bytes.length; position += 5) {
      const inLeaderEpoch = parts.some((part) => {
        const at = position - (part.byteOffset - bytes.byteOffset);
        return at >= 12 && at < 16;
      });
      if (inLeaderEpoch) continue; // the one field that neither checksum nor sequence covers
      const damaged = bytes.slice();
      damaged[position] = (damaged[position] ?? 0) ^ 0x5a;
      await node.settle(writeFile(node.node.platform.disk, SEGMENT, damaged));
      await node.settle(node.node.platform.disk.remove('/data/log/offsets-checkpoint'));
      const { log } = await reopen(node);
      expect([position, log.failed]).toEqual([position, 'corrupt']);
      expect(node.node.disk.peek(SEGMENT)).toEqual(damaged);
      node.crash('process');
    }
  });

  test('damage below the synced checkpoint is corruption, even in the last batch, and stays so', async () => {
    const { node, bytes } = await killedNode(4);
    await reopen(node); // recovers, and checkpoints the end
    node.crash('process');
    node.node.disk.rot(SEGMENT, bytes.length - 1);
    for (let i = 0; i < 2; i++) {
      const { log } = await reopen(node);
      expect(log.failed).toBe('corrupt');
      expect(log.logEndOffset).toBe(6);
      expect(() => log.appendAsLeader(batch(['no']), 9, 0)).toThrow(/damaged/);
      expect((await node.readAll(log)).length).toBe(6);
      node.crash('power');
    }
  });

  test('a log that lost its files is corrupt, not empty', async () => {
    for (const lost of [SEGMENT, FOLDER]) {
      const { node } = await killedNode(4);
      await reopen(node);
      node.crash('process');
      await node.settle(node.node.platform.disk.remove(lost));
      const { log } = await reopen(node);
      expect(log.failed).toBe('corrupt');
    }
  });

  test('a corrupt log is of use again after a reset or a truncation', async () => {
    for (const repair of ['reset', 'truncate'] as const) {
      const node = new TestNode(7, { segmentBytes: 300 });
      const first = await node.openLog();
      for (let i = 0; i < 12; i++) first.appendAsLeader(batch([`value ${i}`, 'x'.repeat(90)]), 1, 0);
      await node.sync(first);
      expect(first.segmentCount).toBeGreaterThan(4);
      node.crash('process');
      const paths = [...node.node.disk.files().keys()].filter((path) => path.endsWith('.log'));
      node.node.disk.rot(paths[1] ?? '', 100);
      const { log } = await reopen(node);
      expect(log.failed).toBe('corrupt');
      const { soundOffset } = log;
      expect(soundOffset).toBeGreaterThan(0);
      await node.settle(repair === 'reset' ? log.resetTo(4) : log.truncateTo(log.logEndOffset));
      expect(log.failed).toBeUndefined();
      expect(log.logEndOffset).toBe(repair === 'reset' ? 4 : soundOffset);
      log.appendAsLeader(batch(['again']), 2, 0);
      await node.sync(log);
      const expected = await node.readAll(log);
      node.crash('power');
      const again = await reopen(node);
      expect(again.log.failed).toBeUndefined();
      expect(await node.readAll(again.log)).toEqual(expected);
    }
  });

  test('a clean marker left from before a crash is not believed', async () => {
    const node = new TestNode(3);
    const log = await node.openLog();
    log.appendAsLeader(batch(['a']), 1, 0);
    const directory = await node.settle(node.openDirectory()).catch(() => undefined);
    expect(directory).toBeDefined();
    await node.sync(log);
    node.crash('power');
    const { directory: second } = await reopen(node);
    expect(second.cleanShutdown).toBe(false);
    await node.settle(second.lossTold());
    await node.settle(second.close());
    node.crash('power');
    const { directory: third, log: thirdLog } = await reopen(node);
    expect(third.cleanShutdown).toBe(true);
    thirdLog.appendAsLeader(batch(['b']), 1, 0);
    node.crash('power');
    const { directory: fourth } = await reopen(node);
    expect(fourth.cleanShutdown).toBe(false);
  });

  test('a loss that the controller does not know of is told by the next process', async () => {
    for (const stop of ['killed', 'clean', 'power'] as const) {
      const node = new TestNode(5);
      const log = await node.openLog();
      log.appendAsLeader(batch(['a']), 1, 0);
      node.crash('power');
      const { directory: second } = await reopen(node);
      expect(second.cleanShutdown).toBe(false);
      if (stop === 'clean') await node.settle(second.close());
      node.crash(stop === 'power' ? 'power' : 'process');
      const { directory: third } = await reopen(node);
      expect(third.cleanShutdown).toBe(false);
      await node.settle(third.lossTold());
      node.crash('process');
      const { directory: fourth } = await reopen(node);
      expect(fourth.cleanShutdown).toBe(true);
    }
  });

  test('damaged hints change nothing but the work', async () => {
    const names = ['.index', '.timeindex', '.snapshot', 'leader-epoch-checkpoint', 'offsets-checkpoint'];
    for (const name of names) {
      const node = new TestNode(11, { segmentBytes: 600, indexIntervalBytes: 100 });
      const directory = await node.open();
      const first = await node.settle(directory.create(TOPIC, 0, node.config));
      for (let i = 0; i < 20; i++) {
        const producer = { producerId: 5, producerEpoch: 0, baseSequence: i };
        first.appendAsLeader(
          batch([`value ${i} ${'x'.repeat(40)}`], { ...producer, timestamp: i }),
          1 + (i >> 3),
          0,
        );
      }
      await node.sync(first);
      const expected = await node.readAll(first);
      const { epochs } = first;
      await node.settle(directory.close());
      for (const [path, size] of node.node.disk.files()) {
        if (path.endsWith(name) && size > 0) node.node.disk.rot(path, size >> 1, 0x10);
      }
      node.crash('process');
      const { log } = await reopen(node);
      expect([name, log.failed]).toEqual([name, undefined]);
      expect(await node.readAll(log, 1)).toEqual(expected);
      expect(log.epochs).toEqual(epochs);
      for (let timestamp = 0; timestamp < 20; timestamp++) {
        expect(await node.settle(log.offsetForTimestamp(timestamp))).toMatchObject({
          offset: timestamp,
          timestamp,
        });
      }
      const retry = batch([`value 19 ${'x'.repeat(40)}`], {
        producerId: 5,
        producerEpoch: 0,
        baseSequence: 19,
      });
      expect(log.appendAsLeader(retry, 9, 0)).toEqual({ baseOffset: 19, lastOffset: 19, duplicate: true });
    }
  });
});
