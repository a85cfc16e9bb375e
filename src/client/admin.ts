/**
 * The administrator's client. Every operation is tried again, on another node when one is dead, until its deadline:
 * a controller that moves is a delay. Any broker forwards to the active controller what only that can do.
 */

import { ERROR_CODE, errorFor, KafkaError } from '../protocol/errors.ts';
import { ConsumerGroupDescribe } from '../protocol/messages/consumer-group-describe.ts';
import { CreatePartitions } from '../protocol/messages/create-partitions.ts';
import { CreateTopics } from '../protocol/messages/create-topics.ts';
import { DeleteGroups } from '../protocol/messages/delete-groups.ts';
import { DeleteTopics } from '../protocol/messages/delete-topics.ts';
import { DescribeCluster } from '../protocol/messages/describe-cluster.ts';
import { DescribeQuorum, type DescribeQuorumResponse } from '../protocol/messages/describe-quorum.ts';
import { ListGroups } from '../protocol/messages/list-groups.ts';
import { Metadata } from '../protocol/messages/metadata.ts';
import { ZERO_UUID } from '../protocol/uuid.ts';
import { abortable } from './aborting.ts';
import { clusterDescription, groupDescription, topicDescription, topicListing } from './admin-answers.ts';
import { alterTopicConfigs, describeConfigs } from './admin-configs.ts';
import { electLeaders } from './admin-elections.ts';
import { describeLogDirs } from './admin-logs.ts';
import { alterGroupOffsets } from './admin-offsets.ts';
import { check, only, retryChange } from './admin-retry.ts';
import type {
  AdminOptions,
  ClusterDescription,
  CommittedOffset,
  ConfigDescription,
  ElectionResult,
  GroupDescription,
  GroupListing,
  ListedOffset,
  LogDirDescription,
  NewTopic,
  OffsetSpec,
  TopicDescription,
  TopicListing,
  VoterKey,
} from './admin-types.ts';
import { addVoter, removeVoter } from './admin-voters.ts';
import type { Cluster } from './cluster.ts';
import type { PartitionOffset, TopicPartition } from './consumer-options.ts';
import { ClientError } from './errors.ts';
import {
  EARLIEST_TIMESTAMP,
  fetchCommitted,
  LATEST_TIMESTAMP,
  listOffset,
  MAX_TIMESTAMP,
} from './offset-resolver.ts';

const TIMESTAMP_OF = { earliest: EARLIEST_TIMESTAMP, latest: LATEST_TIMESTAMP, maxTimestamp: MAX_TIMESTAMP };
const ANY_GROUP = '*';

/**
 * Looks after topics, configs, groups and elections. Made by `client.admin()`; it holds nothing, so it need not be closed.
 * Each operation throws a `KafkaError`: the broker's refusal, or what failed last when `timeoutMs` is over.
 */
export class Admin {
  readonly #cluster: Cluster;
  readonly #timeoutMs: number;
  readonly #signal: AbortSignal | undefined;

  constructor(cluster: Cluster, { timeoutMs = 30_000, signal }: AdminOptions = {}) {
    if (!Number.isInteger(timeoutMs) || timeoutMs < 1) {
      const message = `admin: timeoutMs must be a positive integer, not ${timeoutMs}`;
      throw new ClientError('INVALID_CONFIG', message);
    }
    this.#cluster = cluster;
    this.#timeoutMs = timeoutMs;
    this.#signal = signal;
  }

