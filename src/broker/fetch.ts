import { ERROR_CODE } from '../protocol/errors.ts';
import type { FetchRequest, FetchResponse } from '../protocol/messages/fetch.ts';
import { type BrokerContext, currentLeaderOf, type Handler, logRefusal } from './context.ts';

type FetchedPartition = FetchResponse['topics'][number]['partitions'][number];

/**
 * Reads for consumers and followers. The replica manager keeps to the limits of the request as a whole and waits for
 * `minBytes`; what is added here is what only the cluster's metadata knows.
 */
export const fetch: Handler<FetchRequest, FetchResponse> = async (context, request, from) => {
  const response = await context.replicas.fetch(request);
  if (response.topics.every(({ partitions }) => partitions.every(isFetched))) return response;
  const topics = response.topics.map(({ topicId, partitions }) => ({
    topicId,
    partitions: partitions.map((fetched) => {
      if (isFetched(fetched)) return fetched;
      const refused = explain(context, topicId, fetched);
      const { partitionIndex, errorCode } = refused;
      const fields = { topicId, partition: partitionIndex, errorCode, replicaId: request.replicaId };
      logRefusal(context, from, fields, 'Fetch refused');
      return refused;
    }),
  }));
  return { ...response, topics };
};

const isFetched = ({ errorCode }: FetchedPartition) => errorCode === ERROR_CODE.NONE;

/** Why the partition is not here, and where it is (KIP-951). */
function explain(context: BrokerContext, topicId: string, fetched: FetchedPartition): FetchedPartition {
  const { errorCode, partitionIndex } = fetched;
  const isElsewhere =
    errorCode === ERROR_CODE.NOT_LEADER_OR_FOLLOWER || errorCode === ERROR_CODE.UNKNOWN_TOPIC_OR_PARTITION;
  if (!isElsewhere) return fetched;
  const topic = context.image().topics.get(topicId);
  if (!topic) return { ...fetched, errorCode: ERROR_CODE.UNKNOWN_TOPIC_ID };
  if (partitionIndex < 0 || partitionIndex >= topic.partitions.length)
    return { ...fetched, errorCode: ERROR_CODE.UNKNOWN_TOPIC_OR_PARTITION };
  return {
    ...fetched,
    errorCode: ERROR_CODE.NOT_LEADER_OR_FOLLOWER,
    currentLeader: currentLeaderOf(context, topicId, partitionIndex),
  };
}
