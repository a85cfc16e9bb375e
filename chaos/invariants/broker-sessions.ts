import { ERROR_CODE } from '../../src/protocol/errors.ts';
import {
  BrokerHeartbeat,
  type BrokerHeartbeatRequest,
} from '../../src/protocol/messages/broker-heartbeat.ts';
import type { Api } from '../../src/protocol/schema.ts';
import type { OdradekNode } from '../../src/server/node.ts';
import type { ClusterNode, SimCluster } from '../cluster/sim-cluster.ts';
import type { SimLogLine } from '../sim/world.ts';
import type { Invariant } from './invariant.ts';
import type { RunningTime } from './running-time.ts';
import { InvariantViolation } from './violation.ts';

/** Of the session timeout: nobody is fenced earlier, however clocks drift, nor lives on unheard for longer. */
const SHARE_MIN = 0.8;
const SHARE_MAX = 4;
/** The controller before this one was silent already when this one stood for its place. */
const SUCCEEDED_MS = 200;
const LOOK_MS = 200;

/** One leadership of the controller on one node; times are in the running time of its process. */
interface Leadership {
  readonly incarnation: number;
  readonly epoch: number;
  readonly sinceMs: number;
  /** By broker and its epoch: when a heartbeat was taken, or answered, last. */
  readonly heardMs: Map<string, number>;
  /** Heartbeats that wait for their answer. */
  readonly waiting: Map<string, number>;
  readonly fenced: Set<string>;
  lookedMs: number;
}

/**
 * Controllers and the brokers that they hear: whoever is silent is fenced within a bound, also by a controller that never
 * heard of it (KAFKA-18138), and nobody is fenced for a silence that was the controller's own (KAFKA-15019, 19586).
 */
export class BrokerSessionsWatch implements Invariant {
  readonly #cluster: SimCluster;
  readonly #time: RunningTime;
  readonly #leaderships = new Map<number, Leadership>();

  /** @param guard Runs a check inside the product's own calls, where a throw would not reach the test. */
  constructor(cluster: SimCluster, time: RunningTime, guard: (check: () => void) => void) {
    this.#cluster = cluster;
    this.#time = time;
    cluster.world.onLogLine.push((line) => {
      if (line.message === 'Fenced a broker') guard(() => this.#fenced(line));
    });
  }

  attach(member: ClusterNode, { controller }: OdradekNode): void {
    const handle = controller.handle.bind(controller);
    controller.handle = async <Request, Response>(
      api: Api<Request, Response>,
      request: Request,
      ...rest: []
    ): Promise<Response> => {
      if (api.key !== BrokerHeartbeat.key) return handle(api, request, ...rest);
      const { brokerId, brokerEpoch } = request as BrokerHeartbeatRequest;
      const leadership = this.#leaderships.get(member.id);
      const key = keyOf(brokerId, brokerEpoch);
      const count = (by: number) => leadership?.waiting.set(key, (leadership.waiting.get(key) ?? 0) + by);
      count(1);
      try {
        const answer = await handle(api, request, ...rest);
        const isTaken = (answer as { errorCode: number }).errorCode === ERROR_CODE.NONE;
        if (isTaken && this.#leaderships.get(member.id) === leadership) this.#hears(member, key);
        return answer;
      } finally {
        count(-1);
      }
    };
  }

  check(member: ClusterNode, { raft, store, config }: OdradekNode): void {
    if (raft.role !== 'leader' || !raft.canPropose) return;
    const leadership = this.#leadershipOf(member, raft.epoch);
    const nowMs = this.#time.of(member);
    if (nowMs < leadership.lookedMs + LOOK_MS) return;
    leadership.lookedMs = nowMs;
    const boundMs = config.limits.brokerSessionTimeoutMs * SHARE_MAX;
    for (const { id, epoch, fenced } of store.image.brokers.values()) {
      const key = keyOf(id, epoch);
      const heardMs = leadership.heardMs.get(key) ?? leadership.sinceMs;
      if (fenced || leadership.fenced.has(key) || nowMs - heardMs <= boundMs) continue;
      if ((leadership.waiting.get(key) ?? 0) > 0) continue;
      throw new InvariantViolation(
        'silent broker is not fenced',
        `broker ${id} was not heard by controller ${member.id} for ${Math.round(nowMs - heardMs)} ms`,
      );
    }
  }

  #leadershipOf(member: ClusterNode, epoch: number): Leadership {
    const { number: incarnation } = member.machine.incarnation;
    const known = this.#leaderships.get(member.id);
    if (known?.incarnation === incarnation && known.epoch === epoch) return known;
    const sinceMs = this.#time.of(member);
    const leadership: Leadership = {
      ...{ incarnation, epoch, sinceMs, lookedMs: sinceMs },
      ...{ heardMs: new Map(), waiting: new Map(), fenced: new Set() },
    };
    this.#leaderships.set(member.id, leadership);
    return leadership;
  }

  #hears(member: ClusterNode, key: string): void {
    const leadership = this.#leaderships.get(member.id);
    leadership?.heardMs.set(key, this.#time.of(member));
    leadership?.fenced.delete(key);
  }

  #fenced({ node: name, fields }: SimLogLine): void {
    const { brokerId, brokerEpoch, reason } = fields as {
      brokerId: number;
      brokerEpoch: number;
      reason: string;
    };
    const member = this.#cluster.nodes.find(({ machine }) => machine.name === name);
    const leadership = member && this.#leaderships.get(member.id);
    if (!member?.node || !leadership) return;
    const key = keyOf(brokerId, brokerEpoch);
    leadership.fenced.add(key);
    if (reason !== 'no heartbeats') return;
    const { raft, config } = member.node;
    const heardMs = leadership.heardMs.get(key);
    const silentMs = this.#time.of(member) - (heardMs ?? leadership.sinceMs);
    const isWaiting = (leadership.waiting.get(key) ?? 0) > 0;
    const wasLeader = heardMs === undefined && raft.lastLeader?.id === brokerId;
    const boundMs = wasLeader ? SUCCEEDED_MS : config.limits.brokerSessionTimeoutMs * SHARE_MIN;
    if (silentMs < boundMs || isWaiting)
      throw new InvariantViolation(
        'living broker fenced',
        `broker ${brokerId} by controller ${member.id}, ${Math.round(silentMs)} ms after it was heard`,
      );
  }
}

const keyOf = (brokerId: number, brokerEpoch: number): string => `${brokerId} ${brokerEpoch}`;
