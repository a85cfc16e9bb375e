import { SimWorld } from '../../../chaos/sim/world.ts';
import { DEFAULT_LOG_CONFIG, type LogConfig } from '../../../src/log/log-config.ts';
import { LogDirectory } from '../../../src/log/log-directory.ts';
import type { Clock, Platform } from '../../../src/platform/ports.ts';
import { encodeRequest } from '../../../src/protocol/codec.ts';
import { ERROR_CODE } from '../../../src/protocol/errors.ts';
import type {
  AlterPartitionRequest,
  AlterPartitionResponse,
} from '../../../src/protocol/messages/alter-partition.ts';
import { Fetch, type FetchRequest, type FetchResponse } from '../../../src/protocol/messages/fetch.ts';
import { splitBatches } from '../../../src/protocol/record-batch.ts';
import { RecordBatchBuilder } from '../../../src/protocol/record-batch-builder.ts';
import { decodeRecords } from '../../../src/protocol/record-decoder.ts';
import type { ReserveAnswer } from '../../../src/replication/fetch-purgatory.ts';
import type { ProducedPartition } from '../../../src/replication/led-partition.ts';
import type { Partition } from '../../../src/replication/partition.ts';
import { ReplicaManager } from '../../../src/replication/replica-manager.ts';
import type { PartitionAssignment, ReplicationLimits } from '../../../src/replication/types.ts';
import { ModelController } from './model-controller.ts';

export const TOPIC = 'AAAAAAAAAAAAAAAAAAAAAA';
const DELAY_MS = 1;
const REQUEST_TIMEOUT_MS = 2_000;

export interface Broker {
  readonly id: number;
  readonly platform: Platform;
  readonly logs: LogDirectory;
  readonly manager: ReplicaManager;
}

export interface SimClusterOptions {
  /** The clock goes on while code runs, by fractions of a millisecond, as real ones do. */
  readonly clockCreeps?: boolean;
  readonly seed?: number;
  readonly brokers?: number;
  readonly partitions?: number;
  readonly minInSyncReplicas?: number;
  readonly limits?: Partial<ReplicationLimits>;
  readonly logConfig?: Partial<LogConfig>;
}

/** Replica managers over real logs on simulated disks, one model controller per partition, and delayed calls. */
export class SimCluster {
  readonly world: SimWorld;
  readonly controllers: ModelController[];
  readonly brokers = new Map<number, Broker>();
  readonly fetches: { from: number; to: number; request: FetchRequest; response: FetchResponse }[] = [];
  readonly cannotLead: number[] = [];
  /** Directed links, `from>to`, that lose everything. */
  readonly cut = new Set<string>();
  isControllerReachable = true;
  readonly #options: SimClusterOptions;
  readonly #ids: number[];
  readonly #logConfig: LogConfig;
  #nextValue = 0;

