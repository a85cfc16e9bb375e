/** Creating and deleting topics, and adding partitions to them. */

import type { MetadataImage, TopicImage } from '../metadata/image.ts';
import type { MetadataRecord } from '../metadata/records.ts';
import {
  type TopicConfigInForce,
  topicConfigProblem,
  topicConfigsInForce,
} from '../metadata/topic-config.ts';
import { topicNameProblem } from '../metadata/topic-name.ts';
import { KafkaError } from '../protocol/errors.ts';
import type {
  CreatePartitionsRequest,
  CreatePartitionsResponse,
} from '../protocol/messages/create-partitions.ts';
import type { CreateTopicsRequest, CreateTopicsResponse } from '../protocol/messages/create-topics.ts';
import type { DeleteTopicsRequest, DeleteTopicsResponse } from '../protocol/messages/delete-topics.ts';
import { ZERO_UUID } from '../protocol/uuid.ts';
import { attempt } from './answers.ts';
import type { ControllerConfig } from './config.ts';
import { type Decision, Draft } from './draft.ts';
import { checkManualReplicas, newPartitionRecord, placeReplicas } from './new-partitions.ts';

type NewTopic = CreateTopicsRequest['topics'][number];

const MIN_INSYNC_REPLICAS = 'min.insync.replicas';

/** Chance, drawn by the shell: an id for each new topic, and where placement starts. */
export interface Entropy {
  readonly topicIds: readonly string[];
  /** In [0, 1). */
  readonly start: number;
}

/** Partitions that one request may still create. */
interface Budget {
  left: number;
}

export class Topics {
  readonly #config: ControllerConfig;

  constructor(config: ControllerConfig) {
    this.#config = config;
  }

  create(
    image: MetadataImage,
    request: CreateTopicsRequest,
    entropy: Entropy,
  ): Decision<CreateTopicsResponse> {
    const draft = new Draft(image);
    const budget = this.#budgetOf(image);
    const counts = countBy(request.topics.map((topic) => topic.name));
    const topics = request.topics.map((topic, i) => {
      const topicId = entropy.topicIds[i] ?? ZERO_UUID;
      const outcome = attempt(() => {
        if ((counts.get(topic.name) ?? 0) > 1)
          throw new KafkaError('INVALID_REQUEST', `the request names the topic ${topic.name} twice`);
        this.#createOne(draft, topic, topicId, budget, entropy.start);
      });
      return {
        name: topic.name,
        ...outcome,
        ...created(draft.image.topics.get(topicId), request.validateOnly),
      };
    });
    const response = { throttleTimeMs: 0, topics };
    return { draft: request.validateOnly ? new Draft(image) : draft, reply: () => response };
  }

