import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MemoryDisk } from '../../src/platform/memory-disk.ts';

const NAMES = ['a', 'b'];
const name = fc.constantFrom(...NAMES);
const position = fc.integer({ min: 0, max: 12 });

/** What a folder holds: bytes by file. The model is as dumb as can be: whole copies, replaced at each sync. */
class Model {
  live = new Map<string, { bytes: number[]; synced: number[] }>();
  durableNames = new Map<string, { bytes: number[]; synced: number[] }>();

  file(path: string) {
    const file = this.live.get(path) ?? { bytes: [], synced: [] };
    this.live.set(path, file);
    return file;
  }

  powerLoss(): void {
    this.live = new Map(this.durableNames);
    for (const file of this.live.values()) file.bytes = [...file.synced];
  }
}

interface Step {
  readonly label: string;
  readonly onDisk: (disk: MemoryDisk) => Promise<unknown>;
  readonly onModel: (model: Model) => void;
}

async function withFile(
  disk: MemoryDisk,
  path: string,
  act: (file: Awaited<ReturnType<MemoryDisk['open']>>) => unknown,
) {
  const file = await disk.open(`/d/${path}`, { create: true });
  await act(file);
  await file.close();
}

const write: fc.Arbitrary<Step> = fc
  .tuple(name, position, fc.uint8Array({ minLength: 1, maxLength: 6 }))
  .map(([path, at, bytes]) => ({
    label: `write ${path} at ${at}, ${bytes.length}`,
    onDisk: (disk: MemoryDisk) => withFile(disk, path, (file) => file.write(at, [bytes])),
    onModel: (model: Model) => {
      const file = model.file(path);
      while (file.bytes.length < at) file.bytes.push(0);
      file.bytes.splice(at, bytes.length, ...bytes);
    },
  }));

const truncate: fc.Arbitrary<Step> = fc.tuple(name, position).map(([path, length]) => ({
  label: `truncate ${path} to ${length}`,
  onDisk: (disk: MemoryDisk) => withFile(disk, path, (file) => file.truncate(length)),
  onModel: (model: Model) => {
    const file = model.file(path);
    file.bytes = Array.from({ length }, (_, index) => file.bytes[index] ?? 0);
  },
}));

const syncFile: fc.Arbitrary<Step> = name.map((path) => ({
  label: `sync ${path}`,
  onDisk: (disk: MemoryDisk) => withFile(disk, path, (file) => file.sync()),
  onModel: (model: Model) => {
    const file = model.file(path);
    file.synced = [...file.bytes];
  },
}));

const remove: fc.Arbitrary<Step> = name.map((path) => ({
  label: `remove ${path}`,
  onDisk: (disk: MemoryDisk) => disk.remove(`/d/${path}`),
  onModel: (model: Model) => void model.live.delete(path),
}));

const rename: fc.Arbitrary<Step> = fc.tuple(name, name).map(([from, to]) => ({
  label: `rename ${from} ${to}`,
  onDisk: (disk: MemoryDisk) => disk.rename(`/d/${from}`, `/d/${to}`).catch(() => {}),
  onModel: (model: Model) => {
    const file = model.live.get(from);
    if (file === undefined) return;
    model.live.delete(from);
    model.live.set(to, file);
  },
}));

const syncFolder: fc.Arbitrary<Step> = fc.constant({
  label: 'sync the folder',
  onDisk: (disk: MemoryDisk) => disk.syncDir('/d'),
  onModel: (model: Model) => {
    model.durableNames = new Map(model.live);
  },
});

const powerLoss: fc.Arbitrary<Step> = fc.constant({
  label: 'power loss',
  onDisk: async (disk: MemoryDisk) => disk.powerLoss(),
  onModel: (model: Model) => model.powerLoss(),
});

const step = fc.oneof(
  { weight: 6, arbitrary: write },
  { weight: 2, arbitrary: truncate },
  { weight: 3, arbitrary: syncFile },
  { weight: 1, arbitrary: remove },
  { weight: 1, arbitrary: rename },
  { weight: 3, arbitrary: syncFolder },
  { weight: 2, arbitrary: powerLoss },
);

async function contents(disk: MemoryDisk): Promise<[string, number[]][]> {
  const found: [string, number[]][] = [];
  for (const path of await disk.readDir('/d')) {
    const file = await disk.open(`/d/${path}`);
    found.push([path, [...(await file.read(0, 1000))]]);
    await file.close();
  }
  return found;
}

describe('the disk in memory', () => {
  test('a power loss leaves what was synced, names and bytes, and nothing else', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40, size: 'max' }), async (steps) => {
        const disk = new MemoryDisk();
        await disk.mkdir('/d');
        await disk.syncDir('/');
        const model = new Model();
        for (const { onDisk, onModel } of steps) {
          await onDisk(disk);
          onModel(model);
          const expected = [...model.live].map(([path, { bytes }]) => [path, bytes]).sort();
          expect((await contents(disk)).sort()).toEqual(expected);
        }
      }),
      { numRuns: 300 },
    );
  });

  test('a folder whose name was not synced is gone with all in it', async () => {
    const disk = new MemoryDisk();
    await disk.mkdir('/d/e');
    await withFile(disk, 'x', (file) => file.sync());
    await disk.syncDir('/d');
    disk.powerLoss();
    expect(await disk.exists('/d')).toBe(false);
  });

  test('a move between folders is in one of them after a power loss, never in both', async () => {
    const disk = new MemoryDisk();
    for (const path of ['/d', '/e']) await disk.mkdir(path);
    await withFile(disk, 'x', (file) => file.sync());
    for (const path of ['/', '/d', '/e']) await disk.syncDir(path);
    await disk.rename('/d/x', '/e/x');
    await disk.syncDir('/e');
    disk.powerLoss();
    expect([await disk.readDir('/d'), await disk.readDir('/e')]).toEqual([[], ['x']]);
  });

  test('the boot differs after a power loss, and a closed file is refused', async () => {
    const disk = new MemoryDisk();
    const boot = await disk.bootId();
    disk.powerLoss();
    expect(await disk.bootId()).not.toBe(boot);
    const file = await disk.open('/x', { create: true });
    await file.close();
    await expect(file.size()).rejects.toMatchObject({ code: 'EBADF', path: '/x' });
  });
});
