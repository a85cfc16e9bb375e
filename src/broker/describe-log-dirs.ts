import { ERROR_CODE } from '../protocol/errors.ts';
import type {
  DescribeLogDirsRequest,
  DescribeLogDirsResponse,
} from '../protocol/messages/describe-log-dirs.ts';
import type { ReplicaLogDescription } from '../replication/types.ts';
import type { Handler } from './context.ts';

type TopicAnswer = DescribeLogDirsResponse['results'][number]['topics'][number];

/** The logs on this broker's disk. What is asked for and not here is left out, as in Kafka. */
export const describeLogDirs: Handler<DescribeLogDirsRequest, DescribeLogDirsResponse> = (
  { config, replicas },
  { topics: asked },
) => {
  const wanted = asked && new Map(asked.map(({ topic, partitions }) => [topic, new Set(partitions)]));
  const topics = new Map<string, TopicAnswer>();
  for (const log of replicas.describeLogs()) {
    if (wanted !== null && !wanted.get(log.topicName)?.has(log.partition)) continue;
    const topic = topics.get(log.topicName) ?? { name: log.topicName, partitions: [] };
    topics.set(log.topicName, topic);
    topic.partitions.push(answerOf(log));
  }
  const answer = { errorCode: ERROR_CODE.NONE, logDir: config.logDir, topics: [...topics.values()] };
  return {
    throttleTimeMs: 0,
    errorCode: ERROR_CODE.NONE,
    results: [{ ...answer, totalBytes: -1, usableBytes: -1 }],
  };
};

function answerOf(log: ReplicaLogDescription): TopicAnswer['partitions'][number] {
  const { partition, sizeBytes, logStartOffset, logEndOffset, highWatermark } = log;
  return {
    partitionIndex: partition,
    partitionSize: sizeBytes,
    offsetLag: Math.max(0, highWatermark - logEndOffset),
    isFutureKey: false,
    logStartOffset,
    logEndOffset,
  };
}