  #createOne(draft: Draft, topic: NewTopic, topicId: string, budget: Budget, start: number): void {
    const { name } = topic;
    const problem = topicNameProblem(name);
    if (problem) throw new KafkaError('INVALID_TOPIC_EXCEPTION', problem);
    if (draft.image.topicByName(name))
      throw new KafkaError('TOPIC_ALREADY_EXISTS', `the topic ${name} exists already`);
    const configs = this.#withDefaults(topic.configs).map((config): MetadataRecord => {
      const wrong = topicConfigProblem(config.name, config.value);
      if (wrong) throw new KafkaError('INVALID_CONFIG', wrong);
      return { type: 'Config', topicId, name: config.name, value: config.value };
    });
    const assignments = this.#assignmentsOf(draft.image, topic, budget, start);
    draft.push({ type: 'Topic', name, topicId }, ...configs);
    draft.pushAll(assignments.map((replicas, p) => newPartitionRecord(draft.image, topicId, p, replicas)));
    draft.note({ topic: name, topicId, partitions: assignments.length }, 'Created a topic');
  }

  /** The cluster's own defaults become the topic's at its creation, so that a later change of them changes no topic. */
  #withDefaults(configs: NewTopic['configs']): NewTopic['configs'] {
    const { defaultMinInsyncReplicas } = this.#config;
    if (defaultMinInsyncReplicas === 1 || configs.some(({ name }) => name === MIN_INSYNC_REPLICAS))
      return configs;
    return [...configs, { name: MIN_INSYNC_REPLICAS, value: String(defaultMinInsyncReplicas) }];
  }

  #assignmentsOf(image: MetadataImage, topic: NewTopic, budget: Budget, start: number): number[][] {
    if (topic.assignments.length > 0) return this.#manualAssignments(image, topic, budget);
    const { defaultPartitions, defaultReplicationFactor } = this.#config;
    const count = topic.numPartitions === -1 ? defaultPartitions : topic.numPartitions;
    const replicationFactor =
      topic.replicationFactor === -1 ? defaultReplicationFactor : topic.replicationFactor;
    if (count < 1) throw new KafkaError('INVALID_PARTITIONS', `${count} is not a number of partitions`);
    if (replicationFactor < 1)
      throw new KafkaError('INVALID_REPLICATION_FACTOR', `${replicationFactor} is not a replication factor`);
    this.#checkBudget(budget, count);
    const replicas = placeReplicas(image, { count, replicationFactor, topicSoFar: [], start });
    budget.left -= count;
    return replicas;
  }

  #manualAssignments(image: MetadataImage, topic: NewTopic, budget: Budget): number[][] {
    if (topic.numPartitions !== -1 || topic.replicationFactor !== -1)
      throw new KafkaError('INVALID_REQUEST', 'with a manual assignment, partitions and replicas must be -1');
    this.#checkBudget(budget, topic.assignments.length);
    const sorted = [...topic.assignments].sort((a, b) => a.partitionIndex - b.partitionIndex);
    if (sorted.some((assignment, i) => assignment.partitionIndex !== i))
      throw new KafkaError(
        'INVALID_REPLICA_ASSIGNMENT',
        'the manual assignment does not name each partition from 0 on once',
      );
    const replicationFactor = sorted[0]?.brokerIds.length ?? 0;
    for (const { brokerIds } of sorted) checkManualReplicas(image, brokerIds, replicationFactor);
    budget.left -= sorted.length;
    return sorted.map((assignment) => assignment.brokerIds);
  }

  delete(image: MetadataImage, request: DeleteTopicsRequest): Decision<DeleteTopicsResponse> {
    const draft = new Draft(image);
    const responses = request.topics.map((wanted) => {
      const topic = wanted.name === null ? image.topics.get(wanted.topicId) : image.topicByName(wanted.name);
      const outcome = attempt(() => deleteOne(draft, wanted, topic));
      return { name: topic?.name ?? wanted.name, topicId: topic?.id ?? wanted.topicId, ...outcome };
    });
    return { draft, reply: () => ({ throttleTimeMs: 0, responses }) };
  }

  addPartitions(
    image: MetadataImage,
    request: CreatePartitionsRequest,
    start: number,
  ): Decision<CreatePartitionsResponse> {
    const draft = new Draft(image);
    const budget = this.#budgetOf(image);
    const results = request.topics.map((wanted) => {
      const outcome = attempt(() => this.#addToOne(draft, wanted, budget, start));
      return { name: wanted.name, ...outcome };
    });
    const response = { throttleTimeMs: 0, results };
    return { draft: request.validateOnly ? new Draft(image) : draft, reply: () => response };
  }

  #addToOne(
    draft: Draft,
    wanted: CreatePartitionsRequest['topics'][number],
    budget: Budget,
    start: number,
  ): void {
    const topic = draft.image.topicByName(wanted.name);
    if (!topic) throw unknownTopic(wanted.name);
    const before = topic.partitions.length;
    const count = wanted.count - before;
    if (count < 1)
      throw new KafkaError(
        'INVALID_PARTITIONS',
        `the topic ${topic.name} has ${before} partitions; it can only get more, not ${wanted.count}`,
      );
    this.#checkBudget(budget, count);
    const topicSoFar = topic.partitions.map((partition) => partition.replicas);
    const replicationFactor = topicSoFar[0]?.length ?? 1;
    const chosen = wanted.assignments?.map((assignment) => assignment.brokerIds);
    if (chosen && chosen.length !== count)
      throw new KafkaError(
        'INVALID_REPLICA_ASSIGNMENT',
        `the manual assignment has ${chosen.length} partitions, but ${count} are new`,
      );
    for (const replicas of chosen ?? []) checkManualReplicas(draft.image, replicas, replicationFactor);
    const added = chosen ?? placeReplicas(draft.image, { count, replicationFactor, topicSoFar, start });
    draft.pushAll(
      added.map((replicas, i) => newPartitionRecord(draft.image, topic.id, before + i, replicas)),
    );
    draft.note({ topic: topic.name, topicId: topic.id, partitions: wanted.count }, 'Added partitions');
    budget.left -= count;
  }

  #budgetOf(image: MetadataImage): Budget {
    let partitions = 0;
    for (const topic of image.topics.values()) partitions += topic.partitions.length;
    const { partitionsPerRequestMax, partitionsMax } = this.#config;
    return { left: Math.min(partitionsPerRequestMax, Math.max(0, partitionsMax - partitions)) };
  }

  #checkBudget(budget: Budget, count: number): void {
    if (count <= budget.left) return;
    const { partitionsPerRequestMax, partitionsMax } = this.#config;
    throw new KafkaError(
      'INVALID_PARTITIONS',
      `${count} more partitions are too many: a request creates at most ${partitionsPerRequestMax}, ` +
        `the cluster holds at most ${partitionsMax}`,
    );
  }
}

function deleteOne(
  draft: Draft,
  wanted: DeleteTopicsRequest['topics'][number],
  topic: TopicImage | undefined,
): void {
  if (wanted.name !== null && wanted.topicId !== ZERO_UUID)
    throw new KafkaError('INVALID_REQUEST', 'name a topic by its name or by its id, not by both');
  if (!topic && wanted.name === null)
    throw new KafkaError('UNKNOWN_TOPIC_ID', `no topic has the id ${wanted.topicId}`);
  if (!topic || !draft.image.topics.has(topic.id)) throw unknownTopic(wanted.name ?? topic?.name ?? '');
  draft.push({ type: 'RemoveTopic', topicId: topic.id });
  draft.note({ topic: topic.name, topicId: topic.id }, 'Deleted a topic');
}

export function unknownTopic(name: string): KafkaError {
  return new KafkaError('UNKNOWN_TOPIC_OR_PARTITION', `there is no topic ${JSON.stringify(name)}`);
}

function created(topic: TopicImage | undefined, validateOnly: boolean) {
  return {
    topicId: topic && !validateOnly ? topic.id : ZERO_UUID,
    numPartitions: topic?.partitions.length ?? -1,
    replicationFactor: topic?.partitions[0]?.replicas.length ?? -1,
    configs: topic ? topicConfigsInForce(topic.configs).map(shown) : null,
  };
}

/** KIP-525: a creator sees at once what the topic got. */
function shown({ definition: { name }, value, source }: TopicConfigInForce) {
  return { name, value, readOnly: false, configSource: source, isSensitive: false };
}

function countBy(names: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return counts;
}
