/** The life of a broker: registration, heartbeats, unfencing, controlled shutdown, fencing. */

import type { BrokerImage, MetadataImage } from '../metadata/image.ts';
import { OFFLINE_REPLICAS_SINCE } from '../metadata/records.ts';
import { KafkaError } from '../protocol/errors.ts';
import type {
  BrokerHeartbeatRequest,
  BrokerHeartbeatResponse,
} from '../protocol/messages/broker-heartbeat.ts';
import type {
  BrokerRegistrationRequest,
  BrokerRegistrationResponse,
} from '../protocol/messages/broker-registration.ts';
import type { CatalogueLevels } from './catalogue-levels.ts';
import { type Decision, Draft } from './draft.ts';
import {
  countLed,
  electMissingLeaders,
  fence,
  isActive,
  type Loss,
  leaveDamaged,
  leaveForShutdown,
  leaveRestarted,
} from './partitions.ts';
import type { BrokerSessions } from './sessions.ts';

/** The broker, if `brokerEpoch` is that of its present registration. */
export function brokerOfEpoch(image: MetadataImage, brokerId: number, brokerEpoch: number): BrokerImage {
  const broker = image.brokers.get(brokerId);
  if (!broker) throw new KafkaError('BROKER_ID_NOT_REGISTERED', `broker ${brokerId} is not registered`);
  if (broker.epoch !== brokerEpoch)
    throw new KafkaError(
      'STALE_BROKER_EPOCH',
      `broker ${brokerId} has epoch ${broker.epoch}, not ${brokerEpoch}: it registered again since`,
    );
  return broker;
}

type OfflineReplicas = BrokerImage['offlineReplicas'];

export class Brokers {
  readonly #sessions: BrokerSessions;
  readonly #catalogue: CatalogueLevels;
  readonly #clusterId: string;
  /** By broker: the entry that a fenced broker must have applied before it is unfenced, a stopping one others. */
  readonly #milestones = new Map<number, number>();
  /** The entry at which this controller began: what earlier ones did lies before it. */
  readonly #beganAt: number;

  constructor(options: {
    sessions: BrokerSessions;
    catalogue: CatalogueLevels;
    clusterId: string;
    image: MetadataImage;
  }) {
    this.#sessions = options.sessions;
    this.#catalogue = options.catalogue;
    this.#clusterId = options.clusterId;
    this.#beganAt = options.image.index;
    for (const broker of options.image.brokers.values()) this.#sessions.touch(broker.id, broker.epoch);
  }

