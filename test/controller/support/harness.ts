/** A controller over a log in memory: entries are committed when the test says so, time passes when it says so. */

import type { ControllerConfig } from '../../../src/controller/config.ts';
import { ControllerShell } from '../../../src/controller/shell.ts';
import { MetadataImage, type PartitionImage } from '../../../src/metadata/image.ts';
import { decodeRecords, encodeRecords, type MetadataRecord } from '../../../src/metadata/records.ts';
import type { Clock, Logger, Random, Timers } from '../../../src/platform/ports.ts';
import { CATALOGUE_VERSION } from '../../../src/protocol/catalogue-version.ts';
import {
  AlterPartition,
  type AlterPartitionResponse,
} from '../../../src/protocol/messages/alter-partition.ts';
import {
  BrokerHeartbeat,
  type BrokerHeartbeatRequest,
} from '../../../src/protocol/messages/broker-heartbeat.ts';
import { BrokerRegistration } from '../../../src/protocol/messages/broker-registration.ts';
import { CreateTopics, type CreateTopicsRequest } from '../../../src/protocol/messages/create-topics.ts';
import { IncrementalAlterConfigs } from '../../../src/protocol/messages/incremental-alter-configs.ts';
import type { Api } from '../../../src/protocol/schema.ts';
import { uuidFrom } from '../../../src/protocol/uuid.ts';
import { checkInvariants } from './invariants.ts';

const CLUSTER_ID = uuidFrom(new Uint8Array(16).fill(200));

const SILENT: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  child: () => SILENT,
};

class FakeTime implements Clock, Timers {
  nowMs = 1_000;
  #timers: { at: number; fn: () => void }[] = [];

  wallMs = () => this.nowMs;
  monotonicMs = () => this.nowMs;
  set(delayMs: number, fn: () => void) {
    const timer = { at: this.nowMs + delayMs, fn };
    this.#timers.push(timer);
    return { timer };
  }
  clear({ timer }: { timer: unknown }) {
    this.#timers = this.#timers.filter((other) => other !== timer);
  }
  soon(fn: () => void) {
    this.set(0, fn);
  }
  get pending() {
    return this.#timers.length;
  }
  /** Time passes and every timer fires when it is due. */
  advance(ms: number) {
    const end = this.nowMs + ms;
    for (;;) {
      const next = this.#timers.reduce<{ at: number; fn: () => void } | undefined>(
        (first, timer) => (timer.at <= end && (!first || timer.at < first.at) ? timer : first),
        undefined,
      );
      if (!next) break;
      this.#timers = this.#timers.filter((timer) => timer !== next);
      this.nowMs = Math.max(this.nowMs, next.at);
      next.fn();
    }
    this.nowMs = end;
  }
  /** The process stands still; what was due fires late, once it goes on. */
  freeze(ms: number) {
    this.nowMs += ms;
  }
}

function fakeRandom(seed = 1): Random {
  let state = seed;
  const next = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
  return { float: next, bytes: (n) => Uint8Array.from({ length: n }, () => Math.floor(next() * 256)) };
}

export interface TestBroker {
  readonly id: number;
  readonly incarnation: number;
  readonly directory: number;
  readonly rack: string | null;
  readonly catalogueVersion: number;
  epoch: number;
}

const idOf = (kind: number, n: number) =>
  uuidFrom(
    new Uint8Array(16)
      .fill(kind)
      .fill(n & 0xff, 8, 12)
      .fill(n >> 8, 12),
  );

interface HeartbeatFields {
  readonly offset?: number;
  readonly wantFence?: boolean;
  readonly wantShutDown?: boolean;
  readonly offlineReplicas?: BrokerHeartbeatRequest['offlineReplicas'];
}

export class Harness {
  readonly time = new FakeTime();
  readonly shell: ControllerShell;
  /** The log; its first `committed` entries are committed, the others may vanish. */
  log: Uint8Array[] = [];
  committed = 0;
  image = MetadataImage.EMPTY;
  /** Entries commit as soon as they are appended. */
  autoCommit = true;
  epoch = 0;
  crashed: Error | undefined;
  leading = false;
  /** What the log says to whoever appends. */
  refuse: Error | undefined;
  /** Somebody asks for an unclean election. */
  uncleanAllowed = false;
  /** Who votes in the quorum, registered or not. */
  voterIds: readonly number[] = [];
  #incarnations = 0;

  constructor(config: Partial<ControllerConfig> = {}, seed = 1) {
    this.shell = new ControllerShell({
      propose: (payload) => {
        if (this.refuse) throw this.refuse;
        if (!this.leading) throw new Error('not the leader');
        this.log.push(payload);
        return this.log.length;
      },
      clusterId: () => CLUSTER_ID,
      voterIds: () => this.voterIds,
      clock: this.time,
      timers: this.time,
      random: fakeRandom(seed),
      logger: SILENT,
      crash: (error) => {
        this.crashed = error;
        throw error;
      },
      config: { leaderRebalanceIntervalMs: 1e9, ...config },
    });
    this.elect();
  }

  /** Commits up to `count` entries, checking every invariant at each of them. */
  commit(count = Number.POSITIVE_INFINITY): void {
    while (count-- > 0 && this.committed < this.log.length) {
      const payload = this.log[this.committed++] as Uint8Array;
      const before = this.image;
      this.image = before.apply(decodeRecords(payload), this.committed);
      checkInvariants(before, this.image, this.uncleanAllowed);
      this.shell.onApplied(this.image);
    }
  }

  /** The controller loses its leadership; entries that are not committed may be lost with it. */
  depose(keepUncommitted = 0): void {
    this.leading = false;
    this.log.length = Math.min(this.log.length, this.committed + keepUncommitted);
    this.shell.onNotLeader();
  }

