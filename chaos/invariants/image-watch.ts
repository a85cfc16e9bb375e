import { deltaOf } from '../../src/metadata/delta.ts';
import {
  MetadataImage,
  minIsrOf,
  NO_LEADER,
  type PartitionImage,
  type TopicImage,
} from '../../src/metadata/image.ts';
import { decodeRecords } from '../../src/metadata/records.ts';
import { encodeSnapshot } from '../../src/metadata/snapshot.ts';
import { concatenate } from '../sim/trace.ts';
import { InvariantViolation } from './violation.ts';

/** What must hold of the committed metadata after each entry, and of each step from one image to the next. */
export class ImageWatch {
  #image = MetadataImage.EMPTY;
  /** By index; they share nearly all of their parts. */
  readonly #images: MetadataImage[] = [MetadataImage.EMPTY];

  /** The newest committed state, whoever knows of it. */
  get image(): MetadataImage {
    return this.#image;
  }

  /** A node takes over a snapshot: it must be the state that the entries up to there make. */
  onRestored(nodeId: number, index: number, bytes: Uint8Array): void {
    const image = this.#images[index];
    if (index === 0 && bytes.length === 0) return;
    const expected = image && concatenate(encodeSnapshot(image));
    if (expected?.length !== bytes.length || expected.some((byte, i) => byte !== bytes[i]))
      fail('snapshot differs from the log', `node ${nodeId}, index ${index}`);
  }

  /** Folds the next committed entry in. */
  onCommitted({ index, payload }: { readonly index: number; readonly payload: Uint8Array }): void {
    const before = this.#image;
    const after = before.apply(payload.length === 0 ? [] : decodeRecords(payload), index);
    this.#image = after;
    this.#images[index] = after;
    for (const broker of deltaOf(before, after).brokersChanged) {
      const { id, epoch } = broker;
      const known = before.brokers.get(id);
      if (known && epoch < known.epoch) fail('broker epoch goes back', `broker ${id}`);
      if (known && broker.incarnationId !== known.incarnationId) checkLedAnew(before, after, id);
    }
    if (after.nextProducerId < before.nextProducerId) fail('producer ids go back', `${after.nextProducerId}`);
    const brokersChanged = before.brokers !== after.brokers;
    for (const topic of brokersChanged ? after.topics.values() : deltaOf(before, after).topicsChanged) {
      checkTopic(before, after, topic);
    }
    if (before.groups !== after.groups) {
      checkGroups(after);
      checkGroupEpochs(before, after);
    }
  }
}

function checkTopic(before: MetadataImage, after: MetadataImage, topic: TopicImage): void {
  for (const partition of topic.partitions) {
    const broken =
      brokenState(after, topic, partition) ??
      brokenStep(after, topic, before.partition(topic.id, partition.partition), partition);
    if (broken === undefined) continue;
    const was = JSON.stringify(before.partition(topic.id, partition.partition));
    fail(broken, `entry ${after.index}: ${was} became ${JSON.stringify(partition)}`);
  }
}

function brokenState(image: MetadataImage, topic: TopicImage, p: PartitionImage): string | undefined {
  const fenced = (id: number) => image.brokers.get(id)?.fenced !== false;
  if (p.leader !== NO_LEADER && !p.isr.includes(p.leader)) return 'leader outside the ISR';
  if (p.leader !== NO_LEADER && fenced(p.leader)) return 'fenced leader';
  if (p.leader !== NO_LEADER && p.isr.some(fenced)) return 'fenced replica in the ISR of a led partition';
  if (![...p.isr, ...p.elr].every((id) => p.replicas.includes(id))) return 'ISR or ELR outside the replicas';
  if (new Set([...p.isr, ...p.elr]).size !== p.isr.length + p.elr.length) return 'replica named twice';
  if (p.isr.length >= minIsrOf(topic, p) && p.elr.length > 0) return 'ELR beside a full ISR';
  return undefined;
}

function brokenStep(
  image: MetadataImage,
  topic: TopicImage,
  before: PartitionImage | undefined,
  after: PartitionImage,
): string | undefined {
  if (before === undefined || before === after) return undefined;
  if (after.partitionEpoch <= before.partitionEpoch) return 'partition changed without a new partition epoch';
  if (after.leaderEpoch < before.leaderEpoch) return 'leader epoch goes back';
  if (after.leader === before.leader) return undefined;
  if (after.leaderEpoch === before.leaderEpoch) return 'new leader without a new epoch';
  const complete = [...before.isr, ...before.elr].filter((id) => !image.isDamaged(id, after));
  // With flush=os every copy can be gone: then an operator may accept the loss, whoever leads.
  const trusted = complete.includes(after.leader) || (complete.length === 0 && topic.config.flush === 'os');
  if (after.leader === NO_LEADER || topic.config.uncleanLeaderElection || trusted) return undefined;
  return 'leader elected that may miss records';
}

/** Each partition belongs to at most one member, those that are about to give it up included (KIP-848). */
function checkGroups(image: MetadataImage): void {
  for (const group of image.groups.values()) {
    const owners = new Map<string, string>();
    for (const member of group.members.values()) {
      for (const { topicId, partitions } of [
        ...member.assignedPartitions,
        ...member.partitionsPendingRevocation,
      ]) {
        for (const partition of partitions) {
          const key = `${topicId}-${partition}`;
          const other = owners.get(key);
          if (other !== undefined && other !== member.memberId)
            fail('partition with two owners', `${key} in group ${group.id}: ${other} and ${member.memberId}`);
          owners.set(key, member.memberId);
        }
      }
    }
  }
}

/** A broker that is back as another process leads what it led in a new epoch, if at all (KAFKA-18106). */
function checkLedAnew(before: MetadataImage, after: MetadataImage, brokerId: number): void {
  for (const topic of before.topics.values()) {
    for (const { leader, leaderEpoch, partition } of topic.partitions) {
      if (leader !== brokerId) continue;
      const { leaderEpoch: epoch = Number.POSITIVE_INFINITY } = after.partition(topic.id, partition) ?? {};
      if (epoch <= leaderEpoch)
        fail('leader registered again without a new epoch', `${topic.name}-${partition}, broker ${brokerId}`);
    }
  }
}

function checkGroupEpochs(before: MetadataImage, after: MetadataImage): void {
  for (const group of after.groups.values()) {
    const known = before.groups.get(group.id);
    if (known === undefined || known === group) continue;
    if (group.groupEpoch < known.groupEpoch || group.assignmentEpoch < known.assignmentEpoch)
      fail('group epoch goes back', group.id);
    for (const { memberId, memberEpoch } of group.members.values()) {
      const { memberEpoch: epoch = -1 } = known.members.get(memberId) ?? {};
      if (memberEpoch < epoch)
        fail('member epoch goes back', `${group.id}, ${memberId}: ${epoch} to ${memberEpoch}`);
    }
  }
}

function fail(rule: string, message: string): never {
  throw new InvariantViolation(rule, message);
}
