import { describe, expect, test } from 'vitest';
import type { PartitionLog } from '../../src/log/partition-log.ts';
import { stampBatch } from '../../src/protocol/record-batch.ts';
import { decodeRecords } from '../../src/protocol/record-decoder.ts';
import { batch, FOLDER, TestNode, TOPIC, valuesIn } from './support.ts';

async function manyLogs(node: TestNode, count: number): Promise<PartitionLog[]> {
  const directory = await node.open();
  return node.settle(
    Promise.all(Array.from({ length: count }, (_, i) => directory.create(TOPIC, i, node.config))),
  );
}

describe('group commit', () => {
  test('one round at a time: what arrives meanwhile joins the next, and everything is published after its sync', async () => {
    const node = new TestNode(1);
    node.node.disk.latency.syncMs = 10;
    const logs = await manyLogs(node, 5);
    const published: string[] = [];
    for (const log of logs) log.onSynced = () => published.push(`${log.partition}:${log.syncedOffset}`);
    for (const log of logs) log.appendAsLeader(batch(['a']), 1, 0);
    await node.world.run(node.world.nowMs + 1);
    for (const log of logs) {
      log.appendAsLeader(batch(['b']), 1, 0);
      log.appendAsLeader(batch(['c']), 1, 0);
    }
    for (const log of logs) await node.sync(log);
    expect(published.sort()).toEqual(
      logs.flatMap(({ partition }) => [`${partition}:1`, `${partition}:3`]).sort(),
    );
  });

  test('with flush=os nothing waits for a sync', async () => {
    const node = new TestNode(2, { flush: 'os' });
    node.node.disk.latency.syncMs = 1e6;
    node.node.disk.latency.writeMs = 0.01;
    const directory = node.openDirectory();
    node.node.disk.latency.syncMs = 1;
    const log = await node.settle((await node.settle(directory)).create(TOPIC, 0, node.config));
    log.appendAsLeader(batch(['first creates the file']), 1, 0);
    await node.sync(log);
    node.node.disk.latency.syncMs = 1e6;
    log.appendAsLeader(batch(['second']), 1, 0);
    const { nowMs } = node.world;
    await node.sync(log);
    expect(node.world.nowMs - nowMs).toBeLessThan(10);
  });

  test('a write from before a truncation acknowledges nothing that was appended after it (append ABA)', async () => {
    for (let seed = 0; seed < 60; seed++) {
      const node = new TestNode(seed);
      node.node.disk.latency.syncMs = 5;
      const log = await node.settle((await node.open()).create(TOPIC, 0, node.config));
      log.appendAsLeader(batch(['kept']), 1, 0);
      await node.sync(log);
      const seen: number[] = [];
      log.onSynced = () => seen.push(log.syncedOffset);
      for (let i = 0; i < 3; i++) log.appendAsLeader(batch([`old ${i}`]), 1, 0);
      await node.world.run(node.world.nowMs + (seed % 12) / 2);
      const truncated = log.truncateTo(1);
      expect(log.syncedOffset).toBeLessThanOrEqual(1);
      seen.length = 0;
      let again: Promise<void> | undefined;
      if (seed % 3 === 0) again = log.truncateTo(0);
      expect(() => log.appendAsLeader(batch(['too early']), 2, 0)).toThrow(/before its truncation/);
      await node.settle(Promise.all([truncated, again]));
      const base = log.logEndOffset;
      for (let i = 0; i < 3; i++) log.appendAsLeader(batch([`new ${i}`]), 2, 0);
      await node.world.run(node.world.nowMs + (seed % 7) / 3);
      const acknowledged = log.syncedOffset;
      node.crash('power');
      const reopened = (await node.open()).get(TOPIC, 0) ?? expect.fail('gone');
      expect(reopened.failed).toBeUndefined();
      expect(reopened.logEndOffset).toBeGreaterThanOrEqual(acknowledged);
      for (const [offset, value] of await node.readAll(reopened)) {
        expect(value).toBe(offset < base ? 'kept' : `new ${offset - base}`);
      }
    }
  });

  test('hundreds of logs share a few open files', async () => {
    const node = new TestNode(3, {}, { openFilesMax: 10 });
    const logs = await manyLogs(node, 60);
    for (let i = 0; i < 3; i++) {
      for (const log of logs) log.appendAsLeader(batch([`${log.partition}-${i}`]), 1, 0);
      for (const log of logs) await node.sync(log);
    }
    node.crash('power');
    const directory = await node.open();
    expect([...directory.all()]).toHaveLength(60);
    for (const log of directory.all()) {
      expect(await node.readAll(log)).toEqual([0, 1, 2].map((i) => [i, `${log.partition}-${i}`]));
    }
  });
});

