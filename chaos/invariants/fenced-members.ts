import type { GroupMemberImage } from '../../src/metadata/group-image.ts';
import type { MetadataImage } from '../../src/metadata/image.ts';
import { ERROR_CODE } from '../../src/protocol/errors.ts';
import type { ConsumerGroupHeartbeatRequest } from '../../src/protocol/messages/consumer-group-heartbeat.ts';
import type { OffsetCommitRequest } from '../../src/protocol/messages/offset-commit.ts';
import type { OdradekNode } from '../../src/server/node.ts';
import type { ClusterNode } from '../cluster/sim-cluster.ts';
import type { Invariant } from './invariant.ts';
import { InvariantViolation } from './violation.ts';

/**
 * A coordinator never obeys a member in an epoch that it knows to be over: it neither takes its offsets nor goes on with it
 * as though nothing had happened (KIP-848).
 */
export class FencedMembers implements Invariant {
  readonly #guard: (check: () => void) => void;

  /** @param guard Runs a check inside the product's own calls, where a throw would not reach the test. */
  constructor(guard: (check: () => void) => void) {
    this.#guard = guard;
  }

  attach({ id }: ClusterNode, { coordinator, store }: OdradekNode): void {
    const commit = coordinator.commitOffsets.bind(coordinator);
    coordinator.commitOffsets = async (request) => {
      const known = store.image;
      const answer = await commit(request);
      const isTaken = answer.topics.some(({ partitions }) =>
        partitions.some(({ errorCode }) => errorCode === ERROR_CODE.NONE),
      );
      if (isTaken) this.#guard(() => checkCommit(`node ${id}`, known, request));
      return answer;
    };
    const heartbeat = coordinator.heartbeat.bind(coordinator);
    coordinator.heartbeat = async (request, client) => {
      const known = store.image;
      const answer = await heartbeat(request, client);
      if (answer.errorCode === ERROR_CODE.NONE)
        this.#guard(() => checkHeartbeat(`node ${id}`, known, request));
      return answer;
    };
  }
}

/** Without members anybody may commit. */
function checkCommit(who: string, known: MetadataImage, request: OffsetCommitRequest): void {
  const { groupId, memberId, generationIdOrMemberEpoch: epoch } = request;
  const group = known.groups.get(groupId);
  if (memberId === '' && (group?.members.size ?? 0) === 0) return;
  const member = group?.members.get(memberId);
  if (!member || epoch < member.memberEpoch) fail(who, groupId, memberId, epoch, member);
}

function checkHeartbeat(who: string, known: MetadataImage, request: ConsumerGroupHeartbeatRequest): void {
  const { groupId, memberId, memberEpoch, topicPartitions } = request;
  if (memberEpoch <= 0) return;
  const member = known.groups.get(groupId)?.members.get(memberId);
  if (member && memberEpoch >= member.memberEpoch) return;
  // It may have missed the answer that raised its epoch; then it owns no more than it was given.
  const missedTheRaise =
    memberEpoch === member?.previousMemberEpoch && topicPartitions?.every((owned) => isHeld(member, owned));
  if (!missedTheRaise) fail(who, groupId, memberId, memberEpoch, member);
}

function isHeld(
  { assignedPartitions, partitionsPendingRevocation }: GroupMemberImage,
  { topicId, partitions }: { readonly topicId: string; readonly partitions: readonly number[] },
): boolean {
  const held = [...assignedPartitions, ...partitionsPendingRevocation].filter(
    (each) => each.topicId === topicId,
  );
  return partitions.every((partition) => held.some((each) => each.partitions.includes(partition)));
}

function fail(
  who: string,
  groupId: string,
  memberId: string,
  epoch: number,
  member: GroupMemberImage | undefined,
): never {
  const now = member ? `it is in ${member.memberEpoch}` : 'it is no member';
  throw new InvariantViolation(
    'fenced member epoch obeyed',
    `${who}: ${groupId}, ${memberId}: epoch ${epoch}, ${now}`,
  );
}
