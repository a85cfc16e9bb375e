/**
 * A scripted cluster behind the client's `NodeLink` seam, on simulated time. Requests of one link start in order, as
 * on a WebSocket; answers may overtake each other. `fault` decides what happens to each request.
 */

import { SimWorld } from '../../../chaos/sim/world.ts';
import { CLUSTER_DEFAULTS, Cluster, type ClusterLimits } from '../../../src/client/cluster.ts';
import { silentLogger } from '../../../src/client/rpc.ts';
import { ERROR_CODE, KafkaError } from '../../../src/protocol/errors.ts';
import type { ConsumerGroupHeartbeatRequest } from '../../../src/protocol/messages/consumer-group-heartbeat.ts';
import type { CreatePartitionsRequest } from '../../../src/protocol/messages/create-partitions.ts';
import type { FetchRequest, FetchResponse } from '../../../src/protocol/messages/fetch.ts';
import type { ListOffsetsRequest } from '../../../src/protocol/messages/list-offsets.ts';
import type { MetadataRequest, MetadataResponse } from '../../../src/protocol/messages/metadata.ts';
import type { OffsetCommitRequest } from '../../../src/protocol/messages/offset-commit.ts';
import type { OffsetFetchRequest } from '../../../src/protocol/messages/offset-fetch.ts';
import type { OffsetForLeaderEpochRequest } from '../../../src/protocol/messages/offset-for-leader-epoch.ts';
import type { ProduceRequest, ProduceResponse } from '../../../src/protocol/messages/produce.ts';
import { uuidFrom } from '../../../src/protocol/uuid.ts';
import { FakeCoordinator } from './fake-coordinator.ts';
import { FakeLink, type Fault } from './fake-link.ts';
import { FakeLog } from './fake-log.ts';

export interface FakeTopic {
  readonly name: string;
  readonly topicId: string;
  readonly partitions: FakeLog[];
}

const OK: Fault = { kind: 'ok' };

export class FakeCluster {
  readonly world: SimWorld;
  readonly topics = new Map<string, FakeTopic>();
  readonly coordinator: FakeCoordinator;
  readonly down = new Set<number>();
  /** Clients that died: nothing reaches them or comes from them. */
  readonly crashed = new Set<string>();
  readonly sent: {
    readonly api: string;
    readonly nodeId: number;
    readonly request: unknown;
    readonly atMs: number;
  }[] = [];
  coordinatorNode = 1;
  /** A broker that has just started does not know all topics yet. */
  knowsTopics = true;
  /** What answers to CreatePartitions claim. */
  throttleTimeMs = 0;
  /** Decides the fate of each request. */
  fault: (api: string, nodeId: number, client: string) => Fault = () => OK;
  readonly #nodeIds: readonly number[];
  #links: FakeLink[] = [];
  #nextProducerId = 1000;

  constructor(seed: string | number, nodeCount = 3) {
    this.world = new SimWorld({ seed });
    this.#nodeIds = Array.from({ length: nodeCount }, (_, i) => i + 1);
    this.coordinator = new FakeCoordinator((name) => {
      const topic = this.topics.get(name);
      return (topic?.partitions ?? []).map((_, i) => `${topic?.topicId}:${i}`);
    });
  }

  get nowMs(): number {
    return this.world.nowMs;
  }