describe('reads', () => {
  test('return views, whole batches, at least one, and stop before the end offset', async () => {
    const node = new TestNode(1);
    const log = await node.openLog();
    const bytes = batch(['a', 'b', 'c']);
    log.appendAsLeader(bytes, 1, 0);
    log.appendAsLeader(batch(['d', 'e']), 1, 0);
    log.appendAsLeader(batch(['f']), 1, 0);
    const { records } = await log.read(0, 1, 6);
    expect(records[0]?.buffer).toBe(bytes.buffer);
    expect(await log.read(0, 10_000, 5)).toMatchObject({ nextOffset: 5 });
    expect(await log.read(0, 10_000, 4)).toMatchObject({ nextOffset: 3 });
    expect(await log.read(0, 10_000, 2)).toEqual({ records: [], nextOffset: 0 });
    expect(await log.read(6, 10_000, 6)).toEqual({ records: [], nextOffset: 6 });
    expect(() => log.read(7, 1, 7)).toThrow(expect.objectContaining({ code: 'OFFSET_OUT_OF_RANGE' }));
    expect(valuesIn((await log.read(4, 1, 6)).records)).toEqual([
      [3, 'd'],
      [4, 'e'],
    ]);
  });

  test('the same from disk as from memory, with any budget and from any offset', async () => {
    const node = new TestNode(2, { segmentBytes: 2000, indexIntervalBytes: 200 });
    const cold = new TestNode(
      2,
      { segmentBytes: 2000, indexIntervalBytes: 200 },
      { tailCacheBytesMax: 0, coldReadBytes: 64 },
    );
    const logs = [await node.openLog(), await cold.openLog()];
    for (const [i, log] of logs.entries()) {
      for (let n = 0; n < 40; n++) {
        log.appendAsLeader(batch([`${n}`, 'y'.repeat((n * 37) % 300)]), 1, 0);
        await (i === 0 ? node : cold).sync(log);
      }
    }
    const [warmLog, coldLog] = logs;
    if (warmLog === undefined || coldLog === undefined) return expect.fail('two logs');
    for (let offset = 0; offset < 80; offset++) {
      for (const bytesMax of [1, 500, 5000]) {
        const fromMemory = await node.read(warmLog, offset, bytesMax);
        const fromDisk = await cold.read(coldLog, offset, bytesMax);
        // A cold read may end at the end of a segment, where a read from memory goes on.
        expect(valuesIn(fromDisk.records)).toEqual(
          valuesIn(fromMemory.records).slice(0, fromDisk.nextOffset - (offset & ~1)),
        );
        expect(fromDisk.records.length).toBeGreaterThan(0);
      }
    }
  });

  test('the tail cache stays within its limit, counting whole buffers', async () => {
    const node = new TestNode(3, {}, { tailCacheBytesMax: 10_000 });
    const directory = await node.open();
    const log = await node.settle(directory.create(TOPIC, 0, node.config));
    for (let i = 0; i < 50; i++) {
      const large = new Uint8Array(2000);
      const bytes = batch([`${i}`]);
      large.set(bytes, 500);
      log.appendAsLeader(large.subarray(500, 500 + bytes.length), 1, 0);
      await node.sync(log);
    }
    expect(directory.tailCacheBytes).toBeLessThanOrEqual(12_000);
    expect(log.read(49, 1, 50)).not.toBeInstanceOf(Promise);
    expect((await node.readAll(log)).length).toBe(50);
  });

  test('find the first record at or after a timestamp', async () => {
    const node = new TestNode(4, { segmentBytes: 900, indexIntervalBytes: 150 }, { tailCacheBytesMax: 500 });
    const log = await node.openLog();
    const timestamps = Array.from({ length: 60 }, (_, i) => 1000 + i * 10 - (i % 7) * 15);
    for (const timestamp of timestamps) log.appendAsLeader(batch(['v'.repeat(30)], { timestamp }), 1, 0);
    await node.sync(log);
    for (let wanted = 900; wanted < 1600; wanted += 7) {
      const offset = timestamps.findIndex((timestamp) => timestamp >= wanted);
      const found = await node.settle(log.offsetForTimestamp(wanted));
      if (offset < 0) expect(found).toBeUndefined();
      else expect(found).toEqual({ offset, timestamp: timestamps[offset], leaderEpoch: 1 });
    }
  });

  test('find the first record of the largest timestamp below any offset, also after a truncation', async () => {
    const node = new TestNode(5, { segmentBytes: 900, indexIntervalBytes: 150 }, { tailCacheBytesMax: 500 });
    const log = await node.openLog();
    // Rising and falling, with ties; the very largest early in the log.
    const timestamps = Array.from({ length: 60 }, (_, i) => 1000 + (i % 11) * 10 + (i === 17 ? 500 : 0));
    for (const timestamp of timestamps) log.appendAsLeader(batch(['v'.repeat(30)], { timestamp }), 1, 0);
    await node.sync(log);
    const expectAll = async () => {
      for (let end = 0; end <= log.logEndOffset; end++) {
        const largest = Math.max(...timestamps.slice(0, end));
        const found = await node.settle(log.offsetOfLargestTimestamp(end));
        if (end === 0) expect(found).toBeUndefined();
        else
          expect(found).toEqual({ offset: timestamps.indexOf(largest), timestamp: largest, leaderEpoch: 1 });
      }
    };
    await expectAll();
    await node.settle(log.truncateTo(15));
    await expectAll();
  });
});

