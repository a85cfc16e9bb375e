/**
 * The coordinator layer: consumer groups and their committed offsets, on the active controller. Rules are in
 * `core.ts` (membership, KIP-848), `offsets.ts` and `describe.ts`, pure; this shell carries their records into the
 * metadata log and answers once they are committed. May import metadata/ and protocol/, and the ports. Begin with
 * `core.ts`.
 *
 * A coordinator that lost its quorum without knowing it can still answer heartbeats, but it commits nothing: it can
 * neither grant a partition nor accept an offset, and reads are confirmed by the quorum too.
 */

import { MetadataImage } from '../metadata/image.ts';
import type { MetadataRecord } from '../metadata/records.ts';
import type { Clock, Counter, Logger, Meter, Sample, Timer, Timers } from '../platform/ports.ts';
import { silentMeter } from '../platform/silent-meter.ts';
import { codeOf, KafkaError } from '../protocol/errors.ts';
import type {
  ConsumerGroupDescribeRequest,
  ConsumerGroupDescribeResponse,
} from '../protocol/messages/consumer-group-describe.ts';
import type {
  ConsumerGroupHeartbeatRequest,
  ConsumerGroupHeartbeatResponse,
} from '../protocol/messages/consumer-group-heartbeat.ts';
import type { DeleteGroupsRequest, DeleteGroupsResponse } from '../protocol/messages/delete-groups.ts';
import type { ListGroupsRequest, ListGroupsResponse } from '../protocol/messages/list-groups.ts';
import type { OffsetCommitRequest, OffsetCommitResponse } from '../protocol/messages/offset-commit.ts';
import type { OffsetFetchRequest, OffsetFetchResponse } from '../protocol/messages/offset-fetch.ts';
import { type ClientInfo, GroupCoordinatorCore, type Now } from './core.ts';
import { decideDeleteGroups, describeGroup, listGroups } from './describe.ts';
import { GroupLog, type MetadataLog } from './group-log.ts';
import { GROUP_LIMITS, type GroupLimits } from './limits.ts';
import { COORDINATOR_METRICS } from './metrics.ts';
import { decideCommit, expiredOffsets, fetchOffsets, refuseCommit } from './offsets.ts';
import { rebalancesIn } from './rebalances.ts';
import type { Predecessor } from './sessions.ts';
import { JOIN_EPOCH, LEAVE_EPOCH } from './validate.ts';

export interface GroupCoordinatorOptions {
  readonly log: MetadataLog;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly logger: Logger;
  readonly meter?: Meter | undefined;
  readonly limits?: Partial<GroupLimits>;
}

export class GroupCoordinator {
  readonly #log: MetadataLog;
  readonly #clock: Clock;
  readonly #timers: Timers;
  readonly #logger: Logger;
  readonly #limits: GroupLimits;
  readonly #core: GroupCoordinatorCore;
  readonly #rebalances: Counter;
  readonly #evictions: Counter;
  /** There while this node is the active controller; a new one per term, so that nothing leaks from term to term. */
  #active: GroupLog | undefined;
  #timer: Timer | undefined;
  #nextExpiryMs = 0;

