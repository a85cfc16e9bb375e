/** What must hold of every image, and of every step from one to the next. */

import {
  type MetadataImage,
  minIsrOf,
  NO_LEADER,
  type PartitionImage,
  type TopicImage,
} from '../../../src/metadata/image.ts';

export function checkInvariants(before: MetadataImage, after: MetadataImage, uncleanAllowed = false): void {
  for (const topic of after.sortedTopics()) {
    for (const partition of topic.partitions) {
      const broken =
        brokenState(after, topic, partition) ?? brokenStep(before, after, topic, partition, uncleanAllowed);
      if (broken)
        throw new Error(
          `${broken}\nbefore ${JSON.stringify(before.partition(topic.id, partition.partition))}\nafter ${JSON.stringify(partition)}`,
        );
    }
  }
  for (const [id, broker] of before.brokers) {
    const later = after.brokers.get(id);
    if (!later || later.epoch < broker.epoch) throw new Error(`the epoch of broker ${id} went back`);
  }
  if (after.nextProducerId < before.nextProducerId) throw new Error('producer ids went back');
}

function brokenState(image: MetadataImage, topic: TopicImage, p: PartitionImage): string | undefined {
  const fenced = (id: number) => image.brokers.get(id)?.fenced !== false;
  if (p.leader !== NO_LEADER && !p.isr.includes(p.leader)) return 'the leader is not in the ISR';
  if (p.leader !== NO_LEADER && fenced(p.leader)) return 'the leader is fenced';
  if (p.leader !== NO_LEADER && p.isr.some((id) => image.isDamaged(id, p)))
    return 'a damaged copy is in sync';
  if (p.leader !== NO_LEADER && p.isr.some(fenced)) return 'a fenced broker is in the ISR of a led partition';
  if (!p.isr.every((id) => p.replicas.includes(id))) return 'the ISR is not within the replicas';
  if (!p.elr.every((id) => p.replicas.includes(id))) return 'the ELR is not within the replicas';
  if (p.elr.some((id) => p.isr.includes(id))) return 'ELR and ISR overlap';
  if (new Set([...p.isr, ...p.elr]).size !== p.isr.length + p.elr.length) return 'a replica is named twice';
  if (p.isr.length === 0 && (p.leader !== NO_LEADER || p.elr.length > 0)) return 'the ISR is empty';
  if (p.isr.length >= minIsrOf(topic, p) && p.elr.length > 0) return 'ELR although the ISR is large enough';
  return undefined;
}

function brokenStep(
  imageBefore: MetadataImage,
  image: MetadataImage,
  topic: TopicImage,
  after: PartitionImage,
  uncleanAllowed: boolean,
): string | undefined {
  const before = imageBefore.partition(topic.id, after.partition);
  if (!before || before === after) return undefined;
  if (after.partitionEpoch <= before.partitionEpoch) return 'a change without a new partition epoch';
  if (after.leaderEpoch < before.leaderEpoch) return 'the leader epoch went back';
  if (after.leader !== before.leader && after.leaderEpoch === before.leaderEpoch)
    return 'a new leader without a new epoch';
  const unclean = uncleanAllowed || topic.config.uncleanLeaderElection;
  const restarted = (id: number) => image.brokers.get(id)?.epoch !== imageBefore.brokers.get(id)?.epoch;
  const kept = [...after.isr, ...after.elr];
  const trusted = [...before.isr, ...before.elr];
  if (!unclean && after.isr.length < minIsrOf(topic, after))
    if (!trusted.every((id) => kept.includes(id) || restarted(id) || image.isDamaged(id, after)))
      return 'a trusted replica was given up';
  if (after.leader === before.leader || after.leader === NO_LEADER) return undefined;
  if (image.brokers.get(after.leader)?.inControlledShutdown) return 'a stopping broker was elected';
  return unclean || trusted.includes(after.leader) ? undefined : 'a leader that may miss records';
}
