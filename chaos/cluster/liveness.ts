import type { MetadataImage } from '../../src/metadata/image.ts';
import { GROUP } from './group-member.ts';
import type { ClusterWatch } from './invariants.ts';
import type { SimCluster } from './sim-cluster.ts';
import { TOPIC, type Workload } from './workload.ts';

/** A healed cluster did not come to rest. The message says who waits for what. */
export class Stuck extends Error {
  override readonly name = 'Stuck';
}

/** What a healed cluster still waits for; nothing when it is whole again. */
export function waitingFor(cluster: SimCluster, watch: ClusterWatch, workload: Workload): string[] {
  const { image } = watch.images;
  return [
    ...cluster.nodes.flatMap(({ id, node }) => {
      const reason = node ? node.waitingFor : 'its start';
      return reason === undefined ? [] : [`node ${id} waits for ${reason}`];
    }),
    ...replicasBehind(cluster, image),
    ...workload.pendingSends.slice(0, 10).map((send) => `producer waits for the fate of ${send}`),
    ...groupUnsettled(image, workload),
  ];
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

/** Every partition has one owner that knows it, and nobody else is in the group. */
function groupUnsettled(image: MetadataImage, workload: Workload): string[] {
  const topic = image.topicByName(TOPIC);
  const group = image.groups.get(GROUP);
  if (!topic || !group) return ['the group waits to be formed'];
  const reasons: string[] = [];
  if (group.members.size !== workload.members.length)
    reasons.push(`the group has ${group.members.size} members instead of ${workload.members.length}`);
  const owned = workload.members.flatMap((member) => member.owned);
  for (const { partition } of topic.partitions) {
    const count = owned.filter((name) => name === `${TOPIC}-${partition}`).length;
    if (count !== 1) reasons.push(`${TOPIC}-${partition} has ${count} owners in the group`);
  }
  for (const { memberId, partitionsPendingRevocation } of group.members.values()) {
    if (partitionsPendingRevocation.length > 0)
      reasons.push(`member ${memberId} has yet to give up partitions`);
  }
  return reasons;
}