  constructor(options: SimClusterOptions = {}) {
    this.#options = options;
    this.world = new SimWorld({ seed: options.seed ?? 1 });
    this.#ids = Array.from({ length: options.brokers ?? 3 }, (_, index) => index + 1);
    this.#logConfig = { ...DEFAULT_LOG_CONFIG, ...options.logConfig };
    const minInSyncReplicas = options.minInSyncReplicas ?? 1;
    this.controllers = Array.from(
      { length: options.partitions ?? 1 },
      () => new ModelController(this.#ids, minInSyncReplicas),
    );
  }

  static async start(options: SimClusterOptions = {}): Promise<SimCluster> {
    const cluster = new SimCluster(options);
    for (const id of cluster.#ids) await cluster.open(id);
    cluster.publish();
    for (const { id, manager } of cluster.brokers.values()) manager.setBrokerEpoch(cluster.#brokerEpoch(id));
    await cluster.run(500);
    return cluster;
  }

  async run(ms: number): Promise<void> {
    await this.world.run(this.world.nowMs + ms);
  }

  async open(id: number): Promise<Broker> {
    const node = this.world.node(`n${id}`);
    const platform = node.running ? node.platform : node.restart();
    const { timers, logger, disk, crash } = platform;
    const clock = this.#options.clockCreeps ? creeping(platform.clock) : platform.clock;
    const logs = await this.world.settle(
      LogDirectory.open({ disk, clock, timers, logger, crash, dir: '/data', config: this.#logConfig }),
    );
    const manager = new ReplicaManager({
      ...{ nodeId: id, logs, clock, timers, logger, crash },
      ...(this.#options.limits ? { limits: this.#options.limits } : {}),
      alterPartition: (request) => this.#call(id, 0, () => Promise.resolve(this.#alter(id, request))),
      fetchFrom: (to, request) => this.#fetchFrom(id, to, request),
      onCannotLead: () => this.cannotLead.push(id),
    });
    const broker = { id, platform, logs, manager };
    this.brokers.set(id, broker);
    return broker;
  }

  broker(id: number): Broker {
    const broker = this.brokers.get(id);
    if (!broker) throw new Error(`broker ${id} is down`);
    return broker;
  }

  partition(id: number, partition = 0): Partition {
    const found = this.broker(id).manager.partition(TOPIC, partition);
    if (!found) throw new Error(`broker ${id} has no partition ${partition}`);
    return found;
  }

  /** Loses power; comes back with what was synced, under a new broker epoch, unfenced once it has the metadata. */
  powerLoss(id: number): void {
    this.brokers.delete(id);
    this.world.node(`n${id}`).powerLoss();
    for (const controller of this.controllers) controller.fence(id);
    this.publish();
  }

  async restart(id: number): Promise<void> {
    for (const controller of this.controllers) controller.register(id);
    const { manager } = await this.open(id);
    this.publish();
    manager.setBrokerEpoch(this.#brokerEpoch(id));
    for (const controller of this.controllers) controller.unfence(id);
    this.publish();
  }

  /** Every broker that runs learns the newest committed state. */
  publish(ids: Iterable<number> = this.brokers.keys()): void {
    for (const id of ids) {
      const changed = this.controllers.map((_, partition) => this.assignment(partition));
      void this.broker(id).manager.applyAssignments({ changed, removed: [] });
    }
  }

  assignment(partition: number): PartitionAssignment {
    const { state } = this.controllers[partition] as ModelController;
    return { topicId: TOPIC, topicName: 't', partition, logConfig: this.#logConfig, ...state };
  }

  leaderId(partition = 0): number {
    return this.controllers[partition]?.state.leader ?? -1;
  }

  produce(
    id: number,
    { acks = -1, timeoutMs = 10_000, partition = 0, bytes = batch(this.#nextValue++) } = {},
  ): Promise<ProducedPartition> {
    return Promise.resolve(this.broker(id).manager.produce(TOPIC, partition, [bytes], acks, timeoutMs));
  }

  fetch(
    id: number,
    fields: Partial<FetchRequest> & { offset: number; epoch?: number; partition?: number },
    reserve?: ReserveAnswer,
  ) {
    return this.broker(id).manager.fetch(fetchRequest(fields), reserve);
  }

  /** Everything in a replica's log, as offset and value. */
  async contents(id: number, partition = 0): Promise<{ offset: number; value: number }[]> {
    const { log } = this.partition(id, partition);
    if (!log) return [];
    const found: { offset: number; value: number }[] = [];
    for (let offset = log.logStartOffset; offset < log.logEndOffset; ) {
      const read = await this.world.settle(Promise.resolve(log.read(offset, 1 << 20, log.logEndOffset)));
      for (const run of read.records) found.push(...valuesOf(run));
      offset = read.nextOffset;
    }
    return found;
  }

  #brokerEpoch(id: number): number {
    return this.controllers[0]?.brokerEpoch(id) ?? -1;
  }

  async #fetchFrom(from: number, to: number, request: FetchRequest): Promise<FetchResponse> {
    encodeRequest(Fetch, 0, 0, null, request); // As on the wire: throws what could not be sent.
    const response = await this.#call(from, to, () => this.broker(to).manager.fetch(request));
    this.fetches.push({ from, to, request, response });
    return response;
  }

  #alter(from: number, request: AlterPartitionRequest): AlterPartitionResponse {
    const topics = request.topics.map(({ topicId, partitions }) => ({
      topicId,
      partitions: partitions.map(({ partitionIndex, leaderEpoch, partitionEpoch, newIsrWithEpochs: isr }) => {
        const controller = this.controllers[partitionIndex] as ModelController;
        const answer = controller.alter(from, { id: 0, leaderEpoch, partitionEpoch, isr });
        return { partitionIndex, ...answer, isr: [...answer.isr], leaderId: controller.state.leader };
      }),
    }));
    this.world.schedule(5, 'publish', () => this.publish());
    return { throttleTimeMs: 0, errorCode: ERROR_CODE.NONE, topics };
  }

  /** A call over the network: late both ways, lost when the link is cut or either side is gone by then. */
  #call<T>(from: number, to: number, serve: () => Promise<T>): Promise<T> {
    const caller = this.brokers.get(from);
    return new Promise((resolve, reject) => {
      const refuse = () => reject(new Error('timed out'));
      const isLost = () =>
        this.cut.has(`${from}>${to}`) || (to === 0 ? !this.isControllerReachable : !this.brokers.has(to));
      this.world.schedule(REQUEST_TIMEOUT_MS, 'timeout', refuse);
      this.world.schedule(DELAY_MS, 'call', () => {
        if (isLost() || this.brokers.get(from) !== caller) return;
        serve().then(
          (value) =>
            this.world.schedule(DELAY_MS, 'answer', () => {
              if (!this.cut.has(`${to}>${from}`)) resolve(value);
            }),
          reject,
        );
      });
    });
  }
}

export function batch(value: number, producer?: { id: number; epoch: number; sequence: number }): Uint8Array {
  const builder = new RecordBatchBuilder({ sizeBytesMax: 1 << 16 });
  builder.tryAppend({
    timestamp: 1_000,
    key: null,
    value: new TextEncoder().encode(String(value)),
    headers: [],
  });
  if (!producer) return builder.build();
  return builder.build({
    producerId: producer.id,
    producerEpoch: producer.epoch,
    baseSequence: producer.sequence,
  });
}

function valuesOf(run: Uint8Array): { offset: number; value: number }[] {
  return splitBatches(run).flatMap((each) =>
    decodeRecords(each).map(({ offset, value }) => ({
      offset,
      value: Number(new TextDecoder().decode(value ?? undefined)),
    })),
  );
}

export function fetchRequest({
  offset,
  epoch = -1,
  partition = 0,
  ...fields
}: Partial<FetchRequest> & { offset: number; epoch?: number; partition?: number }): FetchRequest {
  const entry = {
    ...{ partition, currentLeaderEpoch: epoch, fetchOffset: offset },
    ...{ lastFetchedEpoch: -1, logStartOffset: -1, partitionMaxBytes: 1 << 20 },
  };
  return {
    ...{ maxWaitMs: 500, minBytes: 1, maxBytes: 1 << 20, isolationLevel: 0 },
    replicaState: { replicaId: -1, replicaEpoch: -1 },
    topics: [{ topicId: TOPIC, partitions: [entry] }],
    rackId: '',
    ...fields,
  };
}

function creeping(clock: Clock): Clock {
  let reads = 0;
  return { ...clock, monotonicMs: () => clock.monotonicMs() + ++reads / 1024 };
}
