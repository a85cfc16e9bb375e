import type { MetadataImage } from '../../src/metadata/image.ts';
import type { Workloads } from '../workloads/workloads.ts';
import type { SimCluster } from './sim-cluster.ts';

/** A healed cluster did not come to rest. The message says who waits for what. */
export class Stuck extends Error {
  override readonly name = 'Stuck';
}

/** What a healed cluster still waits for; nothing when it is whole again. */
export function waitingFor(cluster: SimCluster, image: MetadataImage, workloads: Workloads): string[] {
  return [
    ...cluster.nodes.flatMap(({ id, node }) => {
      const reason = node ? node.waitingFor : 'its start';
      return reason === undefined ? [] : [`node ${id} waits for ${reason}`];
    }),
    ...cluster.nodes.flatMap(({ id, machine }) =>
      machine.disk.isRotten ? [`node ${id} waits for its disk to read well again`] : [],
    ),
    ...replicasBehind(cluster, image),
    ...votersMissing(cluster),
    ...levelBehind(cluster, image),
    ...workloads.waitingFor(),
  ];
}

/** Whoever votes is there with the disk that it votes with, and knows it. */
function votersMissing(cluster: SimCluster): string[] {
  const leader = cluster.controller;
  if (!leader?.node?.raft.isVoter) return ['the quorum waits for a leader with a vote'];
  const { voters, vacantSeats } = leader.node.raft;
  const missing = voters.filter(({ id, directoryId }) => {
    const { node } = cluster.member(id);
    return !(node?.raft.isVoter && node.directoryId === directoryId);
  });
  return [...missing, ...vacantSeats].map(
    ({ id, directoryId }) => `the quorum waits for its voter ${id}, whose disk was ${directoryId}`,
  );
}

/** All nodes are up by now, so the controller knows what they can read. */
function levelBehind(cluster: SimCluster, { catalogueLevel: level }: MetadataImage): string[] {
  const reads = Math.min(...cluster.nodes.map(({ node }) => node?.config.catalogueVersion ?? level));
  return level < reads ? [`the catalogue level waits at ${level}, though all nodes read ${reads}`] : [];
}

function replicasBehind(cluster: SimCluster, image: MetadataImage): string[] {
  const reasons: string[] = [];
  for (const topic of image.sortedTopics()) {
    for (const { topicId, partition, leader, isr, replicas } of topic.partitions) {
      const name = `${topic.name}-${partition}`;
      if (leader < 0) reasons.push(`${name} waits for a leader; ISR ${isr}`);
      else if (isr.length < replicas.length) reasons.push(`${name} waits for its ISR: ${isr} of ${replicas}`);
      const logs = replicas.map((id) => cluster.member(id).node?.replicas.partition(topicId, partition)?.log);
      const ends = logs.map((log) => `${log?.highWatermark}/${log?.logEndOffset}`);
      const isEven = logs.every(
        (log) => log && log.highWatermark === log.logEndOffset && log.logEndOffset === logs[0]?.logEndOffset,
      );
      if (!isEven) reasons.push(`${name} waits for its replicas ${replicas} to be even: ${ends.join(', ')}`);
    }
  }
  for (const { id, node } of cluster.nodes) {
    if (node && node.store.image.index < image.index)
      reasons.push(`node ${id} waits for metadata ${image.index}, has ${node.store.image.index}`);
  }
  return reasons;
}
