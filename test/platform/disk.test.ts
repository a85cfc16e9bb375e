import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { SimWorld } from '../../chaos/sim/world.ts';
import { nodeDisk } from '../../src/platform/disk.ts';
import { MemoryDisk } from '../../src/platform/memory-disk.ts';
import { type Disk, DiskError } from '../../src/platform/ports.ts';

const PATHS = ['/a', '/b', '/f', '/f/a', '/f/b', '/f/g', '/f/g/a'];
const path = fc.constantFrom(...PATHS);
const position = fc.integer({ min: 0, max: 40 });

type Step = readonly [name: string, act: (disk: Disk, root: string) => Promise<unknown>];

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.tuple(path, fc.boolean(), position, fc.array(fc.uint8Array({ maxLength: 20 }), { maxLength: 3 })).map(
    ([name, create, at, parts]): Step => [
      `write ${name} create ${create} at ${at}, ${parts.map(({ length }) => length)}`,
      async (disk, root) => {
        const file = await disk.open(root + name, { create });
        try {
          await file.write(at, parts);
          await file.sync();
          return await file.size();
        } finally {
          await file.close();
        }
      },
    ],
  ),
  fc.tuple(path, position, position).map(
    ([name, at, length]): Step => [
      `read ${name} at ${at}, ${length}`,
      async (disk, root) => {
        const file = await disk.open(root + name);
        const bytes = await file.read(at, length);
        await file.close();
        return [...bytes];
      },
    ],
  ),
  fc.tuple(path, position).map(
    ([name, length]): Step => [
      `truncate ${name} to ${length}`,
      async (disk, root) => {
        const file = await disk.open(root + name);
        await file.truncate(length);
        await file.close();
      },
    ],
  ),
  path.map((name): Step => [`mkdir ${name}`, (disk, root) => disk.mkdir(root + name)]),
  path.map((name): Step => [`readDir ${name}`, (disk, root) => disk.readDir(root + name)]),
  path.map((name): Step => [`exists ${name}`, (disk, root) => disk.exists(root + name)]),
  path.map((name): Step => [`remove ${name}`, (disk, root) => disk.remove(root + name)]),
  path.map((name): Step => [`syncDir ${name}`, (disk, root) => disk.syncDir(root + name)]),
  fc
    .tuple(path, path)
    .map(([from, to]): Step => [`rename ${from} ${to}`, (disk, root) => disk.rename(root + from, root + to)]),
);

/** The result of a step, or the code of its error. */
async function outcome(result: Promise<unknown>): Promise<unknown> {
  try {
    return (await result) ?? 'done';
  } catch (error) {
    if (error instanceof DiskError) return error.code;
    throw error;
  }
}

describe('the disk', () => {
  test('the simulated one and the one in memory behave as the real one', async () => {
    const base = await mkdtemp(join(tmpdir(), 'odradek-disk-'));
    let run = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 25, size: 'max' }), async (steps) => {
        run += 1;
        const root = `${base}/${run}`;
        const world = new SimWorld({ seed: run });
        const simDisk = world.node('a').platform.disk;
        const memoryDisk = new MemoryDisk();
        await nodeDisk.mkdir(root);
        await memoryDisk.mkdir('/root');
        await world.settle(simDisk.mkdir('/root'));
        for (const [name, act] of steps) {
          const real = await outcome(act(nodeDisk, root));
          const simulated = await world.settle(outcome(act(simDisk, '/root')));
          expect(simulated, name).toEqual(real);
          expect(await outcome(act(memoryDisk, '/root')), name).toEqual(real);
        }
      }),
      { numRuns: 150 },
    );
    await rm(base, { recursive: true });
  });

  test('errors carry the errno name and the path', async () => {
    const missing = join(tmpdir(), 'odradek-not-there', 'x');
    await expect(nodeDisk.open(missing, { create: true })).rejects.toMatchObject({
      name: 'DiskError',
      code: 'ENOENT',
      path: missing,
    });
  });

  test('many parts are written as one, and read back', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'odradek-disk-'));
    const parts = Array.from({ length: 3000 }, (_, index) => new Uint8Array(index % 7).fill(index));
    const file = await nodeDisk.open(`${folder}/x`, { create: true });
    await file.write(5, parts);
    expect(Buffer.from(await file.read(5, 100_000))).toEqual(Buffer.concat(parts));
    await file.close();
    await rm(folder, { recursive: true });
  });

  test('the boot id is stable', async () => {
    expect(await nodeDisk.bootId()).toBe(await nodeDisk.bootId());
  });
});
