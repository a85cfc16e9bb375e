import type { MetadataImage, PartitionImage, TopicImage } from '../metadata/image.ts';
import { topicNameProblem } from '../metadata/topic-name.ts';
import { ERROR_CODE, type ErrorName } from '../protocol/errors.ts';
import { CreateTopics } from '../protocol/messages/create-topics.ts';
import type { MetadataRequest, MetadataResponse } from '../protocol/messages/metadata.ts';
import { ZERO_UUID } from '../protocol/uuid.ts';
import { type BrokerContext, type Handler, listenerOf, type RequestContext } from './context.ts';
import { askController } from './forward.ts';
import { topicAsked, unknownTopic } from './topic-asked.ts';

type Asked = NonNullable<MetadataRequest['topics']>[number];
type TopicAnswer = MetadataResponse['topics'][number];

/** How long a client may wait for a topic that it makes come to be: kcat, for one, gives an answer 5 s. */
const AUTO_CREATE_TIMEOUT_MS = 3_000;
/** A committed change is applied within a round trip. */
const APPLIED_WAIT_MS_MAX = 1_000;
const APPLIED_RETRY_MS = 5;

/** Brokers, controller and partitions. `topics: null` means all, an empty list none; each by id or by name. */
export const metadata: Handler<MetadataRequest, MetadataResponse> = async (context, request, from) => {
  if (request.topics && request.allowAutoTopicCreation && context.config.autoCreateTopics)
    await createMissing(context, request.topics, from);
  const image = context.image();
  const brokers = aliveBrokers(image, from);
  const reachable = new Set(brokers.map(({ nodeId }) => nodeId));
  const topics = request.topics
    ? request.topics.map((asked) => describeAsked(image, asked, reachable))
    : image.sortedTopics().map((topic) => describeTopic(image, topic, reachable));
  return {
    throttleTimeMs: 0,
    brokers,
    clusterId: context.clusterId() ?? null,
    controllerId: controllerFor(context, reachable),
    topics,
    errorCode: ERROR_CODE.NONE,
  };
};

/** Whom to send to what the controller decides; any broker passes it on, should the controller not be reachable. */
function controllerFor(context: BrokerContext, reachable: ReadonlySet<number>): number {
  const controllerId = context.controller.controllerId();
  if (controllerId === undefined || reachable.has(controllerId)) return controllerId ?? -1;
  return reachable.has(context.nodeId) ? context.nodeId : -1;
}

/** Those that serve, and have a listener of the kind that was asked through. */
function aliveBrokers(image: MetadataImage, from: RequestContext): MetadataResponse['brokers'] {
  return image.sortedBrokers().flatMap((broker) => {
    const listener = listenerOf(broker, from);
    if (broker.fenced || !listener) return [];
    return [{ nodeId: broker.id, host: listener.host, port: listener.port, rack: broker.rack }];
  });
}

function describeAsked(
  image: MetadataImage,
  { topicId, name }: Asked,
  reachable: ReadonlySet<number>,
): TopicAnswer {
  const topic = topicAsked(image, topicId, name ?? '');
  if (topic) return describeTopic(image, topic, reachable);
  const isNoName = topicId === ZERO_UUID && topicNameProblem(name ?? '') !== undefined;
  const code: ErrorName = isNoName ? 'INVALID_TOPIC_EXCEPTION' : unknownTopic(topicId);
  return { errorCode: ERROR_CODE[code], name, topicId, isInternal: false, partitions: [] };
}

function describeTopic(image: MetadataImage, topic: TopicImage, reachable: ReadonlySet<number>): TopicAnswer {
  return {
    errorCode: ERROR_CODE.NONE,
    name: topic.name,
    topicId: topic.id,
    isInternal: false,
    partitions: topic.partitions.map((partition) => describePartition(image, partition, reachable)),
  };
}

function describePartition(
  image: MetadataImage,
  partition: PartitionImage,
  reachable: ReadonlySet<number>,
): TopicAnswer['partitions'][number] {
  const isOffline = (id: number) => !image.serves(id, partition);
  // Clients know only brokers that are alive and that they can reach: any other leader is as good as none.
  const isLed = partition.leader >= 0 && !isOffline(partition.leader);
  const leads = isLed && reachable.has(partition.leader);
  const missing = isLed ? ERROR_CODE.LISTENER_NOT_FOUND : ERROR_CODE.LEADER_NOT_AVAILABLE;
  return {
    errorCode: leads ? ERROR_CODE.NONE : missing,
    partitionIndex: partition.partition,
    leaderId: leads ? partition.leader : -1,
    leaderEpoch: partition.leaderEpoch,
    replicaNodes: [...partition.replicas],
    isrNodes: [...partition.isr],
    offlineReplicas: partition.replicas.filter(isOffline),
    eligibleLeaderReplicas: [...partition.elr],
  };
}

/**
 * Best effort: what could not be created is answered as unknown, which a client asks again. Waits until this broker
 * knows the new topics itself, so that already the first answer has them.
 */
async function createMissing(
  context: BrokerContext,
  topics: readonly Asked[],
  from: RequestContext,
): Promise<void> {
  const image = context.image();
  const names = topics
    .map(({ name }) => name ?? '')
    .filter((name) => !topicNameProblem(name) && !image.topicByName(name));
  if (names.length === 0) return;
  const request = {
    topics: [...new Set(names)].map((name) => ({
      name,
      numPartitions: -1,
      replicationFactor: -1,
      assignments: [],
      configs: [],
    })),
    timeoutMs: AUTO_CREATE_TIMEOUT_MS,
    validateOnly: false,
  };
  try {
    const created = await askController(context, CreateTopics, request, AUTO_CREATE_TIMEOUT_MS);
    const isThere = ({ errorCode }: { readonly errorCode: number }) =>
      errorCode === ERROR_CODE.NONE || errorCode === ERROR_CODE.TOPIC_ALREADY_EXISTS;
    const refused = created.topics.filter((topic) => !isThere(topic));
    context.refusals.inAnswer(CreateTopics.name, request, { topics: refused }, from);
    for (const { name } of created.topics.filter(isThere)) {
      if (await isApplied(context, name))
        context.logger.info({ topic: name, ...fromOf(from) }, 'Created a topic because it was asked for');
    }
  } catch (error) {
    context.logger.info({ names, err: error, ...fromOf(from) }, 'Topics could not be created');
  }
}

const fromOf = ({ clientId, caller }: RequestContext) => ({ clientId, remote: caller.remote });

/** Waits, not for long, until the image of this broker has the topic. */
async function isApplied(context: BrokerContext, name: string): Promise<boolean> {
  const deadlineMs = context.clock.monotonicMs() + APPLIED_WAIT_MS_MAX;
  while (!context.image().topicByName(name)) {
    if (context.clock.monotonicMs() >= deadlineMs) return false;
    await new Promise<void>((resolve) => context.timers.set(APPLIED_RETRY_MS, resolve));
  }
  return true;
}
