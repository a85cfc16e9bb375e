import type { Anomaly, Commit, History, Ownership } from './history.ts';
import type { Versions } from './versions.ts';

/** A commit that began after another had ended must not be lower. */
export function commitsGoingBack(history: History): Anomaly[] {
  const ended = new Map<string, Commit[]>();
  return history.flatMap((commit) => {
    if (commit.type !== 'commit' || commit.outcome !== 'ok') return [];
    const key = `${commit.group} ${commit.partition}`;
    const earlier = ended.get(key) ?? [];
    ended.set(key, [...earlier.filter(({ offset }) => offset > commit.offset), commit]);
    const higher = earlier.find((other) => other.offset > commit.offset && other.endedAt < commit.startedAt);
    if (higher === undefined) return [];
    const message = `${key}: ${higher.member} committed ${higher.offset}, then ${commit.member} ${commit.offset}`;
    return [{ rule: 'committed offset goes back', message }];
  });
}

/** The first record that a new owner gets is the one at the committed offset, neither before nor past it. */
export function ownersStartingElsewhere(history: History, { orders }: Versions): Anomaly[] {
  const anomalies: Anomaly[] = [];
  const commits = commitsByPartition(history);
  const fresh = new Map<string, Ownership>();
  for (const operation of history) {
    if (operation.type === 'assigned') {
      for (const partition of operation.partitions) fresh.set(`${operation.member} ${partition}`, operation);
    }
    if (operation.type !== 'poll') continue;
    for (const { partition, offset } of operation.records) {
      const owner = `${operation.reader} ${partition}`;
      const start = fresh.get(owner);
      if (start === undefined) continue;
      fresh.delete(owner);
      const allowed = startsAllowed(commits.get(`${start.group} ${partition}`) ?? [], start.at);
      if (allowed.some((each) => orders.get(partition)?.atOrAfter(each) === offset)) continue;
      const message = `${owner} began at ${offset}, committed was ${allowed.join(' or ')}`;
      anomalies.push({ rule: 'owner starts elsewhere', message });
    }
  }
  return anomalies;
}

function commitsByPartition(history: History): Map<string, Commit[]> {
  const commits = new Map<string, Commit[]>();
  for (const operation of history) {
    if (operation.type !== 'commit' || operation.outcome === 'failed') continue;
    const key = `${operation.group} ${operation.partition}`;
    commits.set(key, [...(commits.get(key) ?? []), operation]);
  }
  return commits;
}

/**
 * What an owner from the moment `at` on may find: every commit begun before that is not surely replaced by a later one;
 * offset 0 when there is no commit that surely took effect.
 */
function startsAllowed(commits: readonly Commit[], at: number): number[] {
  const begun = commits.filter(({ startedAt }) => startedAt <= at);
  const done = begun.filter(({ outcome, endedAt }) => outcome === 'ok' && endedAt <= at);
  const current = begun.filter(({ endedAt }) => !done.some((later) => later.startedAt >= endedAt));
  return [...(done.length === 0 ? [0] : []), ...current.map(({ offset }) => offset)];
}

/** Two members hold a partition at once, and the first of them never learned that it had lost it. */
export function twoOwners(history: History): Anomaly[] {
  const anomalies: Anomaly[] = [];
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

const isOwnership = (operation: History[number]): operation is Ownership =>
  operation.type === 'assigned' || operation.type === 'revoked' || operation.type === 'lost';
