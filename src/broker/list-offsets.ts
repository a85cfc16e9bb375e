import { ERROR_CODE } from '../protocol/errors.ts';
import type { ListOffsetsRequest, ListOffsetsResponse } from '../protocol/messages/list-offsets.ts';
import type { ListedOffset } from '../replication/led-partition.ts';
import { type BrokerContext, type Handler, logRefusal } from './context.ts';

type Asked = ListOffsetsRequest['topics'][number]['partitions'][number];

/** Finds offsets by timestamp in the partitions that this broker leads. */
export const listOffsets: Handler<ListOffsetsRequest, ListOffsetsResponse> = async (
  context,
  request,
  from,
) => {
  const topics = await Promise.all(
    request.topics.map(async ({ name, partitions }) => ({
      name,
      partitions: await Promise.all(partitions.map((asked) => find(context, name, asked))),
    })),
  );
  for (const { name, partitions } of topics) {
    for (const { partitionIndex: partition, errorCode } of partitions) {
      if (errorCode !== ERROR_CODE.NONE)
        logRefusal(context, from, { topic: name, partition, errorCode }, 'Offset listing refused');
    }
  }
  return { throttleTimeMs: 0, topics };
};

async function find(context: BrokerContext, name: string, asked: Asked): Promise<ListedOffset> {
  const { partitionIndex, currentLeaderEpoch, timestamp } = asked;
  const topic = context.image().topicByName(name);
  if (!topic || partitionIndex < 0 || partitionIndex >= topic.partitions.length) {
    const errorCode = ERROR_CODE.UNKNOWN_TOPIC_OR_PARTITION;
    return { partitionIndex, errorCode, timestamp: -1, offset: -1, leaderEpoch: -1 };
  }
  return await context.replicas.listOffset(topic.id, partitionIndex, timestamp, currentLeaderEpoch);
}
