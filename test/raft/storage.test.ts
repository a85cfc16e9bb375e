import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Logger } from '../../src/platform/ports.ts';
import { DiskError } from '../../src/platform/ports.ts';
import { crc32c } from '../../src/protocol/crc32c.ts';
import { snapshotName } from '../../src/raft/snapshot-file.ts';
import { DEFAULT_STORAGE_LIMITS, RaftStorage, type RaftStorageLimits } from '../../src/raft/storage.ts';
import type { Entry, HardState, PersistEffect } from '../../src/raft/types.ts';
import { decodeFrame, encodeFrame } from '../../src/raft/wal-format.ts';
import { MemoryDisk } from './support/memory-disk.ts';

const DIR = 'data/raft';
const WAL = `${DIR}/0000000001.wal`;
const VOTERS = [{ id: 1, directoryId: 'd1' }];
const voterSet = { voters: VOTERS, vacant: [] };

const silent: Logger = { debug() {}, info() {}, warn() {}, error() {}, child: () => silent };

function open(disk: MemoryDisk, limits: Partial<RaftStorageLimits> = {}, crashes: Error[] = []) {
  const crash = (error: Error): never => {
    crashes.push(error);
    throw error;
  };
  const options = { disk, dir: DIR, logger: silent, limits: { ...DEFAULT_STORAGE_LIMITS, ...limits }, crash };
  return RaftStorage.open(options);
}

const entry = (index: number, epoch: number, text = `${index}@${epoch}`): Entry => ({
  index,
  epoch,
  payload: new TextEncoder().encode(text),
});

function persist(storage: RaftStorage, entries: readonly Entry[], hardState?: HardState): Promise<void> {
  const effect: PersistEffect = {
    kind: 'persist',
    hardState,
    snapshot: undefined,
    entries,
    epoch: 0,
    index: 0,
    generation: 0,
  };
  return new Promise((resolve) => storage.persist(effect, resolve));
}

/** A log of a few rounds; `states` is what each number of whole rounds recovers to. */
async function someRounds() {
  const disk = new MemoryDisk();
  const { storage } = await open(disk);
  await storage.initialize('cluster', VOTERS);
  const rounds: [Entry[], HardState | undefined][] = [
    [[entry(1, 1), entry(2, 1)], { epoch: 1, votedFor: { id: 1, directoryId: 'd1' } }],
    [[entry(3, 1), entry(4, 1), entry(5, 1)], undefined],
    [[], { epoch: 2, votedFor: undefined }],
    // Overwrites 3, and with it drops 4 and 5.
    [[entry(3, 2)], undefined],
    [[entry(4, 2, 'a longer payload, so that a cut may fall within it')], { epoch: 3, votedFor: undefined }],
  ];
  const states = [
    { sizeBytes: 0, hardState: { epoch: 0, votedFor: undefined } as HardState, entries: [] as Entry[] },
  ];
  for (const [entries, hardState] of rounds) {
    await persist(storage, entries, hardState);
    const before = states.at(-1);
    const kept = (before?.entries ?? []).filter(
      (old) => old.index < (entries[0]?.index ?? Number.POSITIVE_INFINITY),
    );
    states.push({
      sizeBytes: disk.files.get(WAL)?.length ?? 0,
      hardState: hardState ?? before?.hardState ?? { epoch: 0, votedFor: undefined },
      entries: [...kept, ...entries],
    });
  }
  await storage.close();
  return { disk, states };
}

