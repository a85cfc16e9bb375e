import type { MetadataImage } from '../../src/metadata/image.ts';
import { ERROR_CODE } from '../../src/protocol/errors.ts';
import {
  AlterPartition,
  type AlterPartitionRequest,
  type AlterPartitionResponse,
} from '../../src/protocol/messages/alter-partition.ts';
import { BrokerHeartbeat } from '../../src/protocol/messages/broker-heartbeat.ts';
import type { Api } from '../../src/protocol/schema.ts';
import type { OdradekNode } from '../../src/server/node.ts';
import type { ClusterNode } from '../cluster/sim-cluster.ts';
import type { Invariant } from './invariant.ts';
import { InvariantViolation } from './violation.ts';

/** Both name the epochs that they go by. */
const WATCHED: ReadonlySet<number> = new Set([BrokerHeartbeat.key, AlterPartition.key]);

interface OfBroker {
  readonly brokerId: number;
  readonly brokerEpoch: number;
}

/**
 * A controller never obeys an epoch that it knows to be over: that of a broker which registered again since, or that
 * of a leader which was replaced.
 */
export class FencedEpochs implements Invariant {
  readonly #guard: (check: () => void) => void;

  /** @param guard Runs a check inside the product's own calls, where a throw would not reach the test. */
  constructor(guard: (check: () => void) => void) {
    this.#guard = guard;
  }

  attach({ id }: ClusterNode, { controller, store }: OdradekNode): void {
    const handle = controller.handle.bind(controller);
    controller.handle = <Request, Response>(api: Api<Request, Response>, request: Request, ...rest: []) => {
      const known = store.image;
      const answered = handle(api, request, ...rest);
      if (!WATCHED.has(api.key)) return answered;
      return answered.then((answer) => {
        this.#guard(() => checkObeyed(`node ${id}`, known, api.key, request, answer));
        return answer;
      });
    };
  }
}

/** What was known when the request came, and what was answered. */
function checkObeyed(
  who: string,
  known: MetadataImage,
  apiKey: number,
  request: unknown,
  answer: unknown,
): void {
  if ((answer as { errorCode: number }).errorCode !== ERROR_CODE.NONE) return;
  const { brokerId, brokerEpoch } = request as OfBroker;
  const { epoch = -1 } = known.brokers.get(brokerId) ?? {};
  if (brokerEpoch < epoch)
    throw new InvariantViolation(
      'fenced broker epoch obeyed',
      `${who}: broker ${brokerId}, ${brokerEpoch} after ${epoch}`,
    );
  if (apiKey === AlterPartition.key)
    checkAltered(who, known, request as AlterPartitionRequest, answer as AlterPartitionResponse);
}

function checkAltered(
  who: string,
  known: MetadataImage,
  { topics }: AlterPartitionRequest,
  answer: AlterPartitionResponse,
): void {
  for (const { topicId, partitions } of topics) {
    const answers = answer.topics.find((topic) => topic.topicId === topicId)?.partitions ?? [];
    for (const wanted of partitions) {
      const { partitionIndex, leaderEpoch, newIsrWithEpochs } = wanted;
      const current = known.partition(topicId, partitionIndex);
      const answered = answers.find((each) => each.partitionIndex === partitionIndex);
      if (!current || answered?.errorCode !== ERROR_CODE.NONE) continue;
      const what = `${who}: ${topicId}-${partitionIndex}`;
      if (leaderEpoch < current.leaderEpoch)
        throw new InvariantViolation(
          'fenced leader epoch obeyed',
          `${what}, epoch ${leaderEpoch} after ${current.leaderEpoch}`,
        );
      // What an earlier process of a broker had proves nothing of what the present one has (KIP-903).
      for (const { brokerId, brokerEpoch } of newIsrWithEpochs) {
        const { epoch = -1 } = known.brokers.get(brokerId) ?? {};
        if (brokerEpoch === -1 || brokerEpoch >= epoch || current.isr.includes(brokerId)) continue;
        throw new InvariantViolation(
          'replica trusted by a fetch of its earlier process',
          `${what}: broker ${brokerId}, ${brokerEpoch} after ${epoch}`,
        );
      }
    }
  }
}
