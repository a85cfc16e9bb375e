/** Carries a member's heartbeats to the coordinator, apart from whatever the application does with its records. */

import { ERROR_CODE, errorDefinition, errorFor } from '../protocol/errors.ts';
import {
  ConsumerGroupHeartbeat,
  type ConsumerGroupHeartbeatRequest,
  type ConsumerGroupHeartbeatResponse,
} from '../protocol/messages/consumer-group-heartbeat.ts';
import { backoffMs } from './backoff.ts';
import type { Cluster } from './cluster.ts';
import type { ConsumerWatch } from './consumer-stats.ts';
import type { GroupMember } from './group-member.ts';
import { Alarm } from './rpc.ts';

export class GroupSession {
  readonly #cluster: Cluster;
  readonly #groupId: string;
  readonly #member: GroupMember;
  readonly #watch: ConsumerWatch;
  /** The member may have a step to take. */
  readonly #onChange: () => void;
  readonly #alarm: Alarm;
  #failures = 0;
  #underWay: Promise<void> = Promise.resolve();
  #closed = false;

  constructor(
    cluster: Cluster,
    groupId: string,
    member: GroupMember,
    watch: ConsumerWatch,
    onChange: () => void,
  ) {
    this.#watch = watch;
    this.#cluster = cluster;
    this.#groupId = groupId;
    this.#member = member;
    this.#onChange = onChange;
    this.#alarm = new Alarm(cluster.runtime, () => this.pump());
  }

  /** Sends the heartbeat that is due, if one is, and sets the alarm for the next. */
  pump(): void {
    if (this.#closed) return;
    const { clock, logger } = this.#cluster.runtime;
    const nowMs = clock.monotonicMs();
    if (this.#member.expire(nowMs)) {
      logger.warn({ group: this.#groupId }, 'The coordinator is out of reach: giving up all partitions');
      this.#onChange();
    }
    const request = this.#member.heartbeat(nowMs);
    if (request !== undefined) this.#underWay = this.#send(request);
    this.#alarm.set(Math.min(this.#member.nextHeartbeatMs, this.#member.lostAtMs));
  }

  /** Tells the coordinator that the member leaves; gives up at the deadline, for then its session expires anyway. */
  async leave(deadlineMs: number): Promise<void> {
    this.#closed = true;
    this.#alarm.clear();
    const request = this.#member.leave();
    if (request === undefined) return;
    // A join that is still under way could arrive after the farewell.
    await this.#underWay;
    const { logger } = this.#cluster.runtime;
    await this.#cluster
      .retry(deadlineMs, async () => {
        const response = await this.#exchange(request);
        const error = errorFor(response.errorCode, response.errorMessage);
        if (error.retriable) throw error;
      })
      .catch((error: unknown) => {
        logger.info({ group: this.#groupId, err: error }, 'The group was not told that its member left');
      });
  }

  async #send(request: ConsumerGroupHeartbeatRequest): Promise<void> {
    const { clock, random, logger } = this.#cluster.runtime;
    const retryAtMs = () => clock.monotonicMs() + backoffMs(this.#cluster.limits, ++this.#failures, random);
    try {
      const response = await this.#exchange(request);
      if (response.errorCode === ERROR_CODE.NONE) {
        this.#failures = 0;
        this.#member.onAnswer(response, clock.monotonicMs(), 0);
      } else {
        const fields = { group: this.#groupId, error: errorDefinition(response.errorCode).name };
        logger.info(fields, 'The coordinator refused a heartbeat');
        this.#member.onAnswer(response, clock.monotonicMs(), retryAtMs());
      }
    } catch (error) {
      logger.info({ group: this.#groupId, err: error }, 'A heartbeat failed and is sent again');
      this.#member.onFailure(error, clock.monotonicMs(), retryAtMs());
      this.#watch.stats.retries++;
      this.#cluster.noteRetry('heartbeat', error, this.#failures, {}, this.#watch.events);
    }
    if (this.#closed) return;
    this.pump();
    this.#onChange();
  }

  #exchange(request: ConsumerGroupHeartbeatRequest): Promise<ConsumerGroupHeartbeatResponse> {
    return this.#cluster.coordinators.send(
      this.#groupId,
      ConsumerGroupHeartbeat,
      request,
      ({ errorCode }) => errorCode,
    );
  }
}