  /**
   * This administrator with other options, for one call or a few: `admin.with({ signal }).createTopic(...)`. A signal that
   * fires ends calls with `ABORTED`; what was asked for may be done nevertheless.
   */
  with(options: AdminOptions): Admin {
    return new Admin(this.#cluster, { timeoutMs: this.#timeoutMs, signal: this.#signal, ...options });
  }

  /** Nothing is held: for `await using`, like the others. */
  async [Symbol.asyncDispose](): Promise<void> {}

  /** Creates a topic and returns its id. A topic that exists is TOPIC_ALREADY_EXISTS. */
  async createTopic({
    name,
    partitions = -1,
    replicationFactor = -1,
    configs = {},
  }: NewTopic): Promise<string> {
    const topic = {
      name,
      numPartitions: partitions,
      replicationFactor,
      assignments: [],
      configs: Object.entries(configs).map(([key, value]) => ({ name: key, value })),
    };
    return this.#change('TOPIC_ALREADY_EXISTS', async (attempt, maybeDone) => {
      const request = { topics: [topic], timeoutMs: this.#timeoutMs, validateOnly: false };
      const answer = only((await this.#cluster.sendAny(CreateTopics, request, attempt)).topics);
      if (maybeDone && answer.errorCode === ERROR_CODE.TOPIC_ALREADY_EXISTS) return this.#topicId(name);
      check(answer);
      return answer.topicId;
    });
  }

  /** Creates several topics, one after the other. */
  async createTopics(topics: readonly NewTopic[]): Promise<void> {
    for (const topic of topics) await this.createTopic(topic);
  }

  /** Deletes topics and their records, one after the other. One that is not there is UNKNOWN_TOPIC_OR_PARTITION. */
  async deleteTopics(names: readonly string[]): Promise<void> {
    for (const name of names) await this.#deleteTopic(name);
  }

  async #deleteTopic(name: string): Promise<void> {
    const request = { topics: [{ name, topicId: ZERO_UUID }], timeoutMs: this.#timeoutMs };
    await this.#change('UNKNOWN_TOPIC_OR_PARTITION', async (attempt) => {
      const answer = only((await this.#cluster.sendAny(DeleteTopics, request, attempt)).responses);
      check(answer);
    });
  }

  /** All topics, by name. */
  async listTopics(): Promise<TopicListing[]> {
    const { topics } = await this.#ask(() =>
      this.#cluster.askAny(Metadata, { topics: null, allowAutoTopicCreation: false }),
    );
    return topics
      .filter(({ errorCode }) => errorCode === ERROR_CODE.NONE)
      .map(topicListing)
      .sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** Leaders, replicas and ISRs. An unknown topic is UNKNOWN_TOPIC_OR_PARTITION. */
  async describeTopics(names: readonly string[]): Promise<TopicDescription[]> {
    const request = {
      topics: names.map((name) => ({ topicId: ZERO_UUID, name })),
      allowAutoTopicCreation: false,
    };
    const { topics } = await this.#ask(() => this.#cluster.askAny(Metadata, request));
    return names.map((name) => {
      const topic = topics.find((each) => each.name === name);
      if (topic === undefined)
        throw new KafkaError('UNKNOWN_TOPIC_OR_PARTITION', `there is no topic ${name}`);
      if (topic.errorCode !== ERROR_CODE.NONE)
        throw errorFor(topic.errorCode, `topic ${name}: ${errorFor(topic.errorCode).message}`);
      return topicDescription(name, topic);
    });
  }

  /** Raises the number of partitions to `total`. */
  async createPartitions(topic: string, total: number): Promise<void> {
    const request = {
      topics: [{ name: topic, count: total, assignments: null }],
      timeoutMs: this.#timeoutMs,
      validateOnly: false,
    };
    // A repeated request for as many as there are already is refused as INVALID_PARTITIONS.
    await this.#change('INVALID_PARTITIONS', async (attempt) => {
      check(only((await this.#cluster.sendAny(CreatePartitions, request, attempt)).results));
    });
  }

  /** Sets configs of a topic; `null` takes one back to its default. */
  async alterConfigs(topic: string, configs: Readonly<Record<string, string | null>>): Promise<void> {
    await this.#change(undefined, (attempt) => alterTopicConfigs(this.#cluster, topic, configs, attempt));
  }

  /** All configs of a topic (by name) or of a broker (by id). */
  describeConfigs(of: { topic: string } | { broker: number }): Promise<ConfigDescription[]> {
    return this.#ask(() => describeConfigs(this.#cluster, of));
  }

  /** Brokers and the active controller; with `includeFenced` (the default) those too that are down or starting. */
  async describeCluster({ includeFenced = true } = {}): Promise<ClusterDescription> {
    return this.#ask(async () => {
      const response = await this.#cluster.askAny(DescribeCluster, { includeFencedBrokers: includeFenced });
      check(response);
      return clusterDescription(response);
    });
  }

  /** The metadata quorum as its leader sees it. */
  async describeQuorum(): Promise<Omit<DescribeQuorumResponse, 'errorCode'>> {
    return this.#ask(async (attempt) => {
      const { errorCode, ...quorum } = await this.#cluster.sendAny(DescribeQuorum, {}, attempt);
      check({ errorCode });
      return quorum;
    });
  }

  /**
   * Gives a node a vote in the metadata quorum; it has to follow it as an observer. Waits until it holds the log. A node
   * that votes already is DUPLICATE_VOTER, one that does not follow VOTER_NOT_FOUND.
   */
  addVoter(voter: VoterKey): Promise<void> {
    return addVoter(this.#cluster, voter, { deadlineMs: this.#deadline(), signal: this.#signal });
  }

  /** Takes the vote from a node. One that has none is VOTER_NOT_FOUND; the last one stays (INVALID_REQUEST). */
  removeVoter(voter: VoterKey): Promise<void> {
    return removeVoter(this.#cluster, voter, { deadlineMs: this.#deadline(), signal: this.#signal });
  }

  /** All groups, by name. */
  async listGroups(): Promise<GroupListing[]> {
    return this.#ask(async () => {
      const request = { statesFilter: [], typesFilter: [] };
      // One node, the active controller, coordinates every group: it is found by the name of any.
      const { coordinators } = this.#cluster;
      const response = await coordinators.send(ANY_GROUP, ListGroups, request, ({ errorCode }) => errorCode);
      check(response);
      return response.groups
        .map(({ groupId, groupState, groupType }) => ({ groupId, state: groupState, type: groupType }))
        .sort((a, b) => (a.groupId < b.groupId ? -1 : 1));
    });
  }

  /** Members and assignments. An unknown group is GROUP_ID_NOT_FOUND. */
  async describeGroups(groupIds: readonly string[]): Promise<GroupDescription[]> {
    return Promise.all(groupIds.map((groupId) => this.#describeGroup(groupId)));
  }

  async #describeGroup(groupId: string): Promise<GroupDescription> {
    return this.#ask(async () => {
      const response = await this.#cluster.coordinators.send(
        groupId,
        ConsumerGroupDescribe,
        { groupIds: [groupId] },
        ({ groups }) => groups[0]?.errorCode ?? ERROR_CODE.NONE,
      );
      const group = only(response.groups);
      check(group);
      return groupDescription(group);
    });
  }

  /** Deletes groups without members, with their offsets. */
  async deleteGroups(groupIds: readonly string[]): Promise<void> {
    for (const groupId of groupIds) {
      await this.#change('GROUP_ID_NOT_FOUND', async () => {
        const response = await this.#cluster.coordinators.send(
          groupId,
          DeleteGroups,
          { groupsNames: [groupId] },
          ({ results }) => results[0]?.errorCode ?? ERROR_CODE.NONE,
        );
        check(only(response.results));
      });
    }
  }

  /** Offsets by time (the first record at or after it) or at an end of the log. */
  async listOffsets(partitions: readonly TopicPartition[], spec: OffsetSpec): Promise<ListedOffset[]> {
    const timestamp = typeof spec === 'string' ? TIMESTAMP_OF[spec] : spec.timestamp;
    const deadlineMs = this.#deadline();
    return Promise.all(
      partitions.map(({ topic, partition }) =>
        this.#ask(async () => {
          const metadata = (await this.#cluster.topic(topic, deadlineMs)).partitions[partition];
          if (metadata === undefined)
            throw new KafkaError('UNKNOWN_TOPIC_OR_PARTITION', `there is no ${topic}-${partition}`);
          if (metadata.leaderId === undefined) this.#cluster.requestUpdate();
          const listed = await listOffset(this.#cluster, topic, metadata, timestamp).catch(
            (error: unknown) => {
              this.#cluster.requestUpdate();
              throw error;
            },
          );
          return { topic, partition, ...listed };
        }),
      ),
    );
  }

  /** What a group has committed. */
  async fetchOffsets(groupId: string): Promise<CommittedOffset[]> {
    const committed = await this.#ask(() => fetchCommitted(this.#cluster, groupId, null));
    const offsets: CommittedOffset[] = [];
    for (const [id, { offset, leaderEpoch, metadata }] of committed) {
      const [topicId = '', partition = ''] = id.split(':');
      const topic = await this.#topicName(topicId);
      // A topic deleted a moment ago.
      if (topic === undefined) continue;
      offsets.push({ topic, partition: Number(partition), offset, leaderEpoch, metadata });
    }
    return offsets.sort((a, b) =>
      a.topic === b.topic ? a.partition - b.partition : a.topic < b.topic ? -1 : 1,
    );
  }

  /** Commits offsets for a group without members; one that has any is NON_EMPTY_GROUP. */
  alterOffsets(groupId: string, offsets: readonly PartitionOffset[]): Promise<void> {
    return abortable(alterGroupOffsets(this.#cluster, groupId, offsets, this.#deadline()), this.#signal);
  }

  /** The logs on one broker's disk, their sizes and ends: of these topics' partitions, or of all. */
  describeLogDirs(broker: number, of: readonly TopicPartition[] | null = null): Promise<LogDirDescription[]> {
    return this.#ask(() => describeLogDirs(this.#cluster, broker, of));
  }

  /** Elects the preferred leaders (or, accepting loss, any replica) of these partitions; by default of all. */
  async electLeaders(
    partitions: readonly TopicPartition[] | null = null,
    { unclean = false } = {},
  ): Promise<ElectionResult[]> {
    return this.#ask((attempt) =>
      electLeaders(this.#cluster, partitions, { unclean, timeoutMs: this.#timeoutMs }, attempt),
    );
  }

  #deadline(): number {
    return this.#cluster.runtime.clock.monotonicMs() + this.#timeoutMs;
  }

  /** For what may be asked or done twice. */
  #ask<T>(attempt: (number: number) => Promise<T>): Promise<T> {
    return this.#cluster.retry(this.#deadline(), attempt, this.#signal);
  }

  /** For changes: one that `doneCode` shows to be carried out already has succeeded. */
  #change<T>(
    doneCode: KafkaError['code'] | undefined,
    attempt: (number: number, maybeDone: boolean) => Promise<T>,
  ): Promise<T> {
    return retryChange(this.#cluster, this.#deadline(), doneCode, attempt, this.#signal);
  }

  async #topicId(name: string): Promise<string> {
    const [topic] = await this.describeTopics([name]);
    return topic?.topicId ?? ZERO_UUID;
  }

  async #topicName(topicId: string): Promise<string | undefined> {
    const known = this.#cluster.metadata.topicById(topicId);
    if (known !== undefined) return known.name;
    const request = { topics: [{ topicId, name: null }], allowAutoTopicCreation: false };
    const { topics } = await this.#ask(() => this.#cluster.askAny(Metadata, request));
    return (
      topics.find((topic) => topic.topicId === topicId && topic.errorCode === ERROR_CODE.NONE)?.name ??
      undefined
    );
  }
}
