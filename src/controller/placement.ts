/**
 * Where new replicas go. Greedy: one after the other, each where its topic has the least so far, so that leaders and
 * replicas of a topic are spread evenly whatever else the cluster holds; what the cluster holds decides between equals.
 * The replicas of one partition are spread over the racks first.
 */

import type { MetadataImage, PartitionImage } from '../metadata/image.ts';

/** A broker that can take replicas. */
export interface Site {
  readonly id: number;
  readonly rack: string | null;
}

export interface PlacementRequest {
  /** At least `replicationFactor` of them. */
  readonly sites: readonly Site[];
  readonly partitions: number;
  readonly replicationFactor: number;
  /** Replicas of partitions that the topic has already. */
  readonly topicSoFar: readonly (readonly number[])[];
  /** Partitions per broker in the whole cluster, the topic included. */
  readonly clusterLoad: ReadonlyMap<number, Load>;
  /** In [0, 1): which of equal brokers comes first. */
  readonly start: number;
}

export interface Load {
  leaders: number;
  replicas: number;
}

interface Candidate {
  readonly id: number;
  readonly rack: string | null;
  /** The position after rotation by the random start. */
  readonly rank: number;
  readonly inTopic: Load;
  readonly inCluster: Load;
  /** How often this broker is second in line, by leader: the load of a lost broker should go to many. */
  readonly secondTo: Map<number, number>;
}

/** The replicas of each new partition, the preferred leader first. */
export function place(request: PlacementRequest): number[][] {
  const candidates = candidatesOf(request);
  return Array.from({ length: request.partitions }, () => placeOne(candidates, request.replicationFactor));
}

function candidatesOf({ sites, topicSoFar, clusterLoad, start }: PlacementRequest): Candidate[] {
  const sorted = [...sites].sort((a, b) => a.id - b.id);
  const offset = Math.floor(start * sorted.length);
  const candidates = sorted.map(({ id, rack }, i): Candidate => {
    const inCluster = { ...(clusterLoad.get(id) ?? { leaders: 0, replicas: 0 }) };
    const rank = (i - offset + sorted.length) % sorted.length;
    return { id, rack, rank, inTopic: { leaders: 0, replicas: 0 }, inCluster, secondTo: new Map() };
  });
  for (const replicas of topicSoFar) {
    const chosen = replicas.map((id) => candidates.find((candidate) => candidate.id === id));
    count(chosen, (candidate) => candidate.inTopic);
  }
  return candidates;
}

function placeOne(candidates: readonly Candidate[], replicationFactor: number): number[] {
  const leader = least(candidates, (c) => [
    c.inTopic.leaders,
    c.inTopic.replicas,
    c.inCluster.leaders,
    c.rank,
  ]);
  const chosen = [leader];
  while (chosen.length < replicationFactor) {
    const free = candidates.filter((candidate) => !chosen.includes(candidate));
    const follower = least(free, (c) => [
      chosen.filter((other) => other.rack === c.rack).length,
      c.inTopic.replicas,
      chosen.length === 1 ? (c.secondTo.get(leader.id) ?? 0) : 0,
      c.inCluster.replicas,
      c.rank,
    ]);
    if (chosen.length === 1) follower.secondTo.set(leader.id, (follower.secondTo.get(leader.id) ?? 0) + 1);
    chosen.push(follower);
  }
  count(chosen, (candidate) => candidate.inTopic);
  count(chosen, (candidate) => candidate.inCluster);
  return chosen.map((candidate) => candidate.id);
}

/** The candidate with the smallest key, compared element by element. */
function least(candidates: readonly Candidate[], key: (candidate: Candidate) => number[]): Candidate {
  let best: { candidate: Candidate; key: number[] } | undefined;
  for (const candidate of candidates) {
    const own = key(candidate);
    if (!best || isLess(own, best.key)) best = { candidate, key: own };
  }
  if (!best) throw new Error('no broker is left to place a replica on');
  return best.candidate;
}

function isLess(a: readonly number[], b: readonly number[]): boolean {
  const at = a.findIndex((value, i) => value !== b[i]);
  return at >= 0 && (a[at] ?? 0) < (b[at] ?? 0);
}

function count(replicas: readonly (Candidate | undefined)[], load: (candidate: Candidate) => Load): void {
  replicas.forEach((candidate, i) => {
    if (!candidate) return;
    load(candidate).replicas++;
    if (i === 0) load(candidate).leaders++;
  });
}

/** Preferred leaders and replicas per broker. */
export function clusterLoadOf(image: MetadataImage): Map<number, Load> {
  const loads = new Map<number, Load>();
  const add = ({ replicas }: PartitionImage) =>
    replicas.forEach((id, i) => {
      const load = loads.get(id) ?? { leaders: 0, replicas: 0 };
      load.replicas++;
      if (i === 0) load.leaders++;
      loads.set(id, load);
    });
  for (const topic of image.topics.values()) topic.partitions.forEach(add);
  return loads;
}
