import { ERROR_CODE } from '../protocol/errors.ts';
import type {
  OffsetForLeaderEpochRequest,
  OffsetForLeaderEpochResponse,
} from '../protocol/messages/offset-for-leader-epoch.ts';
import type { EpochEndOffset } from '../replication/led-partition.ts';
import type { BrokerContext, Handler } from './context.ts';

type Asked = OffsetForLeaderEpochRequest['topics'][number]['partitions'][number];

/** Where a leader epoch ends in the log, so that a reader learns whether its position was truncated (KIP-320). */
export const offsetForLeaderEpoch: Handler<OffsetForLeaderEpochRequest, OffsetForLeaderEpochResponse> = (
  context,
  request,
) => {
  const topics = request.topics.map(({ topic, partitions }) => ({
    topic,
    partitions: partitions.map((asked) => find(context, topic, asked)),
  }));
  return { throttleTimeMs: 0, topics };
};

function find(context: BrokerContext, name: string, asked: Asked): EpochEndOffset {
  const { partition, currentLeaderEpoch, leaderEpoch } = asked;
  const topic = context.image().topicByName(name);
  if (!topic || partition < 0 || partition >= topic.partitions.length) {
    return { errorCode: ERROR_CODE.UNKNOWN_TOPIC_OR_PARTITION, partition, leaderEpoch: -1, endOffset: -1 };
  }
  return context.replicas.offsetForLeaderEpoch(topic.id, partition, leaderEpoch, currentLeaderEpoch);
}
