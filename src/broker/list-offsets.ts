import { ERROR_CODE, type ErrorName } from '../protocol/errors.ts';
import type { ListOffsetsRequest, ListOffsetsResponse } from '../protocol/messages/list-offsets.ts';
import type { ListedOffset } from '../replication/led-partition.ts';
import type { BrokerContext, Handler, RequestContext } from './context.ts';

type Asked = ListOffsetsRequest['topics'][number]['partitions'][number];

/** The positions that Kafka writes as negative timestamps, by the version of its protocol that brought each. */
const POSITION_SINCE: ReadonlyMap<number, number> = new Map([
  [-1, 0],
  [-2, 0],
  [-3, 7],
  [-4, 8],
  [-5, 9],
  [-6, 11],
]);
const OFFSET_NOT_AVAILABLE_SINCE = 5;

/** Finds offsets by timestamp in the partitions that this broker leads. */
export const listOffsets: Handler<ListOffsetsRequest, ListOffsetsResponse> = async (
  context,
  request,
  from,
) => {
  const topics = await Promise.all(
    request.topics.map(async ({ name, partitions }) => ({
      name,
      partitions: await Promise.all(
        partitions.map(async (asked) => inTermsOf(from, await find(context, from, name, asked))),
      ),
    })),
  );
  return { throttleTimeMs: 0, topics };
};

async function find(
  context: BrokerContext,
  from: RequestContext,
  name: string,
  asked: Asked,
): Promise<ListedOffset> {
  const { partitionIndex, currentLeaderEpoch, timestamp } = asked;
  const refused = (code: ErrorName): ListedOffset => ({
    ...{ partitionIndex, errorCode: ERROR_CODE[code] },
    ...{ timestamp: -1, offset: -1, leaderEpoch: -1 },
  });
  const topic = context.image().topicByName(name);
  if (!topic || partitionIndex < 0 || partitionIndex >= topic.partitions.length)
    return refused('UNKNOWN_TOPIC_OR_PARTITION');
  if (timestamp < 0 && !isKnownPosition(from, timestamp)) return refused('UNSUPPORTED_VERSION');
  return await context.replicas.listOffset(topic.id, partitionIndex, timestamp, currentLeaderEpoch);
}

/** Whether a negative timestamp means something in the version that the caller speaks. */
function isKnownPosition({ caller, apiVersion }: RequestContext, timestamp: number): boolean {
  const since = POSITION_SINCE.get(timestamp);
  return since !== undefined && (caller.listener === 'ws' || apiVersion >= since);
}

/** OFFSET_NOT_AVAILABLE came with version 5 (KIP-207); who is older is told something that is retried as well. */
function inTermsOf({ caller, apiVersion }: RequestContext, listed: ListedOffset): ListedOffset {
  const isNewToCaller = caller.listener === 'kafka' && apiVersion < OFFSET_NOT_AVAILABLE_SINCE;
  if (listed.errorCode !== ERROR_CODE.OFFSET_NOT_AVAILABLE || !isNewToCaller) return listed;
  return { ...listed, errorCode: ERROR_CODE.LEADER_NOT_AVAILABLE };
}
