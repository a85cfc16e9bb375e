import { ERROR_CODE, type ErrorName } from '../protocol/errors.ts';
import type { ProduceRequest, ProduceResponse } from '../protocol/messages/produce.ts';
import type { ProducedPartition } from '../replication/led-partition.ts';
import { produceRefusal } from '../replication/partition.ts';
import { type BrokerContext, currentLeaderOf, type Handler, logRefusal } from './context.ts';

type TopicAnswer = ProduceResponse['topics'][number];
type PartitionData = ProduceRequest['topics'][number]['partitions'][number];

const ACKS_VALID: ReadonlySet<number> = new Set([-1, 0, 1]);

/** Appends to the partitions that this broker leads; answers once they are as safe as `acks` asks. */
export const produce: Handler<ProduceRequest, ProduceResponse> = async (context, request, from) => {
  const refusal = requestProblem(request);
  const topics = await Promise.all(
    request.topics.map(
      async ({ topicId, partitions }): Promise<TopicAnswer> => ({
        topicId,
        partitions: await Promise.all(
          partitions.map((data) => {
            const code = refusal?.code ?? partitionProblem(context, topicId, data);
            if (code) return produceRefusal(undefined, data.index, code, refusal?.message);
            return append(context, request, topicId, data);
          }),
        ),
      }),
    ),
  );
  for (const { topicId, partitions } of topics) {
    for (const { index, errorCode, errorMessage } of partitions) {
      if (errorCode === ERROR_CODE.NONE) continue;
      logRefusal(context, from, { topicId, partition: index, errorCode, errorMessage }, 'Produce refused');
    }
  }
  return request.acks === 0 ? undefined : { topics, throttleTimeMs: 0 };
};

function requestProblem(request: ProduceRequest): { code: ErrorName; message: string } | undefined {
  if (!ACKS_VALID.has(request.acks))
    return { code: 'INVALID_REQUIRED_ACKS', message: `acks is ${request.acks}; it must be -1 (all), 0 or 1` };
  if (request.transactionalId !== null)
    return { code: 'INVALID_REQUEST', message: 'transactions are not supported' };
  return undefined;
}

function partitionProblem(
  context: BrokerContext,
  topicId: string,
  { index, records }: PartitionData,
): ErrorName | undefined {
  const topic = context.image().topics.get(topicId);
  if (!topic) return 'UNKNOWN_TOPIC_ID';
  if (index < 0 || index >= topic.partitions.length) return 'UNKNOWN_TOPIC_OR_PARTITION';
  if (records.length === 0) return 'INVALID_RECORD';
  return undefined;
}

async function append(
  context: BrokerContext,
  { acks, timeoutMs }: ProduceRequest,
  topicId: string,
  { index, records }: PartitionData,
): Promise<ProducedPartition> {
  const produced = await context.replicas.produce(topicId, index, records, acks, timeoutMs);
  if (produced.errorCode !== ERROR_CODE.NOT_LEADER_OR_FOLLOWER) return produced;
  return { ...produced, currentLeader: currentLeaderOf(context, topicId, index) };
}
