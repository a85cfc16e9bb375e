import type { Anomaly, Commit, History, Operation, Ownership } from './history.ts';
import type { Versions } from './versions.ts';

/** A commit that began after another had ended must not be lower, unless somebody meant to set the offset back. */
export function commitsGoingBack(history: History): Anomaly[] {
  const anomalies: Anomaly[] = [];
  const resets = commitsByPartition(history, ({ isReset }) => isReset === true);
  const ended = new Map<string, Commit[]>();
  for (const commit of history) {
    if (commit.type !== 'commit' || commit.outcome !== 'ok' || commit.isReset) continue;
    const key = keyOf(commit);
    const earlier = ended.get(key) ?? [];
    ended.set(key, [...earlier.filter(({ offset }) => offset > commit.offset), commit]);
    const higher = earlier.find((other) => other.offset > commit.offset && other.endedAt < commit.startedAt);
    if (higher === undefined || resets.get(key)?.some((reset) => isBetween(reset, higher, commit))) continue;
    const message = `${key}: ${higher.member} committed ${higher.offset}, then ${commit.member} ${commit.offset}`;
    anomalies.push({ rule: 'committed offset goes back', message });
  }
  return anomalies;
}

const isBetween = (reset: Commit, earlier: Commit, later: Commit) =>
  reset.startedAt <= later.endedAt && (reset.outcome === 'unknown' || reset.endedAt >= earlier.startedAt);

const keyOf = ({ group, partition }: Commit) => `${group} ${partition}`;

/** The first record that a new owner gets is the one at the committed offset, neither before nor past it. */
export function ownersStartingElsewhere(history: History, { orders, starts }: Versions): Anomaly[] {
  const anomalies: Anomaly[] = [];
  const commits = new Map(
    [...commitsByPartition(history, () => true)].map(([key, each]) => [key, new CommitTimes(each)]),
  );
  const fresh = new Map<string, Ownership>();
  let place = -1;
  for (const operation of history) {
    place += 1;
    if (operation.type === 'assigned') {
      for (const partition of operation.partitions) fresh.set(`${operation.member} ${partition}`, operation);
    }
    if (operation.type !== 'poll') continue;
    for (const { partition, offset } of operation.records) {
      const owner = `${operation.reader} ${partition}`;
      const start = fresh.get(owner);
      if (start === undefined) continue;
      fresh.delete(owner);
      const allowed = commits.get(`${start.group} ${partition}`)?.offsetsAt(start.at) ?? [0];
      const order = orders.get(partition);
      // What it had yet to read may have been deleted: then it begins where the log does.
      const before = order?.offsets[order.rankOf(offset) - 1] ?? -1;
      const isAllowed = (each: number) =>
        order?.atOrAfter(each) === offset || (offset > each && before < starts.mostAt(partition, place));
      if (allowed.some(isAllowed)) continue;
      const message = `${owner} began at ${offset}, committed was ${allowed.join(' or ')}`;
      anomalies.push({ rule: 'owner starts elsewhere', message });
    }
  }
  return anomalies;
}

function commitsByPartition(history: History, isWanted: (commit: Commit) => boolean): Map<string, Commit[]> {
  const commits = new Map<string, Commit[]>();
  for (const operation of history) {
    if (operation.type !== 'commit' || operation.outcome === 'failed' || !isWanted(operation)) continue;
    const key = keyOf(operation);
    const ofPartition = commits.get(key);
    if (ofPartition) ofPartition.push(operation);
    else commits.set(key, [operation]);
  }
  return commits;
}

/** All commits of a group in a partition, to be asked what somebody may find at a time. */
class CommitTimes {
  readonly #byStart: readonly Commit[];
  /** Of each commit and all that began before it, when the last one ended. */
  readonly #endedBy: readonly number[];

  constructor(commits: readonly Commit[]) {
    this.#byStart = commits.toSorted((a, b) => a.startedAt - b.startedAt);
    let last = Number.NEGATIVE_INFINITY;
    this.#endedBy = this.#byStart.map(({ endedAt }) => {
      last = Math.max(last, endedAt);
      return last;
    });
  }

  /**
   * What an owner from the moment `at` on may find: every commit begun before that is not surely replaced by a later
   * one; offset 0 when there is no commit that surely took effect.
   */
  offsetsAt(at: number): number[] {
    const begun = this.#countBegun(at);
    const replacedAt = this.#newestDone(begun, at)?.startedAt;
    const offsets = replacedAt === undefined ? [0] : [];
    for (let index = begun - 1; index >= 0 && (this.#endedBy[index] ?? 0) > (replacedAt ?? -1); index -= 1) {
      const { endedAt, offset } = this.#byStart[index] as Commit;
      if (endedAt > (replacedAt ?? -1)) offsets.push(offset);
    }
    return offsets;
  }

  #newestDone(begun: number, at: number): Commit | undefined {
    for (let index = begun - 1; index >= 0; index -= 1) {
      const commit = this.#byStart[index];
      if (commit?.outcome === 'ok' && commit.endedAt <= at) return commit;
    }
    return undefined;
  }

  #countBegun(at: number): number {
    let low = 0;
    let high = this.#byStart.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#byStart[middle] as Commit).startedAt <= at) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/**
 * Two members got a partition in the same generation; or they hold it at once, and the first of them never learned that
 * it had lost it.
 */
export function twoOwners(history: History): Anomaly[] {
  const anomalies = twoInOneGeneration(history);
  const holders = new Map<string, Map<string, { overlappedBy: string | undefined }>>();
  for (const operation of history) {
    if (!isOwnership(operation)) continue;
    for (const partition of operation.partitions) {
      const key = `${operation.group} ${partition}`;
      const ofPartition = holders.get(key) ?? new Map<string, { overlappedBy: string | undefined }>();
      holders.set(key, ofPartition);
      if (operation.type === 'assigned') {
        for (const [, holder] of ofPartition) holder.overlappedBy ??= operation.member;
        ofPartition.set(operation.member, { overlappedBy: undefined });
        continue;
      }
      const held = ofPartition.get(operation.member);
      ofPartition.delete(operation.member);
      if (operation.type === 'revoked' && held?.overlappedBy !== undefined)
        anomalies.push({
          rule: 'two owners',
          message: `${key}: ${operation.member} and ${held.overlappedBy}`,
        });
    }
  }
  for (const [key, ofPartition] of holders) {
    for (const [member, { overlappedBy }] of ofPartition) {
      if (overlappedBy !== undefined)
        anomalies.push({ rule: 'two owners', message: `${key}: ${member} and ${overlappedBy}, to the end` });
    }
  }
  return anomalies;
}

function twoInOneGeneration(history: History): Anomaly[] {
  const anomalies: Anomaly[] = [];
  const owners = new Map<string, string>();
  for (const operation of history) {
    if (operation.type !== 'assigned' || operation.generation === undefined) continue;
    for (const partition of operation.partitions) {
      const key = `${operation.group} ${partition} in generation ${operation.generation}`;
      const first = owners.get(key) ?? operation.member;
      owners.set(key, first);
      if (first === operation.member) continue;
      anomalies.push({ rule: 'two owners', message: `${key}: ${first} and ${operation.member}` });
    }
  }
  return anomalies;
}

const isOwnership = (operation: Operation): operation is Ownership =>
  operation.type === 'assigned' || operation.type === 'revoked' || operation.type === 'lost';
