/**
 * The controller layer: what the active Raft leader decides about brokers, topics, replicas and leaders. May import
 * `metadata/` and below; knows no sockets and no files. Begin here: `ControllerCore` says who decides what; then
 * `partition-change.ts`, the heart of it; `shell.ts` carries decisions out.
 *
 * All of it is pure: a decision is made over the speculative image (all that is appended, committed or not), and is
 * nothing but records and an answer for when they are committed. What is soft (sessions) is lost with the leadership.
 */

import type { MetadataImage } from '../metadata/image.ts';
import { KafkaError } from '../protocol/errors.ts';
import { AllocateProducerIds } from '../protocol/messages/allocate-producer-ids.ts';
import { AlterPartition } from '../protocol/messages/alter-partition.ts';
import { BrokerHeartbeat } from '../protocol/messages/broker-heartbeat.ts';
import { BrokerRegistration } from '../protocol/messages/broker-registration.ts';
import { CreatePartitions } from '../protocol/messages/create-partitions.ts';
import { CreateTopics } from '../protocol/messages/create-topics.ts';
import { DeleteTopics } from '../protocol/messages/delete-topics.ts';
import { ElectLeaders } from '../protocol/messages/elect-leaders.ts';
import { IncrementalAlterConfigs } from '../protocol/messages/incremental-alter-configs.ts';
import type { Api } from '../protocol/schema.ts';
import { Brokers } from './brokers.ts';
import { CatalogueLevels } from './catalogue-levels.ts';
import type { ControllerConfig } from './config.ts';
import type { Decision, Draft } from './draft.ts';
import { alterPartition } from './in-sync-replicas.ts';
import { electLeaders, rebalanceLeaders } from './leaders.ts';
import { allocateProducerIds } from './producer-ids.ts';
import { BrokerSessions } from './sessions.ts';
import { alterConfigs } from './topic-configs.ts';
import { type Entropy, Topics } from './topics.ts';

type Decide = (image: MetadataImage, request: unknown, entropy: Entropy) => Decision<unknown>;

/** A new leadership: `image` is all that was decided before it. */
interface ControllerStart {
  readonly config: ControllerConfig;
  readonly clusterId: string;
  /** The voters of the quorum at the moment. */
  readonly voterIds: () => readonly number[];
  readonly image: MetadataImage;
  readonly nowMs: number;
  /** Who led before, and when this node heard it last. */
  readonly before?: { readonly id: number; readonly contactMs: number } | undefined;
}

export class ControllerCore {
  readonly catalogue: CatalogueLevels;
  readonly #config: ControllerConfig;
  readonly #sessions: BrokerSessions;
  readonly #brokers: Brokers;
  readonly #deciders: ReadonlyMap<number, Decide>;
  #sinceRebalanceMs = 0;

  constructor({ config, clusterId, voterIds, image, nowMs, before }: ControllerStart) {
    const { brokerSessionTimeoutMs: sessionTimeoutMs, tickMs, producerIdBlockLength } = config;
    this.#config = config;
    this.#sessions = new BrokerSessions({ sessionTimeoutMs, tickMs, nowMs });
    this.catalogue = new CatalogueLevels(voterIds);
    this.#brokers = new Brokers({ sessions: this.#sessions, catalogue: this.catalogue, clusterId, image });
    if (before) this.#sessions.wasSilent(before.id, nowMs - before.contactMs);
    const topics = new Topics(config);
    this.#deciders = new Map([
      decider(CreateTopics, (image, request, entropy) => topics.create(image, request, entropy)),
      decider(DeleteTopics, (image, request) => topics.delete(image, request)),
      decider(CreatePartitions, (image, request, { start }) => topics.addPartitions(image, request, start)),
      decider(IncrementalAlterConfigs, alterConfigs),
      decider(ElectLeaders, electLeaders),
      decider(AlterPartition, alterPartition),
      decider(BrokerRegistration, (image, request) => this.#brokers.register(image, request)),
      decider(BrokerHeartbeat, (image, request) => this.#brokers.heartbeat(image, request)),
      decider(AllocateProducerIds, (image, request) =>
        allocateProducerIds(image, request, producerIdBlockLength),
      ),
    ]);
  }

  /** Decides one request. Throws a `KafkaError` where the whole request is refused. */
  decide<Request, Response>(
    api: Api<Request, Response>,
    image: MetadataImage,
    request: Request,
    entropy: Entropy,
  ): Decision<Response> {
    const decide = this.#deciders.get(api.key);
    if (!decide) throw new KafkaError('UNSUPPORTED_VERSION', `the controller does not serve ${api.name}`);
    return decide(image, request, entropy) as Decision<Response>;
  }

  /** Time passed: judges sessions and, now and then, where leaders are. */
  tick(image: MetadataImage, nowMs: number): Draft {
    this.#sinceRebalanceMs += this.#sessions.tick(nowMs);
    const fenced = this.#brokers.fenceExpired(image);
    if (fenced.records.length > 0 || this.#sinceRebalanceMs < this.#config.leaderRebalanceIntervalMs)
      return fenced;
    this.#sinceRebalanceMs = 0;
    return rebalanceLeaders(image, this.#config.leaderRebalancePartitionsMax);
  }

  /** Somebody saw that the broker's process is dead (its port refuses connections). */
  brokerUnreachable(image: MetadataImage, brokerId: number): Draft {
    return this.#brokers.fenceUnreachable(image, brokerId);
  }
}

function decider<Request, Response>(
  api: Api<Request, Response>,
  decide: (image: MetadataImage, request: Request, entropy: Entropy) => Decision<Response>,
): [number, Decide] {
  return [api.key, (image, request, entropy) => decide(image, request as Request, entropy)];
}
