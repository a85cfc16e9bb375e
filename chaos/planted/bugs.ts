/**
 * Planted bugs: each brings one row of HAZARDS back by changing one place of the product's text while it is bundled, so
 * that the production code carries no trace of it. `bundle.ts` applies them, `hunt.ts` looks how many seeds it takes
 * until a check trips. A check that no planted bug has ever tripped is not a check.
 */
import type { ScenarioName } from '../scenarios.ts';

export interface PlantedBug {
  readonly name: string;
  /** The row of HAZARDS, or where it was found. */
  readonly row: string;
  readonly file: string;
  /** Must occur exactly once. */
  readonly replace: string;
  readonly by: string;
  readonly scenario: ScenarioName;
  /** It must be caught within so many seeds. */
  readonly seedsMax: number;
}

export const PLANTED_BUGS: readonly PlantedBug[] = [
  {
    name: 'vote not synced',
    row: 'double vote',
    file: 'src/raft/election.ts',
    replace: "s.reply(token, { type: 'vote', epoch: s.epoch, granted }, { afterSync: true });",
    by: "s.reply(token, { type: 'vote', epoch: s.epoch, granted }, { afterSync: false });",
    scenario: 'votes',
    seedsMax: 300,
  },
  {
    name: 'acknowledged before the ISR has it',
    row: 'the first invariant of replication',
    file: 'src/replication/partition-leader.ts',
    replace: 'get acknowledgedOffset(): number {\n    return this.#highWatermark;',
    by: 'get acknowledgedOffset(): number {\n    return this.#log.syncedOffset;',
    scenario: 'any',
    seedsMax: 50,
  },
  {
    name: 'truncated to the high watermark',
    row: 'KIP-101',
    file: 'src/replication/partition.ts',
    replace: 'const synced = followed.synced();',
    by: 'void log.truncateTo(log.highWatermark);\n    const synced = followed.synced();',
    scenario: 'failovers',
    seedsMax: 50,
  },
  {
    name: 'high watermark of the old ISR',
    row: 'maximal ISR (KIP-497)',
    file: 'src/replication/partition-leader.ts',
    replace: 'const counted = this.#isr.maximal;',
    by: 'const counted = this.#isr.committed;',
    scenario: 'joining',
    seedsMax: 300,
  },
  {
    name: 'old epoch committed by counting',
    row: 'old-epoch commit (Raft figure 8)',
    file: 'src/raft/commit.ts',
    replace: 'if (s.log.epochAt(index) !== s.epoch) return false;',
    by: '',
    scenario: 'elections',
    seedsMax: 300,
  },
  {
    name: 'leader counts what it has not synced',
    row: 'sync order',
    file: 'src/replication/partition-leader.ts',
    replace: 'let offset = this.#log.syncedOffset;',
    by: 'let offset = this.#log.logEndOffset;',
    scenario: 'any',
    seedsMax: 50,
  },
  {
    name: 'follower fetches before it synced',
    row: 'sync order',
    file: 'src/replication/replica-fetcher.ts',
    replace: 'for (const followed of touched) await followed.synced();',
    by: '',
    scenario: 'any',
    seedsMax: 50,
  },
  {
    name: 'deposed leader fetches before it synced',
    row: 'found by the simulator, seed 11',
    file: 'src/replication/partition.ts',
    replace: 'const synced = followed.synced();',
    by: 'const synced = undefined as Promise<void> | undefined;',
    scenario: 'failovers',
    seedsMax: 300,
  },
  {
    name: 'log not synced',
    row: 'durability is the default',
    file: 'src/log/log-files.ts',
    replace: 'if (sync) await file.sync();',
    by: '',
    scenario: 'any',
    seedsMax: 50,
  },
  {
    name: 'name of the data folder not synced',
    row: 'found by the simulator, seed 1',
    file: 'src/server/identity.ts',
    replace: 'await disk.syncDir(parentOf(dir));',
    by: '',
    scenario: 'any',
    seedsMax: 10,
  },
  {
    name: 'fenced replica joins the ISR',
    row: 'KIP-841',
    file: 'src/controller/in-sync-replicas.ts',
    replace: 'if (!isActive(image, member.brokerId)) return false;',
    by: '',
    scenario: 'joining',
    seedsMax: 300,
  },
  {
    name: 'repeated batch appended again',
    row: 'idempotence lost on fail-over',
    file: 'src/log/producer-states.ts',
    replace: 'if (duplicate !== undefined) return duplicate;',
    by: 'if (duplicate !== undefined) return undefined;',
    scenario: 'failovers',
    seedsMax: 100,
  },
  {
    name: 'partition granted before it was released',
    row: 'ownership',
    file: 'src/coordinator/reconcile.ts',
    replace: 'if (!assigned.has(key) && !input.heldByOthers.has(key)) assigned.add(key);',
    by: 'if (!assigned.has(key)) assigned.add(key);',
    scenario: 'any',
    seedsMax: 50,
  },
  {
    name: 'metadata asked for is forgotten',
    row: 'found by the simulator, seed 18',
    file: 'src/client/cluster.ts',
    replace: 'this.#isRefreshing = false;\n    // Whatever',
    by: 'void Promise.resolve().then(() => Promise.resolve()).then(() => { this.#isRefreshing = false; });\n    // Whatever',
    scenario: 'failovers',
    seedsMax: 300,
  },
  {
    name: 'quorum leader counts what it has not synced',
    row: 'sync order',
    file: 'src/raft/commit.ts',
    replace: 'return s.log.syncedIndex;',
    by: 'return s.log.lastIndex;',
    scenario: 'votes',
    seedsMax: 300,
  },
  {
    name: 'quorum follower answers before it synced',
    row: 'sync order',
    file: 'src/raft/follower.ts',
    replace: 's.reply(token, response, { afterSync });',
    by: 's.reply(token, response, { afterSync: false });',
    scenario: 'votes',
    seedsMax: 300,
  },
  {
    name: 'consumers read beyond the high watermark',
    row: 'reads bounded by the high watermark',
    file: 'src/replication/led-partition.ts',
    replace: 'isFollower ? this.#log.logEndOffset : this.#log.highWatermark;',
    by: 'this.#log.logEndOffset;',
    scenario: 'failovers',
    seedsMax: 300,
  },
  {
    name: 'nodes outside the quorum never join',
    row: 'found by the simulator, seed 7',
    file: 'src/raft/core.ts',
    replace: 'followLeader(s, leader.id, nowMs);',
    by: 'armRetryTimer(s, nowMs);',
    scenario: 'any',
    seedsMax: 50,
  },
  {
    name: 'quorum log not written again after a failed sync',
    row: 'failed fsync (ATC 20); found by the simulator, seed 7 of the long plans',
    file: 'src/raft/wal-recovery.ts',
    replace: 'await file.write(lastPosition, [bytes.subarray(lastPosition, position)]);',
    by: '',
    scenario: 'failedSyncs',
    seedsMax: 300,
  },
];
