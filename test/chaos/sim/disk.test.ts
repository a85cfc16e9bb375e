import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { SimWorld } from '../../../chaos/sim/world.ts';
import type { Disk } from '../../../src/platform/ports.ts';

const bytes = (text: string) => new TextEncoder().encode(text);
const text = (found: Uint8Array | undefined) =>
  found === undefined ? undefined : new TextDecoder().decode(found);

function setup(seed: number | string = 1) {
  const world = new SimWorld({ seed });
  const node = world.node('a');
  return { world, node, disk: node.platform.disk };
}

async function writeSynced(disk: Disk, path: string, content: string): Promise<void> {
  const file = await disk.open(path, { create: true });
  await file.write(0, [bytes(content)]);
  await file.sync();
  await disk.syncDir('/');
}

describe('SimDisk', () => {
  test('after a power loss the synced prefix of an appended file is intact, and what follows was written', async () => {
    const appends = fc.array(fc.record({ length: fc.integer({ min: 1, max: 2000 }), sync: fc.boolean() }), {
      maxLength: 12,
    });
    await fc.assert(
      fc.asyncProperty(fc.nat(), appends, async (seed, steps) => {
        const { world, node, disk } = setup(seed);
        let written = 0;
        let synced = 0;
        const append = async () => {
          const file = await disk.open('/log', { create: true });
          await disk.syncDir('/');
          for (const step of steps) {
            const position = written;
            written += step.length;
            await file.write(position, [new Uint8Array(step.length).fill(1 + (position % 250))]);
            if (step.sync) await file.sync().then(() => (synced = written));
          }
        };
        void append();
        await world.run(world.random.float() * 15);
        const syncedAtCrash = synced;
        const expected = node.disk.peek('/log') ?? new Uint8Array(0);
        node.powerLoss();
        const survived = node.disk.peek('/log') ?? new Uint8Array(0);
        expect(survived.length).toBeGreaterThanOrEqual(syncedAtCrash);
        expect(survived.subarray(0, syncedAtCrash)).toEqual(expected.subarray(0, syncedAtCrash));
        expect(survived.length).toBeLessThanOrEqual(written);
      }),
      { numRuns: 200 },
    );
  });

  test('unsynced writes are kept, lost or torn, by seed', async () => {
    const fates = new Set<string>();
    for (let seed = 0; seed < 60; seed += 1) {
      const { world, node, disk } = setup(seed);
      await world.settle(writeSynced(disk, '/x', ''));
      const file = await world.settle(disk.open('/x'));
      await world.settle(file.write(0, [new Uint8Array(5000).fill(7)]));
      node.powerLoss();
      const found = node.disk.peek('/x') ?? new Uint8Array(0);
      if (found.length === 0) fates.add('lost');
      else if (found.length === 5000 && found.every((byte) => byte === 7)) fates.add('kept');
      else fates.add(found.includes(0) ? 'torn with holes' : 'torn at the end');
    }
    expect([...fates].sort()).toEqual(['kept', 'lost', 'torn at the end', 'torn with holes']);
  });

  test('the page cache survives a process crash; the boot id changes at a power loss alone', async () => {
    const { world, node, disk } = setup();
    const file = await world.settle(disk.open('/x', { create: true }));
    await world.settle(file.write(0, [bytes('cached')]));
    const bootId = await world.settle(disk.bootId());
    node.processCrash();
    const second = node.restart().disk;
    expect(text(node.disk.peek('/x'))).toBe('cached');
    expect(await world.settle(second.bootId())).toBe(bootId);
    node.powerLoss();
    expect(await world.settle(node.restart().disk.bootId())).not.toBe(bootId);
  });

  test('new and renamed names are lost with the power unless their folder was synced; a rename is atomic', async () => {
    const outcomes = new Set<string>();
    for (let seed = 0; seed < 40; seed += 1) {
      const { world, node, disk } = setup(seed);
      await world.settle(writeSynced(disk, '/state', 'old'));
      const replacement = await world.settle(disk.open('/state.tmp', { create: true }));
      await world.settle(replacement.write(0, [bytes('new')]));
      await world.settle(replacement.sync());
      await world.settle(disk.rename('/state.tmp', '/state'));
      node.powerLoss();
      outcomes.add(text(node.disk.peek('/state')) ?? 'missing');
    }
    expect([...outcomes].sort()).toEqual(['new', 'old']);
  });

  test('a synced folder keeps its names', async () => {
    for (let seed = 0; seed < 20; seed += 1) {
      const { world, node, disk } = setup(seed);
      await world.settle(writeSynced(disk, '/a', 'content'));
      await world.settle(disk.rename('/a', '/b'));
      await world.settle(disk.syncDir('/'));
      node.powerLoss();
      expect([...node.disk.files()]).toEqual([['/b', 7]]);
      expect(text(node.disk.peek('/b'))).toBe('content');
    }
  });

  test('after a failed sync the data is gone with the power, even if a later sync succeeds', async () => {
    const { world, node, disk } = setup();
    node.disk.survival = { kept: 0, torn: 0 };
    await world.settle(writeSynced(disk, '/x', 'safe'));
    const file = await world.settle(disk.open('/x'));
    await world.settle(file.write(4, [bytes(' and more')]));
    node.disk.inject({ operation: 'sync', code: 'EIO' });
    await expect(world.settle(file.sync())).rejects.toMatchObject({ code: 'EIO' });
    await world.settle(file.sync());
    expect(text(node.disk.peek('/x'))).toBe('safe and more');
    node.powerLoss();
    expect(text(node.disk.peek('/x'))).toBe('safe');
  });

  test('a full disk writes what fits and says ENOSPC', async () => {
    const { world, node, disk } = setup();
    node.disk.capacityBytes = 10;
    const file = await world.settle(disk.open('/x', { create: true }));
    await expect(world.settle(file.write(0, [new Uint8Array(16)]))).rejects.toMatchObject({ code: 'ENOSPC' });
    expect(await world.settle(file.size())).toBe(10);
    node.disk.clearFaults();
    await world.settle(file.write(0, [new Uint8Array(16)]));
  });

  test('a write that fails may have stored a part, and an error taken back does not strike', async () => {
    const { world, node, disk } = setup();
    const file = await world.settle(disk.open('/x', { create: true }));
    const sizes = new Set<number>();
    for (let run = 0; run < 10; run += 1) {
      await world.settle(file.truncate(0));
      node.disk.inject({ operation: 'write', code: 'EIO', isShort: true });
      await expect(world.settle(file.write(0, [new Uint8Array(16)]))).rejects.toMatchObject({ code: 'EIO' });
      sizes.add(await world.settle(file.size()));
    }
    expect(Math.max(...sizes)).toBeGreaterThan(0);
    expect(Math.min(...sizes)).toBeLessThan(16);
    node.disk.inject({ operation: 'write', code: 'EIO' })();
    await world.settle(file.write(0, [new Uint8Array(16)]));
  });

  test('a rotten byte is given back where it still is, and nowhere else', async () => {
    const { world, node, disk } = setup();
    const file = await world.settle(disk.open('/x', { create: true }));
    await world.settle(file.write(0, [Uint8Array.of(1, 2, 3)]));
    const giveBack = node.disk.rot('/x', 1, 0x10);
    expect(node.disk.peek('/x')).toEqual(Uint8Array.of(1, 0x12, 3));
    expect(node.disk.isRotten).toBe(true);
    giveBack();
    expect(node.disk.isRotten).toBe(false);
    expect(node.disk.peek('/x')).toEqual(Uint8Array.of(1, 2, 3));
    const tooLate = node.disk.rot('/x', 1, 0x10);
    await world.settle(file.write(0, [Uint8Array.of(7, 8, 9)]));
    tooLate();
    expect(node.disk.peek('/x')).toEqual(Uint8Array.of(7, 8, 9));
  });

  test('a sync covers only the writes that ended before it began', async () => {
    const { world, node, disk } = setup();
    node.disk.survival = { kept: 0, torn: 0 };
    await world.settle(writeSynced(disk, '/x', ''));
    const file = await world.settle(disk.open('/x'));
    await world.settle(file.write(0, [bytes('one')]));
    const sync = file.sync();
    const write = file.write(3, [bytes('two')]);
    await world.settle(Promise.all([sync, write]));
    node.powerLoss();
    expect(text(node.disk.peek('/x'))).toBe('one');
  });

  test('bit rot, a lying disk and a new disk', async () => {
    const { world, node, ...rest } = setup();
    let { disk } = rest;
    node.disk.survival = { kept: 0, torn: 0 };
    await world.settle(writeSynced(disk, '/x', 'abc'));
    const takeBack = node.disk.rot('/x', 1, 0x20);
    expect(text(node.disk.peek('/x'))).toBe('aBc');
    expect(node.disk.isRotten).toBe(true);
    const early = node.disk.lie('/x');
    await world.settle(writeSynced(disk, '/x', 'xyz'));
    takeBack();
    early.end();
    node.powerLoss();
    expect(text(node.disk.peek('/x'))).toBe('xyz');
    disk = node.restart().disk;
    const lie = node.disk.lie('/x');
    await world.settle(writeSynced(disk, '/x', '1234'));
    const isOver = lie.expose();
    node.powerLoss();
    expect(text(node.disk.peek('/x'))).toBe('\0\0\0\0');
    expect(node.disk.isRotten).toBe(true);
    isOver();
    expect(text(node.disk.peek('/x'))).toBe('1234');
    expect(node.disk.isRotten).toBe(false);
    node.disk.wipe();
    expect([...node.disk.files()]).toEqual([]);
  });

  test('a write that went astray, and is found where it belongs after all', async () => {
    const { world, node, disk } = setup();
    await world.settle(writeSynced(disk, '/x', 'abcdefgh'));
    const takeBack = node.disk.misdirect('/x', 4, 1, 2);
    expect(text(node.disk.peek('/x'))).toBe('aefd\0\0gh');
    expect(node.disk.isRotten).toBe(true);
    takeBack();
    expect(text(node.disk.peek('/x'))).toBe('abcdefgh');
    expect(node.disk.isRotten).toBe(false);
  });

  test('a buffer changed while it is written is reported', async () => {
    const { world, disk } = setup();
    const file = await world.settle(disk.open('/x', { create: true }));
    const part = bytes('stable');
    const write = file.write(0, [part]);
    part[0] = 0;
    await expect(world.settle(write)).rejects.toThrow(/changed while/);
  });
});