  /** `before` is who led, and when that was last heard. */
  elect(before?: { id: number; contactMs: number }): void {
    this.leading = true;
    this.log.push(new Uint8Array(0));
    this.commit();
    this.shell.onLeader(++this.epoch, this.image, before);
  }

  async call<Q, R>(api: Api<Q, R>, request: Q): Promise<R> {
    const answer = this.shell.handle(api, request);
    if (this.autoCommit) this.commit();
    return answer;
  }

  async register(
    id: number,
    options: {
      directory?: number;
      rack?: string | null;
      clean?: boolean;
      clusterId?: string;
      catalogueVersion?: number;
    } = {},
  ): Promise<TestBroker> {
    const incarnation = ++this.#incarnations;
    const { directory = id, rack = null, clean = true, clusterId = CLUSTER_ID } = options;
    const { catalogueVersion = CATALOGUE_VERSION } = options;
    const response = await this.call(BrokerRegistration, {
      brokerId: id,
      clusterId,
      incarnationId: idOf(1, incarnation),
      directoryId: idOf(2, directory),
      listeners: [{ name: 'ws', host: 'localhost', port: 7000 + id }],
      rack,
      cleanShutdown: clean,
      catalogueVersion,
    });
    return { id, incarnation, directory, rack, catalogueVersion, epoch: response.brokerEpoch };
  }

  heartbeat(broker: TestBroker, over: HeartbeatFields = {}) {
    const { offset = this.image.index, wantFence = false, wantShutDown = false, offlineReplicas = [] } = over;
    return this.call(BrokerHeartbeat, {
      brokerId: broker.id,
      brokerEpoch: broker.epoch,
      currentMetadataOffset: offset,
      wantFence,
      wantShutDown,
      catalogueVersion: broker.catalogueVersion,
      offlineReplicas,
    });
  }

  /** Registered, caught up, unfenced. */
  async start(id: number, options: Parameters<Harness['register']>[1] = {}): Promise<TestBroker> {
    const broker = await this.register(id, options);
    await this.heartbeat(broker);
    return broker;
  }

  async startAll(...ids: number[]): Promise<TestBroker[]> {
    const brokers: TestBroker[] = [];
    for (const id of ids) brokers.push(await this.start(id));
    return brokers;
  }

  topicRequest(name: string, over: Partial<CreateTopicsRequest['topics'][number]> = {}): CreateTopicsRequest {
    const topic = { name, numPartitions: 1, replicationFactor: 3, assignments: [], configs: [], ...over };
    return { topics: [topic], timeoutMs: 1000, validateOnly: false };
  }

  async createTopic(name: string, over: Partial<CreateTopicsRequest['topics'][number]> = {}) {
    const response = await this.call(CreateTopics, this.topicRequest(name, over));
    const [answer] = response.topics;
    if (!answer) throw new Error('no answer');
    return answer;
  }

  /** One partition with these replicas and configs. */
  async createPartition(replicas: number[], configs: Record<string, string> = {}): Promise<void> {
    const answer = await this.createTopic('t', {
      numPartitions: -1,
      replicationFactor: -1,
      assignments: [{ partitionIndex: 0, brokerIds: replicas }],
      configs: Object.entries(configs).map(([name, value]) => ({ name, value })),
    });
    if (answer.errorCode !== 0) throw new Error(answer.errorMessage ?? 'refused');
  }

  alterConfig(topic: string, name: string, value: string | null) {
    return this.call(IncrementalAlterConfigs, {
      resources: [
        {
          resourceType: 2,
          resourceName: topic,
          configs: [{ name, configOperation: value === null ? 1 : 0, value }],
        },
      ],
      validateOnly: false,
    });
  }

  partition(topic = 't', index = 0): PartitionImage {
    const partition = this.image.topicByName(topic)?.partitions[index];
    if (!partition) throw new Error(`no partition ${topic}-${index}`);
    return partition;
  }

  /** The ISR that the leader wants, with the epochs that it knows. */
  alterIsr(
    leader: TestBroker,
    isr: (number | TestBroker)[],
    over: { leaderEpoch?: number; partitionEpoch?: number } = {},
  ) {
    return this.alterIsrOf(leader, isr, { ...over, partition: this.partition() });
  }

  async alterIsrOf(
    leader: TestBroker,
    isr: (number | TestBroker)[],
    over: { leaderEpoch?: number; partitionEpoch?: number; partition: PartitionImage },
  ): Promise<AlterPartitionResponse['topics'][number]['partitions'][number]> {
    const known = over.partition;
    const newIsrWithEpochs = isr.map((member) =>
      typeof member === 'number'
        ? { brokerId: member, brokerEpoch: -1 }
        : { brokerId: member.id, brokerEpoch: member.epoch },
    );
    const leaderEpoch = over.leaderEpoch ?? known.leaderEpoch;
    const partitionEpoch = over.partitionEpoch ?? known.partitionEpoch;
    const response = await this.call(AlterPartition, {
      brokerId: leader.id,
      brokerEpoch: leader.epoch,
      topics: [
        {
          topicId: known.topicId,
          partitions: [{ partitionIndex: known.partition, leaderEpoch, partitionEpoch, newIsrWithEpochs }],
        },
      ],
    });
    const answer = response.topics[0]?.partitions[0];
    if (!answer) throw new Error('no answer');
    return answer;
  }

  /** Appends records as somebody else's decision. */
  inject(...records: MetadataRecord[]): void {
    this.log.push(encodeRecords(records, this.image.catalogueLevel));
    this.commit();
  }
}
