import { describe, expect, test } from 'vitest';
import { SegmentIndex } from '../../src/log/segment-index.ts';
import { batch, FOLDER, TestNode, TOPIC } from './support.ts';

const SEGMENT = `${FOLDER}/00000000000000000000.log`;

describe('a full disk', () => {
  test('mid-batch: appends are refused, nothing acknowledged is lost, and it goes on once there is room', async () => {
    for (let room = 0; room < 700; room += 90) {
      const node = new TestNode(room);
      const log = await node.openLog();
      log.appendAsLeader(batch(['first']), 1, 0);
      await node.sync(log);
      node.node.disk.capacityBytes = node.node.disk.usedBytes + room;
      for (let i = 0; i < 3; i++) log.appendAsLeader(batch([`value ${i} ${'x'.repeat(200)}`]), 1, 0);
      await node.world.runUntil(() => log.isDiskFull, 1000);
      expect(log.isDiskFull).toBe(true);
      expect(log.syncedOffset).toBe(1);
      expect(() => log.appendAsLeader(batch(['no']), 1, 0)).toThrow(
        expect.objectContaining({ code: 'KAFKA_STORAGE_ERROR' }),
      );
      expect((await node.readAll(log)).length).toBe(4);
      if (room % 180 === 0) {
        node.crash(room === 0 ? 'process' : 'power');
        if (room > 0) node.node.disk.clearFaults();
        const again = (await node.open()).get(TOPIC, 0);
        expect(again?.failed).toBeUndefined();
        expect(again?.logEndOffset).toBeGreaterThanOrEqual(1);
        continue;
      }
      node.node.disk.clearFaults();
      await node.sync(log);
      expect(log.isDiskFull).toBe(false);
      log.appendAsLeader(batch(['after']), 1, 0);
      await node.sync(log);
      const expected = await node.readAll(log);
      node.crash('power');
      const again = (await node.open()).get(TOPIC, 0) ?? expect.fail('gone');
      expect(await node.readAll(again)).toEqual(expected);
    }
  });

  test('a stop in good order goes through; without the mark of a clean stop, the next start scans', async () => {
    const node = new TestNode(6, { segmentBytes: 200 });
    const directory = await node.open();
    const log = await node.settle(directory.create(TOPIC, 0, node.config));
    for (let i = 0; i < 5; i++) log.appendAsLeader(batch([`value ${i} ${'x'.repeat(90)}`]), 1, 0);
    await node.sync(log);
    const expected = await node.readAll(log);
    node.node.disk.capacityBytes = node.node.disk.usedBytes;
    log.setConfig({ ...log.config, segmentBytes: 10_000 });
    await node.settle(directory.close());
    expect(node.node.disk.files().has('/data/log/.clean')).toBe(false);
    node.crash('process');
    node.node.disk.clearFaults();
    const again = (await node.open()).get(TOPIC, 0) ?? expect.fail('gone');
    expect(await node.readAll(again)).toEqual(expected);
  });

  test('a log is removed once there is room to forget it', async () => {
    const node = new TestNode(8);
    const directory = await node.open();
    const log = await node.settle(directory.create(TOPIC, 0, node.config));
    log.appendAsLeader(batch(['first']), 1, 0);
    await node.sync(log);
    // The checkpoint names it by then.
    await node.world.run(node.world.nowMs + 30_000);
    node.node.disk.capacityBytes = node.node.disk.usedBytes - 1;
    let isRemoved = false;
    void directory.remove(TOPIC, 0).then(() => {
      isRemoved = true;
    });
    await node.world.run(node.world.nowMs + 10_000);
    expect(isRemoved).toBe(false);
    expect(directory.get(TOPIC, 0)).toBeUndefined();
    node.node.disk.clearFaults();
    await node.world.run(node.world.nowMs + 5000);
    expect(isRemoved).toBe(true);
    expect([...node.node.disk.files().keys()].some((path) => path.startsWith(`${FOLDER}/`))).toBe(false);
  });

  test('a checkpoint that does not fit is put off', async () => {
    const node = new TestNode(5);
    const log = await node.openLog();
    log.appendAsLeader(batch(['first']), 1, 0);
    await node.sync(log);
    node.node.disk.capacityBytes = node.node.disk.usedBytes;
    await node.world.run(node.world.nowMs + 30_000);
    expect(node.node.running).toBe(true);
    node.node.disk.clearFaults();
    await node.world.run(node.world.nowMs + 30_000);
    expect(node.node.disk.peek('/data/log/offsets-checkpoint')?.length).toBeGreaterThan(0);
  });
});