describe('the write-ahead log', () => {
  it('recovers the longest prefix of whole rounds after a cut at every byte', async () => {
    const { disk, states } = await someRounds();
    const bytes = disk.files.get(WAL) ?? new Uint8Array(0);
    for (let length = 0; length <= bytes.length; length++) {
      const torn = disk.copy();
      torn.files.set(WAL, bytes.slice(0, length));
      const { recovered, storage } = await open(torn);
      const expected = states.findLast((state) => state.sizeBytes <= length);
      expect(recovered?.entries, `cut at ${length}`).toEqual(expected?.entries);
      expect(recovered?.hardState, `cut at ${length}`).toEqual(expected?.hardState);
      // It goes on from there, and what it writes is found again.
      const next = entry((recovered?.entries.at(-1)?.index ?? 0) + 1, 9);
      await persist(storage, [next], { epoch: 9, votedFor: undefined });
      const again = await open(torn);
      expect(again.recovered?.entries).toEqual([...(expected?.entries ?? []), next]);
    }
  });

  it('tells damage from a torn tail: a broken round stops the start, the last one too if it is whole', async () => {
    const { disk } = await someRounds();
    const bytes = disk.files.get(WAL) ?? new Uint8Array(0);
    for (let position = 0; position < bytes.length; position++) {
      const rotten = disk.copy();
      const copy = bytes.slice();
      copy[position] = (copy[position] ?? 0) ^ 0x10;
      rotten.files.set(WAL, copy);
      await expect(open(rotten), `byte ${position}`).rejects.toMatchObject({ code: 'RAFT_LOG_CORRUPT' });
    }
  });

  it('refuses a log whose entries are of an epoch above the one that is noted for votes', async () => {
    const disk = new MemoryDisk();
    const { storage } = await open(disk);
    await storage.initialize('cluster', VOTERS);
    await persist(storage, [entry(1, 1), entry(2, 2)], { epoch: 1, votedFor: undefined });
    await storage.close();
    await expect(open(disk)).rejects.toMatchObject({ code: 'RAFT_LOG_CORRUPT' });
  });

  it('refuses a log without its snapshot, and a damaged snapshot', async () => {
    const { disk } = await someRounds();
    const snapshot = [...disk.files.keys()].find((path) => path.endsWith('.snapshot')) ?? '';
    const bytes = disk.files.get(snapshot) ?? new Uint8Array(0);
    for (let position = 0; position < bytes.length; position++) {
      const rotten = disk.copy();
      const copy = bytes.slice();
      copy[position] = (copy[position] ?? 0) ^ 1;
      rotten.files.set(snapshot, copy);
      await expect(open(rotten), `byte ${position}`).rejects.toMatchObject({ code: 'RAFT_LOG_CORRUPT' });
    }
    disk.files.delete(snapshot);
    await expect(open(disk)).rejects.toMatchObject({ code: 'RAFT_LOG_CORRUPT' });
  });

  it('does not resurrect a tail whose truncation lies at or below the snapshot (etcd 22442)', async () => {
    const disk = new MemoryDisk();
    const { storage } = await open(disk);
    await storage.initialize('cluster', VOTERS);
    await persist(
      storage,
      [1, 2, 3, 4, 5, 6, 7].map((index) => entry(index, 1)),
      { epoch: 1, votedFor: undefined },
    );
    await persist(storage, [entry(3, 2), entry(4, 2)], { epoch: 2, votedFor: undefined });
    await storage.saveSnapshot({ index: 4, epoch: 2, voterSet }, [new Uint8Array(3)]);
    await storage.close();
    const { recovered } = await open(disk);
    expect(recovered?.header).toMatchObject({ index: 4, epoch: 2 });
    expect(recovered?.entries).toEqual([]);
  });

  it('keeps what is appended after a log that did not lead up to an installed snapshot', async () => {
    const disk = new MemoryDisk();
    const { storage } = await open(disk);
    await storage.initialize('cluster', VOTERS);
    await persist(storage, [entry(1, 1), entry(2, 1)], { epoch: 5, votedFor: undefined });
    // The snapshot's file became durable, and the process died before the log said so.
    await storage.saveSnapshot({ index: 10, epoch: 4, voterSet }, [new Uint8Array(3)]);
    await storage.close();
    const second = await open(disk);
    expect(second.recovered).toMatchObject({ header: { index: 10 }, entries: [], hardState: { epoch: 5 } });
    await persist(second.storage, [entry(11, 5)]);
    await second.storage.close();
    expect((await open(disk)).recovered?.entries).toEqual([entry(11, 5)]);
  });

  it('joins everything that arrives during a sync into the next round', async () => {
    const disk = new MemoryDisk();
    const { storage } = await open(disk);
    await storage.initialize('cluster', VOTERS);
    await persist(storage, [entry(1, 1)], { epoch: 1, votedFor: undefined });
    const before = disk.syncs;
    await Promise.all([2, 3, 4, 5, 6].map((index) => persist(storage, [entry(index, 1)])));
    expect(disk.syncs - before).toBe(1);
  });

  it('ends the process on a failed sync, and promises nothing', async () => {
    const disk = new MemoryDisk();
    const crashes: Error[] = [];
    const { storage } = await open(disk, {}, crashes);
    await storage.initialize('cluster', VOTERS);
    disk.syncError = new DiskError('EIO', WAL, 'injected');
    let synced = false;
    let replied = false;
    void persist(storage, [entry(1, 1)]).then(() => {
      synced = true;
    });
    storage.afterSync(() => {
      replied = true;
    });
    await expect(storage.close()).rejects.toBe(disk.syncError);
    expect(crashes).toEqual([disk.syncError]);
    expect({ synced, replied }).toEqual({ synced: false, replied: false });
  });
});

const operation = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ kind: fc.constant('append' as const), count: fc.integer({ min: 1, max: 4 }) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('overwrite' as const), back: fc.integer({ min: 1, max: 6 }) }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('snapshot' as const), back: fc.nat(4) }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('install' as const), ahead: fc.integer({ min: 1, max: 5 }) }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('reopen' as const) }) },
);