  addTopic(name: string, partitionCount: number): FakeTopic {
    const topicId = uuidFrom(this.world.random.bytes(16));
    const partitions = Array.from(
      { length: partitionCount },
      (_, i) => new FakeLog((i % this.#nodeIds.length) + 1),
    );
    const topic = { name, topicId, partitions };
    this.topics.set(name, topic);
    return topic;
  }

  /** A client of this cluster; `bootstrap` names only the first node. */
  connect(limits: Partial<ClusterLimits> = {}, name = 'client'): Cluster {
    const { clock, timers, random } = this.world.node(name).platform;
    return new Cluster(
      ['ws://node:1', 'ws://node:2'],
      { ...CLUSTER_DEFAULTS, ...limits },
      {
        openLink: (url) => {
          const link = new FakeLink(this, Number(url.split(':').at(-1)), name);
          this.#links.push(link);
          return link;
        },
        clock,
        timers,
        random,
        logger: silentLogger,
      },
    );
  }

  /** Gives a partition another leader. */
  moveLeader(log: FakeLog, to: number): void {
    if (log.leader === to) return;
    log.leader = to;
    log.leaderEpoch++;
  }

  /** Stops a node; its leaderships go to the next living one. */
  kill(nodeId: number): void {
    this.down.add(nodeId);
    for (const link of this.#links) if (link.nodeId === nodeId) link.breakAll();
    const heir = this.#nodeIds.find((id) => !this.down.has(id));
    for (const { partitions } of this.topics.values()) {
      for (const log of partitions)
        if (log.leader === nodeId && heir !== undefined) this.moveLeader(log, heir);
    }
    if (this.coordinatorNode === nodeId && heir !== undefined) this.coordinatorNode = heir;
  }

  start(nodeId: number): void {
    this.down.delete(nodeId);
  }

  /** Breaks every connection to a node. */
  disconnect(nodeId: number): void {
    for (const link of this.#links) if (link.nodeId === nodeId) link.breakAll();
  }

  handle(nodeId: number, name: string, request: unknown): unknown {
    switch (name) {
      case 'Metadata':
        return this.#metadata(request as MetadataRequest);
      case 'InitProducerId':
        return { throttleTimeMs: 0, errorCode: 0, producerId: this.#nextProducerId++, producerEpoch: 0 };
      case 'Produce':
        return this.#produce(nodeId, request as ProduceRequest);
      case 'Fetch':
        return this.#fetch(nodeId, request as FetchRequest);
      case 'ListOffsets':
        return this.#listOffsets(nodeId, request as ListOffsetsRequest);
      case 'OffsetForLeaderEpoch':
        return this.#epochEnds(nodeId, request as OffsetForLeaderEpochRequest);
      case 'FindCoordinator':
        return this.#findCoordinator(request as { coordinatorKeys: string[] });
      case 'ConsumerGroupHeartbeat':
        if (nodeId !== this.coordinatorNode)
          return { errorCode: ERROR_CODE.NOT_COORDINATOR, errorMessage: null };
        return this.coordinator.heartbeat(request as ConsumerGroupHeartbeatRequest, this.nowMs);
      case 'CreatePartitions':
        return this.#createPartitions(request as CreatePartitionsRequest);
      case 'OffsetCommit':
        return this.#commit(nodeId, request as OffsetCommitRequest);
      case 'OffsetFetch':
        return this.#committed(nodeId, request as OffsetFetchRequest);
      default:
        throw new KafkaError('UNSUPPORTED_VERSION', `the fake does not serve ${name}`);
    }
  }

  #byId(topicId: string): FakeTopic | undefined {
    return [...this.topics.values()].find((topic) => topic.topicId === topicId);
  }

  #metadata({ topics }: MetadataRequest): MetadataResponse {
    const wanted = topics ?? [...this.topics.values()];
    return {
      throttleTimeMs: 0,
      brokers: this.#nodeIds
        .filter((id) => !this.down.has(id))
        .map((nodeId) => ({ nodeId, host: 'node', port: nodeId, rack: null })),
      clusterId: 'fake',
      controllerId: 1,
      errorCode: 0,
      topics: wanted.map(({ name, topicId }) => {
        const known = name === null ? this.#byId(topicId) : this.topics.get(name);
        const topic = this.knowsTopics ? known : undefined;
        return {
          errorCode: topic === undefined ? ERROR_CODE.UNKNOWN_TOPIC_OR_PARTITION : 0,
          name: topic?.name ?? name,
          topicId: topic?.topicId ?? topicId,
          isInternal: false,
          partitions: (topic?.partitions ?? []).map((log, partitionIndex) => ({
            errorCode: 0,
            partitionIndex,
            leaderId: log.leader,
            leaderEpoch: log.leaderEpoch,
            replicaNodes: [...this.#nodeIds],
            isrNodes: [...this.#nodeIds],
            offlineReplicas: [],
            eligibleLeaderReplicas: [],
          })),
        };
      }),
    };
  }

  #createPartitions({ topics }: CreatePartitionsRequest): unknown {
    return {
      throttleTimeMs: this.throttleTimeMs,
      results: topics.map(({ name, count }) => {
        const topic = this.topics.get(name);
        const errorCode = topic === undefined ? ERROR_CODE.UNKNOWN_TOPIC_OR_PARTITION : 0;
        while (topic !== undefined && topic.partitions.length < count) topic.partitions.push(new FakeLog(1));
        return { name, errorCode, errorMessage: null };
      }),
    };
  }

  /** The log, if this node leads it; else the error to answer with. */
  #led(nodeId: number, log: FakeLog | undefined, currentLeaderEpoch = -1): FakeLog | number {
    if (log === undefined) return ERROR_CODE.UNKNOWN_TOPIC_OR_PARTITION;
    if (log.leader !== nodeId) return ERROR_CODE.NOT_LEADER_OR_FOLLOWER;
    if (currentLeaderEpoch >= 0 && currentLeaderEpoch < log.leaderEpoch)
      return ERROR_CODE.FENCED_LEADER_EPOCH;
    if (currentLeaderEpoch > log.leaderEpoch) return ERROR_CODE.UNKNOWN_LEADER_EPOCH;
    return log;
  }

  #produce(nodeId: number, { topicData }: ProduceRequest): ProduceResponse {
    return {
      throttleTimeMs: 0,
      responses: topicData.map(({ topicId, partitionData }) => ({
        topicId,
        partitionResponses: partitionData.map(({ index, records }) => {
          const log = this.#led(nodeId, this.#byId(topicId)?.partitions[index]);
          const result =
            typeof log === 'number'
              ? { errorCode: log, baseOffset: -1 }
              : log.append(records[0] as Uint8Array);
          return {
            index,
            ...result,
            logAppendTimeMs: -1,
            logStartOffset: -1,
            errorMessage: null,
            currentLeader: { leaderId: -1, leaderEpoch: -1 },
          };
        }),
      })),
    };
  }

  async #fetch(nodeId: number, request: FetchRequest): Promise<FetchResponse> {
    const deadlineMs = this.nowMs + request.maxWaitMs;
    const { timers } = this.world.node('broker').platform;
    for (;;) {
      const response = this.#fetchNow(nodeId, request);
      const all = response.responses.flatMap(({ partitions }) => partitions);
      const isWorthIt = all.some(
        ({ errorCode, records, divergingEpoch }) =>
          errorCode !== 0 || records.length > 0 || divergingEpoch.epoch >= 0,
      );
      if (isWorthIt || this.nowMs >= deadlineMs) return response;
      await new Promise<void>((resolve) => timers.set(10, resolve));
    }
  }

  #fetchNow(nodeId: number, { topics }: FetchRequest): FetchResponse {
    return {
      throttleTimeMs: 0,
      errorCode: 0,
      responses: topics.map(({ topicId, partitions }) => ({
        topicId,
        partitions: partitions.map((asked) => {
          const log = this.#led(
            nodeId,
            this.#byId(topicId)?.partitions[asked.partition],
            asked.currentLeaderEpoch,
          );
          const answer = {
            partitionIndex: asked.partition,
            errorCode: 0,
            highWatermark: -1,
            lastStableOffset: -1,
            logStartOffset: -1,
            divergingEpoch: { epoch: -1, endOffset: -1 },
            currentLeader: { leaderId: -1, leaderEpoch: -1 },
            preferredReadReplica: -1,
            records: [] as Uint8Array[],
          };
          if (typeof log === 'number') return { ...answer, errorCode: log };
          if (asked.fetchOffset < log.logStartOffset || asked.fetchOffset > log.endOffset)
            return { ...answer, errorCode: ERROR_CODE.OFFSET_OUT_OF_RANGE };
          return {
            ...answer,
            highWatermark: log.endOffset,
            logStartOffset: log.logStartOffset,
            records: log.read(asked.fetchOffset, asked.partitionMaxBytes),
          };
        }),
      })),
    };
  }

  #listOffsets(nodeId: number, { topics }: ListOffsetsRequest): unknown {
    return {
      throttleTimeMs: 0,
      topics: topics.map(({ name, partitions }) => ({
        name,
        partitions: partitions.map(({ partitionIndex, timestamp, currentLeaderEpoch }) => {
          const log = this.#led(
            nodeId,
            this.topics.get(name)?.partitions[partitionIndex],
            currentLeaderEpoch,
          );
          if (typeof log === 'number')
            return { partitionIndex, errorCode: log, timestamp: -1, offset: -1, leaderEpoch: -1 };
          if (timestamp >= 0)
            return { partitionIndex, errorCode: 0, ...log.offsetAt(timestamp), leaderEpoch: log.leaderEpoch };
          const offset = timestamp === -2 ? log.logStartOffset : log.endOffset;
          return { partitionIndex, errorCode: 0, timestamp: -1, offset, leaderEpoch: log.leaderEpoch };
        }),
      })),
    };
  }

  #epochEnds(nodeId: number, { topics }: OffsetForLeaderEpochRequest): unknown {
    return {
      throttleTimeMs: 0,
      topics: topics.map(({ topic, partitions }) => ({
        topic,
        partitions: partitions.map(({ partition, leaderEpoch, currentLeaderEpoch }) => {
          const log = this.#led(nodeId, this.topics.get(topic)?.partitions[partition], currentLeaderEpoch);
          if (typeof log === 'number') return { partition, errorCode: log, leaderEpoch: -1, endOffset: -1 };
          return { partition, errorCode: 0, ...log.epochEnd(leaderEpoch) };
        }),
      })),
    };
  }

  #findCoordinator({ coordinatorKeys }: { coordinatorKeys: string[] }): unknown {
    const nodeId = this.coordinatorNode;
    return {
      throttleTimeMs: 0,
      coordinators: coordinatorKeys.map((key) => ({
        key,
        nodeId,
        host: 'node',
        port: nodeId,
        errorCode: 0,
        errorMessage: null,
      })),
    };
  }

  #commit(nodeId: number, request: OffsetCommitRequest): unknown {
    const errorCode =
      nodeId === this.coordinatorNode
        ? this.coordinator.checkCommit(request.memberId, request.generationIdOrMemberEpoch)
        : ERROR_CODE.NOT_COORDINATOR;
    return {
      throttleTimeMs: 0,
      topics: request.topics.map(({ topicId, partitions }) => ({
        topicId,
        partitions: partitions.map(
          ({ partitionIndex, committedOffset, committedLeaderEpoch, committedMetadata }) => {
            if (errorCode === 0)
              this.coordinator.committed.set(`${topicId}:${partitionIndex}`, {
                offset: committedOffset,
                leaderEpoch: committedLeaderEpoch,
                metadata: committedMetadata,
              });
            return { partitionIndex, errorCode };
          },
        ),
      })),
    };
  }

  #committed(nodeId: number, { groups }: OffsetFetchRequest): unknown {
    const isCoordinator = nodeId === this.coordinatorNode;
    return {
      throttleTimeMs: 0,
      groups: groups.map(({ groupId, topics }) => ({
        groupId,
        errorCode: isCoordinator ? 0 : ERROR_CODE.NOT_COORDINATOR,
        topics: (topics ?? []).map(({ topicId, partitionIndexes }) => ({
          topicId,
          partitions: partitionIndexes.map((partitionIndex) => {
            const found = this.coordinator.committed.get(`${topicId}:${partitionIndex}`);
            return {
              partitionIndex,
              committedOffset: found?.offset ?? -1,
              committedLeaderEpoch: found?.leaderEpoch ?? -1,
              metadata: found?.metadata ?? null,
              errorCode: 0,
            };
          }),
        })),
      })),
    };
  }
}
