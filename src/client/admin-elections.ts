/** Elections of partition leaders that an administrator asks for. */

import { ERROR_CODE, errorFor } from '../protocol/errors.ts';
import { ElectLeaders } from '../protocol/messages/elect-leaders.ts';
import { check } from './admin-retry.ts';
import type { ElectionResult } from './admin-types.ts';
import type { Cluster } from './cluster.ts';
import type { TopicPartition } from './consumer-options.ts';
import { byTopic } from './grouping.ts';

const PREFERRED = 0;
const UNCLEAN = 1;

/** Elects leaders of these partitions, or of all where they are `null`. One attempt. */
export async function electLeaders(
  cluster: Cluster,
  partitions: readonly TopicPartition[] | null,
  { unclean, timeoutMs }: { readonly unclean: boolean; readonly timeoutMs: number },
  attempt: number,
): Promise<ElectionResult[]> {
  const request = {
    electionType: unclean ? UNCLEAN : PREFERRED,
    topicPartitions: partitions && byTopic(partitions),
    timeoutMs,
  };
  const response = await cluster.sendAny(ElectLeaders, request, attempt);
  check(response);
  return response.replicaElectionResults.flatMap(({ topic, partitionResult }) =>
    partitionResult.map(({ partitionId, errorCode, errorMessage }) => ({
      topic,
      partition: partitionId,
      error: errorCode === ERROR_CODE.NONE ? undefined : errorFor(errorCode, errorMessage),
    })),
  );
}