describe('a failing disk', () => {
  test.each(['write', 'sync'] as const)(
    'an error of a %s ends the process, and nothing is acknowledged',
    async (operation) => {
      const node = new TestNode(9);
      const log = await node.openLog();
      log.appendAsLeader(batch(['first']), 1, 0);
      await node.sync(log);
      node.node.disk.inject({ operation, code: 'EIO', path: '.log' });
      log.appendAsLeader(batch(['second']), 1, 0);
      await node.world.runUntil(() => !node.node.running, 5000);
      expect(node.node.crashes).toHaveLength(1);
      expect(log.syncedOffset).toBe(1);
    },
  );

  test('what a failed sync left in the page cache is written again before it counts as synced', async () => {
    for (let seed = 0; seed < 20; seed++) {
      const node = new TestNode(seed);
      node.node.disk.survival = { kept: 0, torn: 0.5 };
      const log = await node.openLog();
      log.appendAsLeader(batch(['first']), 1, 0);
      await node.sync(log);
      node.node.disk.inject({ operation: 'sync', code: 'EIO', path: '.log' });
      log.appendAsLeader(batch(['second']), 1, 0);
      await node.world.runUntil(() => !node.node.running, 5000);
      node.node.restart();
      const directory = await node.open();
      expect(directory.cleanShutdown).toBe(false);
      const again = directory.get(TOPIC, 0) ?? expect.fail('gone');
      const expected = await node.readAll(again);
      node.crash('power');
      const third = (await node.open()).get(TOPIC, 0) ?? expect.fail('gone');
      expect(third.failed).toBeUndefined();
      expect(await node.readAll(third)).toEqual(expected);
    }
  });

  test('an error while it is closed ends the process, and the next start does not believe the page cache', async () => {
    const node = new TestNode(3);
    const directory = await node.open();
    const log = await node.settle(directory.create(TOPIC, 0, node.config));
    log.appendAsLeader(batch(['first']), 1, 0);
    await node.sync(log);
    node.node.disk.inject({ operation: 'sync', code: 'EIO', path: '.log' });
    directory.close().catch(() => {});
    await node.world.runUntil(() => !node.node.running, 5000);
    expect(node.node.crashes).toHaveLength(1);
    expect(node.node.disk.files().has('/data/log/.boot')).toBe(false);
  });

  test('a cold read that meets damage makes the log stand down', async () => {
    for (const fault of ['bit', 'EIO'] as const) {
      const node = new TestNode(4, {}, { tailCacheBytesMax: 0 });
      const log = await node.openLog();
      for (let i = 0; i < 5; i++) log.appendAsLeader(batch([`value ${i}`]), 1, 0);
      await node.sync(log);
      log.appendAsLeader(batch(['one more, so that the cache is trimmed']), 1, 0);
      await node.sync(log);
      let failures = 0;
      log.onFailed = () => {
        failures += 1;
      };
      if (fault === 'bit') node.node.disk.rot(SEGMENT, 180);
      else node.node.disk.inject({ operation: 'read', code: 'EIO', path: '.log' });
      await expect(node.read(log, 2)).rejects.toMatchObject({ code: 'KAFKA_STORAGE_ERROR' });
      expect(log.failed).toBe('corrupt');
      expect(failures).toBe(1);
      expect(log.soundOffset).toBeLessThanOrEqual(2);
      await node.settle(log.truncateTo(log.logEndOffset));
      expect(log.failed).toBeUndefined();
      expect(log.logEndOffset).toBeLessThanOrEqual(2);
    }
  });

  test('an index that lies costs time, never a wrong answer', async () => {
    const node = new TestNode(6, { segmentBytes: 900, indexIntervalBytes: 1 });
    const directory = await node.open();
    const log = await node.settle(directory.create(TOPIC, 0, node.config));
    for (let i = 0; i < 20; i++) log.appendAsLeader(batch([`value ${i} ${'x'.repeat(i * 3)}`]), 1, 0);
    await node.sync(log);
    const expected = await node.readAll(log);
    await node.settle(directory.close());
    const { disk } = node.node.platform;
    for (const path of [...node.node.disk.files().keys()].filter((name) => name.endsWith('.index'))) {
      const bytes = node.node.disk.peek(path) ?? new Uint8Array(0);
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      const at = bytes.length - 28;
      const baseOffset = Number(path.slice(-26, -6));
      const [endOffset, sizeBytes] = [Number(view.getBigInt64(at)), Number(view.getBigInt64(at + 8))];
      // As many entries, each a little off, under a true checksum and trailer.
      const wrong = new SegmentIndex(baseOffset, 1);
      const count = at / 8;
      for (let i = 0; i <= count; i++) {
        const isLast = i === count;
        const size = isLast ? sizeBytes - wrong.sizeBytes : 70;
        const lastOffset = isLast ? endOffset - 1 : baseOffset + i;
        wrong.add({ baseOffset: baseOffset + i, lastOffset, sizeBytes: size, maxTimestamp: 1000 });
      }
      const file = await node.settle(disk.open(path));
      await node.settle(file.write(0, [wrong.encodeOffsets()]));
    }
    node.crash('process');
    const again = (await node.open()).get(TOPIC, 0) ?? expect.fail('gone');
    for (let round = 0; round < 2; round++) {
      for (let offset = 0; offset < 20; offset++) {
        const { nextOffset } = await node.read(again, offset, 1);
        expect(nextOffset).toBe(offset + 1);
      }
    }
    expect(await node.readAll(again, 1)).toEqual(expected);
    expect(again.failed).toBeUndefined();
  });
});
