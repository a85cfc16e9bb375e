/** Altering the configs of topics. */

import type { MetadataImage } from '../metadata/image.ts';
import type { MetadataRecord } from '../metadata/records.ts';
import { TOPIC_CONFIGS, topicConfigProblem } from '../metadata/topic-config.ts';
import { KafkaError } from '../protocol/errors.ts';
import type {
  IncrementalAlterConfigsRequest,
  IncrementalAlterConfigsResponse,
} from '../protocol/messages/incremental-alter-configs.ts';
import { attempt } from './answers.ts';
import { type Decision, Draft } from './draft.ts';
import { applyTopicConfig } from './partitions.ts';
import { unknownTopic } from './topics.ts';

type Resource = IncrementalAlterConfigsRequest['resources'][number];

const TOPIC_RESOURCE = 2;
const OPERATION_SET = 0;
const OPERATION_DELETE = 1;

export function alterConfigs(
  image: MetadataImage,
  request: IncrementalAlterConfigsRequest,
): Decision<IncrementalAlterConfigsResponse> {
  const draft = new Draft(image);
  const responses = request.resources.map((resource) => {
    const { resourceType, resourceName } = resource;
    return { ...attempt(() => alterOne(draft, resource)), resourceType, resourceName };
  });
  const response = { throttleTimeMs: 0, responses };
  return { draft: request.validateOnly ? new Draft(image) : draft, reply: () => response };
}

function alterOne(draft: Draft, resource: Resource): void {
  if (resource.resourceType !== TOPIC_RESOURCE)
    throw new KafkaError(
      'INVALID_REQUEST',
      'only configs of topics can be altered; brokers read theirs at start',
    );
  const topic = draft.image.topicByName(resource.resourceName);
  if (!topic) throw unknownTopic(resource.resourceName);
  const names = resource.configs.map((config) => config.name);
  if (new Set(names).size !== names.length)
    throw new KafkaError('INVALID_REQUEST', 'the request names a config twice');
  draft.pushAll(resource.configs.map((config) => recordOf(topic.id, config)));
  // In the same entry: a lower min.insync.replicas lets the high watermark pass what the ELR holds.
  applyTopicConfig(draft, topic.id);
  draft.note({ topic: topic.name, topicId: topic.id, configs: names }, 'Altered the configs of a topic');
}

function recordOf(topicId: string, config: Resource['configs'][number]): MetadataRecord {
  const { name, configOperation } = config;
  if (configOperation !== OPERATION_SET && configOperation !== OPERATION_DELETE)
    throw new KafkaError(
      'INVALID_REQUEST',
      `topic configs are set (0) or deleted (1), not ${configOperation}`,
    );
  const value = configOperation === OPERATION_SET ? config.value : null;
  const checked = configOperation === OPERATION_SET ? value : (TOPIC_CONFIGS.get(name)?.default ?? null);
  const problem = topicConfigProblem(name, checked);
  if (problem) throw new KafkaError('INVALID_CONFIG', problem);
  return { type: 'Config', topicId, name, value };
}