  register(image: MetadataImage, request: BrokerRegistrationRequest): Decision<BrokerRegistrationResponse> {
    const { brokerId, incarnationId, directoryId, cleanShutdown, rack, listeners, clusterId } = request;
    if (clusterId !== this.#clusterId)
      throw new KafkaError(
        'INCONSISTENT_CLUSTER_ID',
        `broker ${brokerId} belongs to cluster ${clusterId}, this is ${this.#clusterId}`,
      );
    if (brokerId < 0) throw new KafkaError('INVALID_REGISTRATION', `${brokerId} is not a broker id`);
    this.#catalogue.hear(image, brokerId, request.catalogueVersion);
    const before = image.brokers.get(brokerId);
    const draft = new Draft(image);
    // The answer was lost: the incarnation has its epoch already.
    if (before?.incarnationId === incarnationId) return { draft, reply: () => registered(before.epoch) };
    if (before && before.directoryId !== directoryId && this.#sessions.isLive(brokerId))
      throw new KafkaError(
        'DUPLICATE_BROKER_REGISTRATION',
        `broker id ${brokerId} is in use by a live broker with another directory`,
      );
    const brokerEpoch = -1;
    draft.push({
      type: 'RegisterBroker',
      brokerId,
      incarnationId,
      directoryId,
      listeners,
      rack,
      cleanShutdown,
      brokerEpoch,
    });
    if (before) leaveRestarted(draft, brokerId, lossOf(before, request));
    draft.note({ brokerId, incarnationId, directoryId, cleanShutdown }, 'Registered a broker');
    this.#sessions.touch(brokerId, draft.base.index + 1);
    this.#catalogue.raise(draft);
    return { draft, reply: (index) => registered(index) };
  }

  heartbeat(image: MetadataImage, request: BrokerHeartbeatRequest): Decision<BrokerHeartbeatResponse> {
    const broker = brokerOfEpoch(image, request.brokerId, request.brokerEpoch);
    this.#sessions.touch(broker.id, broker.epoch, request.currentMetadataOffset);
    this.#catalogue.hear(image, broker.id, request.catalogueVersion);
    const draft = new Draft(image);
    const isCaughtUp = request.currentMetadataOffset >= this.#unfenceIndex(broker);
    const shouldShutDown = request.wantShutDown && this.#stop(draft, broker);
    if (request.wantFence && !broker.fenced && !shouldShutDown) this.#fence(draft, [broker], 'its own wish');
    if (isCaughtUp && mayUnfence(broker, request)) unfence(draft, broker);
    tellDamaged(draft, broker, request.offlineReplicas);
    this.#catalogue.raise(draft);
    const isFenced = draft.image.brokers.get(broker.id)?.fenced ?? true;
    const response = { throttleTimeMs: 0, errorCode: 0, isCaughtUp, isFenced, shouldShutDown };
    // A heartbeat that changes nothing never waits behind a slow quorum: the broker could not send its next one.
    if (draft.records.length === 0 && !shouldShutDown)
      return { draft, reply: () => response, immediate: true };
    let release = (): void => undefined;
    return {
      draft,
      onAppended: () => {
        release = this.#sessions.hold(broker.id);
      },
      reply: () => {
        release();
        return response;
      },
    };
  }

  /** One step of a controlled shutdown. Returns whether the broker may stop now; it is fenced then. */
  #stop(draft: Draft, broker: BrokerImage): boolean {
    if (broker.fenced) return true;
    const { id: brokerId, epoch: brokerEpoch } = broker;
    if (!broker.inControlledShutdown) {
      draft.push({ type: 'BrokerChange', brokerId, brokerEpoch, fenced: false, inControlledShutdown: true });
      draft.note({ brokerId, brokerEpoch }, 'Began the controlled shutdown of a broker');
    }
    leaveForShutdown(draft, brokerId);
    if (draft.records.length > 0) {
      this.#milestones.set(brokerId, draft.base.index + 1);
      return false;
    }
    if (!this.#everybodyApplied(draft.image, this.#milestones.get(brokerId) ?? this.#beganAt, brokerId))
      return false;
    const leadersLeft = countLed(draft.image, brokerId);
    draft.note({ brokerId, brokerEpoch, leadersLeft }, 'Ended the controlled shutdown of a broker');
    this.#fence(draft, [{ ...broker, inControlledShutdown: true }], 'controlled shutdown');
    return true;
  }

  /** Whether all other brokers know who leads instead. */
  #everybodyApplied(image: MetadataImage, index: number, exceptId: number): boolean {
    return image.sortedBrokers().every((broker) => {
      const concerned = broker.id !== exceptId && isActive(image, broker.id);
      return !concerned || this.#sessions.metadataIndex(broker.id) >= index;
    });
  }

  /** A broker is caught up once it knows that it was fenced, and who leads since. */
  #unfenceIndex(broker: BrokerImage): number {
    return Math.max(broker.epoch, this.#milestones.get(broker.id) ?? this.#beganAt);
  }

  /** Fences those whose session is over, again and again until it is appended. */
  fenceExpired(image: MetadataImage): Draft {
    const draft = new Draft(image);
    const silent = image
      .sortedBrokers()
      .filter((broker) => !broker.fenced && !this.#sessions.isLive(broker.id));
    if (silent.length > 0) this.#fence(draft, silent, 'no heartbeats');
    return draft;
  }

  /** The process of the broker is surely dead: no need to wait for its session to end. */
  fenceUnreachable(image: MetadataImage, brokerId: number): Draft {
    const draft = new Draft(image);
    const broker = image.brokers.get(brokerId);
    this.#sessions.end(brokerId);
    if (broker && !broker.fenced) this.#fence(draft, [broker], 'unreachable');
    return draft;
  }

  #fence(draft: Draft, brokers: readonly BrokerImage[], reason: string): void {
    fence(draft, brokers, reason);
    for (const broker of brokers) this.#milestones.set(broker.id, draft.base.index + 1);
  }
}

/** Another directory under the same id is an empty disk; after an unclean stop, what was not synced is gone. */
function lossOf(before: BrokerImage, request: BrokerRegistrationRequest): Loss {
  if (before.directoryId !== request.directoryId) return 'all';
  return request.cleanShutdown ? 'none' : 'unsynced';
}

/** A stopping broker comes back as a new incarnation only: a late heartbeat must not revive it (KIP-841). */
function mayUnfence(broker: BrokerImage, { wantFence, wantShutDown }: BrokerHeartbeatRequest): boolean {
  return broker.fenced && !broker.inControlledShutdown && !wantFence && !wantShutDown;
}

function unfence(draft: Draft, broker: BrokerImage): void {
  const { id: brokerId, epoch: brokerEpoch } = broker;
  draft.push({ type: 'BrokerChange', brokerId, brokerEpoch, fenced: false, inControlledShutdown: false });
  electMissingLeaders(draft);
  draft.note({ brokerId, brokerEpoch }, 'Unfenced a broker');
}

/** A broker tells of all its copies that are damaged: mostly none, as before. */
function tellDamaged(draft: Draft, broker: BrokerImage, replicas: OfflineReplicas): void {
  const { id: brokerId, epoch: brokerEpoch, offlineReplicas: before } = broker;
  const isSame =
    replicas.length === before.length &&
    replicas.every(({ topicId, partition }, i) => {
      const known = before[i];
      return known?.topicId === topicId && known.partition === partition;
    });
  if (isSame || draft.image.catalogueLevel < OFFLINE_REPLICAS_SINCE) return;
  draft.push({ type: 'OfflineReplicas', brokerId, brokerEpoch, replicas });
  leaveDamaged(draft, brokerId);
  draft.note(
    { brokerId, brokerEpoch, replicas, before },
    'A broker told of other damaged replicas than before',
  );
}

function registered(brokerEpoch: number): BrokerRegistrationResponse {
  return { throttleTimeMs: 0, errorCode: 0, errorMessage: null, brokerEpoch };
}