describe('appends', () => {
  const code = (name: string) => expect.objectContaining({ code: name });

  test('refuse what a client must not send, and change nothing', async () => {
    const node = new TestNode(1, { maxMessageBytes: 200 });
    const log = await node.openLog();
    const damaged = batch(['a']);
    damaged[65] = (damaged[65] ?? 0) ^ 1;
    expect(() => log.appendAsLeader(damaged, 1, 0)).toThrow(code('CORRUPT_MESSAGE'));
    expect(() => log.appendAsLeader(new Uint8Array(0), 1, 0)).toThrow(code('CORRUPT_MESSAGE'));
    expect(() => log.appendAsLeader(batch(['a']).slice(0, -1), 1, 0)).toThrow(code('CORRUPT_MESSAGE'));
    expect(() => log.appendAsLeader(batch(['x'.repeat(300)]), 1, 0)).toThrow(code('MESSAGE_TOO_LARGE'));
    const producer = { producerId: 1, producerEpoch: 0, baseSequence: 0 };
    const two = Buffer.concat([batch(['a'], producer), batch(['b'], { ...producer, baseSequence: 1 })]);
    expect(() => log.appendAsLeader(two, 1, 0)).toThrow(code('INVALID_RECORD'));
    expect(log.logEndOffset).toBe(0);
  });

  test('of a follower must follow its end', async () => {
    const node = new TestNode(2);
    const log = await node.openLog();
    const at = (offset: number, epoch: number) => {
      const bytes = batch([`${offset}`]);
      stampBatch(bytes, 0, offset, epoch);
      return bytes;
    };
    const whole = Buffer.concat([at(0, 1), at(1, 2), at(2, 2).subarray(0, 40)]);
    expect(log.appendAsFollower(whole)).toEqual({ lastOffset: 1 });
    expect(() => log.appendAsFollower(at(3, 2))).toThrow(code('CORRUPT_MESSAGE'));
    expect(() => log.appendAsFollower(at(2, 1))).toThrow(code('CORRUPT_MESSAGE'));
    expect(log.epochs).toEqual([
      { epoch: 1, startOffset: 0 },
      { epoch: 2, startOffset: 1 },
    ]);
    // It led in epoch 5 without a record; the next leader goes on in epoch 2 (KIP-279).
    log.beginEpoch(5);
    expect(log.latestEpoch).toBe(5);
    await node.settle(log.truncateTo(2));
    expect(log.latestEpoch).toBe(2);
    log.beginEpoch(5);
    log.appendAsFollower(at(2, 2));
    expect(log.latestEpoch).toBe(2);
  });

  test('can take the time of the append', async () => {
    const node = new TestNode(3, { timestampType: 'LogAppendTime' });
    const log = await node.openLog();
    log.appendAsLeader(batch(['a'], { timestamp: 5 }), 1, 777);
    await node.sync(log);
    node.crash('power');
    const again = (await node.open()).get(TOPIC, 0) ?? expect.fail('gone');
    const { records } = await node.read(again, 0);
    expect(decodeRecords(records[0] ?? new Uint8Array(0))[0]?.timestamp).toBe(777);
  });
});