describe('recovery against a dumb model', () => {
  it('equals memory after any run of appends, overwrites, snapshots, installs and restarts', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(operation, { maxLength: 40 }), async (operations) => {
        const disk = new MemoryDisk();
        // Files of a few rounds, so that they rotate and go.
        const limits = { walFileBytes: 200 };
        let { storage } = await open(disk, limits);
        await storage.initialize('cluster', VOTERS);
        let base = { index: 0, epoch: 0 };
        let log: Entry[] = [];
        let epoch = 1;
        for (const next of operations) {
          const last = base.index + log.length;
          if (next.kind === 'append') {
            const added = Array.from({ length: next.count }, (_, at) => entry(last + 1 + at, epoch));
            log.push(...added);
            await persist(storage, added, { epoch, votedFor: undefined });
          } else if (next.kind === 'overwrite') {
            const index = Math.max(base.index + 1, last - next.back);
            epoch++;
            log = [...log.filter((old) => old.index < index), entry(index, epoch)];
            await persist(storage, [entry(index, epoch)], { epoch, votedFor: undefined });
          } else if (next.kind === 'snapshot') {
            const at = log[Math.max(0, log.length - 1 - next.back)];
            if (!at) continue;
            await storage.saveSnapshot({ index: at.index, epoch: at.epoch, voterSet }, [new Uint8Array(2)]);
            base = { index: at.index, epoch: at.epoch };
            log = log.filter((old) => old.index > at.index);
            storage.compact(at.index);
          } else if (next.kind === 'install') {
            epoch++;
            base = { index: last + next.ahead, epoch };
            log = [];
            const meta = { ...base, sizeBytes: 0, crc: 0, voterSet };
            const snapshot = { meta, bytes: new Uint8Array(0) };
            const hardState = { epoch, votedFor: undefined };
            const effect = {
              kind: 'persist',
              hardState,
              snapshot,
              entries: [],
              epoch,
              index: 0,
              generation: 0,
            } as const;
            await new Promise<void>((resolve) => storage.persist(effect, resolve));
          } else {
            await storage.close();
            const reopened = await open(disk, limits);
            storage = reopened.storage;
            expect(reopened.recovered?.header).toMatchObject(base);
            expect(reopened.recovered?.entries).toEqual(log);
          }
        }
        await storage.close();
        const { recovered } = await open(disk, limits);
        expect(recovered?.header).toMatchObject(base);
        expect(recovered?.entries).toEqual(log);
      }),
      { numRuns: 200 },
    );
  });
});

describe('other releases', () => {
  it('find the voters where the first ones looked for them', async () => {
    const disk = new MemoryDisk();
    const { storage } = await open(disk);
    await storage.initialize('cluster', VOTERS);
    await storage.close();
    const path = `${DIR}/${snapshotName(0)}`;
    const file = await disk.open(path);
    const text = new TextDecoder().decode((await file.read(0, await file.size())).subarray(8));
    expect(JSON.parse(text)).toMatchObject({ voters: VOTERS });
  });

  it('write records that this one does not know: it stops, rather than to cut them off', async () => {
    const frame = encodeFrame([{ kind: 'entry', entry: entry(1, 1) }], 1, 0);
    frame[16] = 9;
    new DataView(frame.buffer).setUint32(0, crc32c(frame, 4));
    expect(() => decodeFrame(frame, 1, 0)).toThrow(expect.objectContaining({ code: 'CATALOGUE_TOO_OLD' }));
  });
});

describe('the voter set', () => {
  it('is recovered with its entry, and with the snapshot that replaced the entry', async () => {
    const disk = new MemoryDisk();
    const { storage } = await open(disk);
    await storage.initialize('cluster', VOTERS);
    const added = { id: 2, directoryId: 'd2', endpoint: { host: 'there', port: 7002 } };
    const next = { voters: [...VOTERS, added], vacant: [{ id: 3, directoryId: 'd3' }] };
    const change = { index: 2, epoch: 1, payload: new Uint8Array(0), voterSet: next };
    await persist(storage, [entry(1, 1), change], { epoch: 1, votedFor: undefined });
    await storage.close();
    const { storage: again, recovered } = await open(disk);
    expect(recovered?.header.voterSet).toEqual(voterSet);
    expect(recovered?.entries).toEqual([entry(1, 1), change]);
    await again.saveSnapshot({ index: 2, epoch: 1, voterSet: next }, [new Uint8Array(2)]);
    await again.close();
    expect((await open(disk)).recovered?.header.voterSet).toEqual(next);
  });
});