  constructor(options: GroupCoordinatorOptions) {
    this.#log = options.log;
    this.#clock = options.clock;
    this.#timers = options.timers;
    this.#logger = options.logger;
    this.#limits = { ...GROUP_LIMITS, ...options.limits };
    this.#core = new GroupCoordinatorCore(this.#limits);
    const meter = options.meter ?? silentMeter;
    this.#rebalances = meter.counter(COORDINATOR_METRICS.rebalances);
    this.#evictions = meter.counter(COORDINATOR_METRICS.evictions);
    meter.onScrape((sample) => this.#sample(sample));
  }

  /** This node became the active controller: its image holds all that earlier ones committed. */
  onLeader(predecessor: Predecessor = 'unknown'): void {
    this.onNotLeader();
    const active = new GroupLog(this.#log, this.#limits.commitsPendingMax);
    this.#active = active;
    const now = this.#now();
    this.#core.reset(active.image(), now, predecessor);
    this.#nextExpiryMs = now.monotonicMs;
    this.#logger.info({ groups: active.image().groups.size, predecessor }, 'Group coordinator took over');
    this.#schedule(active);
  }

  /** This node is the active controller no longer, or stops. Safe to call at any time. */
  onNotLeader(): void {
    if (this.#timer) this.#timers.clear(this.#timer);
    this.#timer = undefined;
    this.#active?.close();
    this.#active = undefined;
  }

  async heartbeat(
    request: ConsumerGroupHeartbeatRequest,
    client: ClientInfo,
  ): Promise<ConsumerGroupHeartbeatResponse> {
    const { groupId, memberId, memberEpoch } = request;
    try {
      const active = this.#coordinating();
      const before = active.image();
      const { records, reply } = this.#core.heartbeat(before, request, client, this.#now());
      await active.append(records);
      if (this.#active !== active) throw new KafkaError('NOT_COORDINATOR');
      if (records.length > 0) {
        this.#onRebalances(before, records, { memberId, reason: reasonOf(request) });
        this.#logger.debug(
          {
            groupId,
            memberId,
            askedEpoch: memberEpoch,
            memberEpoch: reply.memberEpoch,
            records: records.length,
          },
          'Group member advanced',
        );
      }
      return reply;
    } catch (error) {
      this.#refused(error, { groupId, memberId, memberEpoch }, 'Group heartbeat refused');
      return {
        throttleTimeMs: 0,
        errorCode: codeOf(error),
        errorMessage: messageOf(error),
        memberId,
        memberEpoch,
        heartbeatIntervalMs: this.#limits.groupHeartbeatIntervalMs,
        assignment: null,
        sessionTimeoutMs: this.#limits.groupSessionTimeoutMs,
        disconnectGraceMs: this.#limits.groupDisconnectGraceMs,
      };
    }
  }

  /** A hint: the connection by which the member sent its heartbeats has ended. */
  memberDisconnected(groupId: string, memberId: string, connection: object): void {
    this.#core.disconnected(groupId, memberId, connection, this.#now());
  }

  async commitOffsets(request: OffsetCommitRequest): Promise<OffsetCommitResponse> {
    const { groupId } = request;
    try {
      const active = this.#coordinating();
      const { commits, response } = decideCommit(active.image(), request, this.#clock.wallMs(), this.#limits);
      if (commits.length > 0) await active.commit({ type: 'GroupOffsets', groupId, commits });
      return response;
    } catch (error) {
      const { memberId, generationIdOrMemberEpoch: memberEpoch } = request;
      this.#refused(error, { groupId, memberId, memberEpoch }, 'Offset commit refused');
      return refuseCommit(request, codeOf(error));
    }
  }

  async fetchOffsets(request: OffsetFetchRequest): Promise<OffsetFetchResponse> {
    try {
      const image = await this.#coordinating().read();
      return { throttleTimeMs: 0, groups: request.groups.map((asked) => fetchOffsets(image, asked)) };
    } catch (error) {
      const groupIds = request.groups.map(({ groupId }) => groupId);
      this.#refused(error, { groupIds }, 'Offset fetch refused');
      const groups = groupIds.map((groupId) => ({ groupId, topics: [], errorCode: codeOf(error) }));
      return { throttleTimeMs: 0, groups };
    }
  }

  async listGroups(request: ListGroupsRequest): Promise<ListGroupsResponse> {
    try {
      return listGroups(await this.#coordinating().read(), request);
    } catch (error) {
      this.#refused(error, {}, 'Group listing refused');
      return { throttleTimeMs: 0, errorCode: codeOf(error), groups: [] };
    }
  }

  async describeGroups(request: ConsumerGroupDescribeRequest): Promise<ConsumerGroupDescribeResponse> {
    const { groupIds } = request;
    try {
      const image = await this.#coordinating().read();
      return { throttleTimeMs: 0, groups: groupIds.map((groupId) => describeGroup(image, groupId)) };
    } catch (error) {
      this.#refused(error, { groupIds }, 'Group description refused');
      const errorCode = codeOf(error);
      const groups = groupIds.map((groupId) => ({
        ...describeGroup(MetadataImage.EMPTY, groupId),
        errorCode,
        errorMessage: messageOf(error),
      }));
      return { throttleTimeMs: 0, groups };
    }
  }

  async deleteGroups(request: DeleteGroupsRequest): Promise<DeleteGroupsResponse> {
    const groupIds = request.groupsNames;
    try {
      const active = this.#coordinating();
      const { records, response } = decideDeleteGroups(active.image(), groupIds);
      await active.append(records);
      if (records.length > 0) this.#logger.info({ groupIds }, 'Groups deleted');
      return response;
    } catch (error) {
      this.#refused(error, { groupIds }, 'Group deletion refused');
      const results = groupIds.map((groupId) => ({ groupId, errorCode: codeOf(error) }));
      return { throttleTimeMs: 0, results };
    }
  }

  #coordinating(): GroupLog {
    if (!this.#active) throw new KafkaError('NOT_COORDINATOR');
    return this.#active;
  }

  #schedule(active: GroupLog): void {
    this.#timer = this.#timers.set(this.#limits.groupTickIntervalMs, () => {
      if (this.#active !== active) return;
      this.#schedule(active);
      try {
        this.#tick(active);
      } catch (error) {
        this.#refused(error, {}, 'Group sessions could not be judged');
      }
    });
  }

  #tick(active: GroupLog): void {
    const now = this.#now();
    const before = active.image();
    const { records, evictions } = this.#core.tick(before, now);
    for (const eviction of evictions) this.#logger.info(eviction, 'Group member removed');
    this.#evictions.add(evictions.length);
    if (records.length > 0) {
      this.#appendUnasked(active, records, () =>
        this.#onRebalances(before, records, { reason: 'members were removed' }),
      );
    }
    if (now.monotonicMs < this.#nextExpiryMs) return;
    this.#nextExpiryMs = now.monotonicMs + this.#limits.offsetsRetentionCheckIntervalMs;
    const expired = expiredOffsets(active.image(), now.wallMs, this.#limits);
    if (expired.length === 0) return;
    this.#logger.info({ removals: expired.length }, 'Committed offsets expired');
    this.#appendUnasked(active, expired);
  }

  /** Nobody waits for these: when leadership is lost with them, the next controller comes to the same decision. */
  #appendUnasked(active: GroupLog, records: readonly MetadataRecord[], committed = () => {}): void {
    active.append(records).then(committed, (error: unknown) => {
      this.#refused(error, { records: records.length }, 'Group decision was not committed');
    });
  }

  #onRebalances(before: MetadataImage, records: readonly MetadataRecord[], cause: object): void {
    for (const rebalance of rebalancesIn(before, records)) {
      this.#logger.info({ ...rebalance, ...cause }, 'Rebalanced a group');
      this.#rebalances.add();
    }
  }

  #sample(sample: Sample): void {
    if (!this.#active) return;
    const { groups } = this.#active.image();
    sample(COORDINATOR_METRICS.groups, groups.size);
    for (const { id, members } of groups.values()) sample(COORDINATOR_METRICS.members, members.size, id);
  }

  #refused(error: unknown, ids: object, message: string): void {
    if (error instanceof KafkaError) {
      this.#logger.debug({ ...ids, code: error.code, reason: error.message }, message);
    } else {
      this.#logger.error({ ...ids, error }, message);
    }
  }

  #now(): Now {
    return { monotonicMs: this.#clock.monotonicMs(), wallMs: this.#clock.wallMs() };
  }
}

function reasonOf({ memberEpoch }: ConsumerGroupHeartbeatRequest): string {
  if (memberEpoch === JOIN_EPOCH) return 'a member joined';
  return memberEpoch === LEAVE_EPOCH ? 'a member left' : 'its subscription or the topics changed';
}

function messageOf(error: unknown): string {
  return error instanceof KafkaError
    ? error.message
    : 'the coordinator met an unexpected error; its log says more';
}
