import type { TopicImage } from '../metadata/image.ts';
import { readInt8 } from '../protocol/bytes.ts';
import { COMPRESSION } from '../protocol/compression.ts';
import { ERROR_CODE, type ErrorName } from '../protocol/errors.ts';
import { Produce, type ProduceRequest, type ProduceResponse } from '../protocol/messages/produce.ts';
import {
  compressionOf,
  FIELD,
  RECORD_BATCH_HEADER_BYTES,
  RECORD_BATCH_MAGIC,
} from '../protocol/record-batch.ts';
import type { Complete } from '../protocol/schema.ts';
import type { ProducedPartition } from '../replication/led-partition.ts';
import { produceRefusal } from '../replication/partition.ts';
import {
  type BrokerContext,
  currentLeaderOf,
  type Handler,
  leaderEndpoints,
  type RequestContext,
} from './context.ts';
import { topicAsked, unknownTopic } from './topic-asked.ts';

type TopicAnswer = ProduceResponse['responses'][number];
type PartitionData = ProduceRequest['topicData'][number]['partitionData'][number];

/** KIP-110: consumers of the time before could not read it. */
const ZSTD_SINCE = 7;
const ACKS_VALID: ReadonlySet<number> = new Set([-1, 0, 1]);

/** Appends to the partitions that this broker leads; answers once they are as safe as `acks` asks. */
export const produce: Handler<Complete<ProduceRequest>, ProduceResponse> = async (context, request, from) => {
  const refusal = requestProblem(request);
  const responses = await Promise.all(
    request.topicData.map(async ({ topicId, name, partitionData }): Promise<TopicAnswer> => {
      const topic = topicAsked(context.image(), topicId, name);
      const partitionResponses = partitionData.map((data) => {
        if (refusal) return produceRefusal(undefined, data.index, refusal.code, refusal.message);
        if (!topic) return produceRefusal(undefined, data.index, unknownTopic(topicId));
        const problem = partitionProblem(topic, data, from);
        if (problem) return produceRefusal(undefined, data.index, problem.code, problem.message);
        return append(context, request, topic.id, data);
      });
      return {
        name,
        topicId: topic?.id ?? topicId,
        partitionResponses: await Promise.all(partitionResponses),
      };
    }),
  );
  const leaders = new Set<number>();
  let refused = 0;
  for (const { partitionResponses } of responses) {
    for (const { errorCode, currentLeader } of partitionResponses) {
      if (errorCode === ERROR_CODE.NONE) continue;
      refused++;
      leaders.add(currentLeader.leaderId);
    }
  }
  if (request.acks !== 0)
    return { responses, throttleTimeMs: 0, nodeEndpoints: leaderEndpoints(context, leaders, from) };
  context.refusals.inAnswer(Produce.name, request, { responses }, from);
  // Who asked for no answer learns of an error by losing the connection, as in Kafka.
  if (refused > 0 && from.caller.listener === 'kafka')
    from.caller.close('a produce request without acks failed');
  return undefined;
};

interface Problem {
  readonly code: ErrorName;
  readonly message: string;
}

function requestProblem(request: Pick<ProduceRequest, 'acks' | 'transactionalId'>): Problem | undefined {
  if (!ACKS_VALID.has(request.acks))
    return { code: 'INVALID_REQUIRED_ACKS', message: `acks is ${request.acks}; it must be -1 (all), 0 or 1` };
  if (request.transactionalId !== null)
    return { code: 'INVALID_REQUEST', message: 'transactions are not supported' };
  return undefined;
}

/** What the log cannot tell: what the version of the request says about its records. */
function partitionProblem(
  topic: TopicImage,
  { index, records }: PartitionData,
  { caller, apiVersion }: RequestContext,
): Problem | undefined {
  const { length: partitions } = topic.partitions;
  if (index < 0 || index >= partitions)
    return { code: 'UNKNOWN_TOPIC_OR_PARTITION', message: `the topic has ${partitions} partitions` };
  const [batch, ...others] = records;
  if (batch === undefined || others.length > 0)
    return {
      code: 'INVALID_RECORD',
      message: 'one record batch per partition and request, no more, no less',
    };
  if (isOlderFormat(batch))
    return { code: 'INVALID_RECORD', message: `records come in message format ${RECORD_BATCH_MAGIC}` };
  const predatesZstd = caller.listener === 'kafka' && apiVersion < ZSTD_SINCE;
  if (predatesZstd && batch.length >= RECORD_BATCH_HEADER_BYTES && compressionOf(batch) === COMPRESSION.zstd)
    return { code: 'UNSUPPORTED_COMPRESSION_TYPE', message: `zstd takes version ${ZSTD_SINCE} of Produce` };
  return undefined;
}

/** Message sets of the formats 0 and 1, which went with Kafka 4; the number stands in the same place in all formats. */
function isOlderFormat(records: Uint8Array): boolean {
  return records.length > FIELD.magic && readInt8(records, FIELD.magic) < RECORD_BATCH_MAGIC;
}

async function append(
  context: BrokerContext,
  { acks, timeoutMs }: Pick<ProduceRequest, 'acks' | 'timeoutMs'>,
  topicId: string,
  { index, records }: PartitionData,
): Promise<ProducedPartition> {
  const produced = await context.replicas.produce(topicId, index, records, acks, timeoutMs);
  if (produced.errorCode !== ERROR_CODE.NOT_LEADER_OR_FOLLOWER) return produced;
  return { ...produced, currentLeader: currentLeaderOf(context, topicId, index) };
}