describe('segments', () => {
  test('roll by size and by time', async () => {
    const node = new TestNode(1, { segmentBytes: 300, segmentMs: 1000 });
    const log = await node.openLog();
    for (let i = 0; i < 6; i++) log.appendAsLeader(batch(['x'.repeat(60)]), 1, 0);
    expect(log.segmentCount).toBe(3);
    log.appendAsLeader(batch(['late']), 1, 2000);
    expect(log.segmentCount).toBe(4);
    await node.sync(log);
    expect([...node.node.disk.files().keys()].filter((path) => path.endsWith('.log')).length).toBe(4);
  });

  test('retention by size and time removes whole old segments, never above the high watermark', async () => {
    for (const changes of [{ retentionBytes: 500 }, { retentionMs: 1000 }]) {
      const node = new TestNode(2, { segmentBytes: 300, ...changes });
      const directory = await node.open();
      const log = await node.settle(directory.create(TOPIC, 0, node.config));
      for (let i = 0; i < 12; i++)
        log.appendAsLeader(batch(['x'.repeat(60)], { timestamp: 1000 + i }), 1 + (i >> 2), 0);
      await node.sync(log);
      const segments = log.segmentCount;
      await node.settle(directory.applyRetention(1_000_000));
      expect(log.segmentCount).toBe(segments);
      log.setHighWatermark(5);
      await node.settle(directory.applyRetention(1_000_000));
      expect(log.logStartOffset).toBe(4);
      const reading = log.read(4, 100, 12);
      log.setHighWatermark(12);
      await node.settle(directory.applyRetention(1_000_000));
      expect(log.logStartOffset).toBe('retentionMs' in changes ? 12 : 8);
      expect((await node.settle(Promise.resolve(reading))).records).toHaveLength(1);
      expect(log.epochs[0]).toEqual({ epoch: 3, startOffset: log.logStartOffset });
      expect(() => log.read(3, 1, 12)).toThrow(code('OFFSET_OUT_OF_RANGE'));
      log.appendAsLeader(batch(['next'], { timestamp: 2_000_000 }), 4, 0);
      await node.sync(log);
      const names = [...node.node.disk.files().keys()].filter(
        (path) => path.startsWith(FOLDER) && path.endsWith('.log'),
      );
      expect(names.length).toBe(log.segmentCount);
      const expected = await node.readAll(log);
      node.crash('power');
      const again = (await node.open()).get(TOPIC, 0) ?? expect.fail('gone');
      expect(again.failed).toBeUndefined();
      expect(again.logStartOffset).toBe(log.logStartOffset);
      expect(await node.readAll(again)).toEqual(expected);
    }
  });
  const code = (name: string) => expect.objectContaining({ code: name });

  test('a log that retention emptied still knows its epoch and its producers', async () => {
    const node = new TestNode(5, { retentionMs: 1000 });
    const directory = await node.open();
    const log = await node.settle(directory.create(TOPIC, 0, node.config));
    const producer = { producerId: 3, producerEpoch: 1, baseSequence: 0 };
    log.appendAsLeader(batch(['a', 'b'], producer), 4, 0);
    await node.sync(log);
    log.setHighWatermark(2);
    await node.settle(directory.applyRetention(1_000_000));
    await node.world.run(node.world.nowMs + 1000);
    expect([log.logStartOffset, log.logEndOffset, log.latestEpoch]).toEqual([2, 2, 4]);
    node.crash('process');
    const again = (await node.open()).get(TOPIC, 0) ?? expect.fail('gone');
    expect([again.logStartOffset, again.logEndOffset, again.latestEpoch]).toEqual([2, 2, 4]);
    expect(again.appendAsLeader(batch(['a', 'b'], producer), 5, 0)).toMatchObject({ duplicate: true });
  });

  test('the log start never passes the high watermark', async () => {
    const node = new TestNode(3);
    const log = await node.openLog();
    for (let i = 0; i < 4; i++) log.appendAsLeader(batch(['a']), 1, 0);
    log.setHighWatermark(2);
    await expect(log.advanceLogStartOffset(3)).rejects.toThrow(code('OFFSET_OUT_OF_RANGE'));
    await node.settle(log.advanceLogStartOffset(2));
    expect(log.logStartOffset).toBe(2);
  });

  test('a log is removed in the middle of appends, rolls, reads and retention', async () => {
    for (let steps = 0; steps < 80; steps += 3) {
      const node = new TestNode(steps, { segmentBytes: 200, retentionBytes: 500 }, { tailCacheBytesMax: 0 });
      const directory = await node.open();
      const log = await node.settle(directory.create(TOPIC, 0, node.config));
      for (let i = 0; i < 6; i++) log.appendAsLeader(batch(['x'.repeat(50)]), 1, 0);
      await node.sync(log);
      log.setHighWatermark(6);
      const others = [directory.applyRetention(0), Promise.resolve(log.read(5, 1, 6))];
      for (let i = 0; i < 6; i++) log.appendAsLeader(batch(['y'.repeat(50)]), 1, 0);
      for (let i = 0; i < steps; i++) await node.world.step();
      const removed = directory.remove(TOPIC, 0);
      await node.settle(Promise.all([removed, Promise.allSettled(others)]));
      const again = await node.settle(directory.create(TOPIC, 0, node.config));
      again.appendAsLeader(batch(['new']), 1, 0);
      await node.sync(again);
      expect(await node.readAll(again)).toEqual([[0, 'new']]);
      expect(node.node.crashes).toEqual([]);
    }
  });

  test('a removed log goes to the trash, and from there for good', async () => {
    const node = new TestNode(4);
    const directory = await node.open();
    const log = await node.settle(directory.create(TOPIC, 0, node.config));
    log.appendAsLeader(batch(['a']), 1, 0);
    await node.sync(log);
    await node.settle(directory.remove(TOPIC, 0));
    expect(directory.get(TOPIC, 0)).toBeUndefined();
    expect(() => log.appendAsLeader(batch(['b']), 1, 0)).toThrow(/closed/);
    expect([...node.node.disk.files().keys()].some((path) => path.includes('.trash/'))).toBe(true);
    const fresh = await node.settle(directory.create(TOPIC, 0, node.config));
    expect(fresh.logEndOffset).toBe(0);
    await node.world.run(node.world.nowMs + 61_000);
    expect([...node.node.disk.files().keys()].some((path) => path.includes('.trash/'))).toBe(false);
  });
});
