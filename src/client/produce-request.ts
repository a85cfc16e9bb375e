/** The produce request of a few batches, and which of its answers is whose. */

import { ERROR_CODE } from '../protocol/errors.ts';
import type { ProduceRequest, ProduceResponse } from '../protocol/messages/produce.ts';
import type { ProducerBatch } from './accumulator.ts';
import type { ProduceWork } from './sender-types.ts';

type RequestTopic = ProduceRequest['topicData'][number];
type Answer = ProduceResponse['responses'][number]['partitionResponses'][number];

export interface ProduceExchange {
  readonly request: ProduceRequest;
  /** The id under which each topic went out: by the time of the answer a name may mean another topic. */
  readonly topicIds: ReadonlyMap<string, string>;
}

export function produceExchange(
  work: ProduceWork,
  topicIdOf: (topic: string) => string,
  acks: number,
  timeoutMs: number,
): ProduceExchange {
  const topics = new Map<string, RequestTopic>();
  const topicIds = new Map<string, string>();
  for (const batch of work.batches) {
    let topic = topics.get(batch.topic);
    if (topic === undefined) {
      topic = { topicId: topicIdOf(batch.topic), partitionData: [] };
      topics.set(batch.topic, topic);
      topicIds.set(batch.topic, topic.topicId);
    }
    topic.partitionData.push({ index: batch.partition, records: [batch.bytes()] });
  }
  return { request: { transactionalId: null, acks, timeoutMs, topicData: [...topics.values()] }, topicIds };
}

/** One answer for each batch. A batch that the broker left out may or may not have been written. */
export function answersOf(
  work: ProduceWork,
  { topicIds }: ProduceExchange,
  { responses }: ProduceResponse,
): { readonly batch: ProducerBatch; readonly topicId: string; readonly answer: Answer }[] {
  return work.batches.map((batch) => {
    const topicId = topicIds.get(batch.topic) as string;
    const answer = responses
      .find((topic) => topic.topicId === topicId)
      ?.partitionResponses.find(({ index }) => index === batch.partition);
    return { batch, topicId, answer: answer ?? missing(batch.partition) };
  });
}

const missing = (index: number): Answer => ({
  index,
  errorCode: ERROR_CODE.REQUEST_TIMED_OUT,
  baseOffset: -1,
  logAppendTimeMs: -1,
  logStartOffset: -1,
  errorMessage: 'the broker did not mention this partition in its answer',
  currentLeader: { leaderId: -1, leaderEpoch: -1 },
});
