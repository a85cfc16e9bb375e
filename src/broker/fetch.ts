import { COMPRESSION } from '../protocol/compression.ts';
import { ERROR_CODE, KafkaError } from '../protocol/errors.ts';
import type { FetchRequest, FetchResponse } from '../protocol/messages/fetch.ts';
import { compressionOf } from '../protocol/record-batch.ts';
import type { Complete } from '../protocol/schema.ts';
import { ZERO_UUID } from '../protocol/uuid.ts';
import { fetchRefusal } from '../replication/partition.ts';
import { type BrokerContext, currentLeaderOf, type Handler, leaderEndpoints } from './context.ts';
import { topicAsked, unknownTopic } from './topic-asked.ts';

type TopicAnswer = FetchResponse['responses'][number];
type FetchedPartition = TopicAnswer['partitions'][number];

/** KIP-110: consumers of the time before cannot read it. */
const ZSTD_SINCE = 10;

/**
 * Reads for consumers and followers. The replica manager keeps to the limits of the request as a whole and waits for
 * `minBytes`; what is added here is what only the cluster's metadata knows. Fetch sessions (KIP-227) are never made, so
 * every fetch names all that it wants.
 */
export const fetch: Handler<Complete<FetchRequest>, FetchResponse> = async (context, request, from) => {
  // Brokers follow each other over WebSockets: here, a replica could only be somebody who pretends to be one.
  if (from.caller.listener === 'kafka' && request.replicaState.replicaId >= 0) {
    throw new KafkaError('CLUSTER_AUTHORIZATION_FAILED', 'replicas do not fetch from this listener');
  }
  if (request.sessionEpoch > 0) {
    return { throttleTimeMs: 0, errorCode: ERROR_CODE.FETCH_SESSION_ID_NOT_FOUND, responses: [] };
  }
  const { asked, names, unknown } = byId(context, request);
  const fetched = await context.replicas.fetch(asked, (bytesMax) => from.reserveAnswer(bytesMax));
  const predatesZstd = from.caller.listener === 'kafka' && from.apiVersion < ZSTD_SINCE;
  const found = predatesZstd ? fetched.responses.map(upToZstd) : fetched.responses;
  const leaders = new Set<number>();
  const explained = found.map((topic): TopicAnswer => {
    const name = names?.get(topic.topicId);
    if (name === undefined && topic.partitions.every(isFetched)) return topic;
    const partitions = topic.partitions.map((partition) => {
      if (isFetched(partition)) return partition;
      const refused = explain(context, topic.topicId, partition, name);
      leaders.add(refused.currentLeader.leaderId);
      return refused;
    });
    return { topic: name ?? '', topicId: topic.topicId, partitions };
  });
  const responses = unknown.length > 0 ? [...explained, ...unknown] : explained;
  const { throttleTimeMs, errorCode } = fetched;
  return { throttleTimeMs, errorCode, responses, nodeEndpoints: leaderEndpoints(context, leaders, from) };
};

interface Resolved {
  readonly asked: FetchRequest;
  /** By id, the names of the topics that were asked for by name. */
  readonly names: ReadonlyMap<string, string> | undefined;
  /** The answers for names that no topic has. */
  readonly unknown: readonly TopicAnswer[];
}

function byId(context: BrokerContext, request: Complete<FetchRequest>): Resolved {
  if (!request.topics.some(({ topicId }) => topicId === ZERO_UUID))
    return { asked: request, names: undefined, unknown: [] };
  const names = new Map<string, string>();
  const unknown: TopicAnswer[] = [];
  const topics = request.topics.flatMap((asked) => {
    const topicId = topicAsked(context.image(), asked.topicId, asked.topic)?.id;
    if (topicId === undefined && asked.topicId === ZERO_UUID) {
      const partitions = asked.partitions.map((entry) =>
        fetchRefusal(undefined, entry, 'UNKNOWN_TOPIC_OR_PARTITION'),
      );
      unknown.push({ topic: asked.topic, topicId: ZERO_UUID, partitions });
      return [];
    }
    if (asked.topicId !== ZERO_UUID || topicId === undefined) return [asked];
    names.set(topicId, asked.topic);
    return [{ ...asked, topicId }];
  });
  // An error is told at once.
  const maxWaitMs = unknown.length > 0 ? 0 : request.maxWaitMs;
  return { asked: { ...request, topics, maxWaitMs }, names, unknown };
}

/** Without the first batch that is compressed with zstd and all behind it; an error where nothing is left. */
function upToZstd(topic: TopicAnswer): TopicAnswer {
  const partitions = topic.partitions.map((partition) => {
    // Each run of a read is one batch.
    const at = partition.records.findIndex((batch) => compressionOf(batch) === COMPRESSION.zstd);
    if (at < 0) return partition;
    const errorCode = at > 0 ? partition.errorCode : ERROR_CODE.UNSUPPORTED_COMPRESSION_TYPE;
    return { ...partition, errorCode, records: partition.records.slice(0, at) };
  });
  return { ...topic, partitions };
}

const isFetched = ({ errorCode }: FetchedPartition) => errorCode === ERROR_CODE.NONE;

/** Why the partition is not here, and where it is (KIP-951). */
function explain(
  context: BrokerContext,
  topicId: string,
  fetched: FetchedPartition,
  name: string | undefined,
): FetchedPartition {
  const { errorCode, partitionIndex } = fetched;
  const isElsewhere =
    errorCode === ERROR_CODE.NOT_LEADER_OR_FOLLOWER || errorCode === ERROR_CODE.UNKNOWN_TOPIC_OR_PARTITION;
  if (!isElsewhere) return fetched;
  const topic = context.image().topics.get(topicId);
  if (!topic)
    return { ...fetched, errorCode: ERROR_CODE[unknownTopic(name === undefined ? topicId : ZERO_UUID)] };
  if (partitionIndex < 0 || partitionIndex >= topic.partitions.length)
    return { ...fetched, errorCode: ERROR_CODE.UNKNOWN_TOPIC_OR_PARTITION };
  return {
    ...fetched,
    errorCode: ERROR_CODE.NOT_LEADER_OR_FOLLOWER,
    currentLeader: currentLeaderOf(context, topicId, partitionIndex),
  };
}
