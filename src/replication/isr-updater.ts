/**
 * Carries the ISR changes of all partitions led here to the controller: what became due in one turn of the event loop
 * travels in one AlterPartition request. Each partition has at most one change out; its core sorts out the answers.
 */

import { asError } from '../platform/as-error.ts';
import type { Clock, Logger, Timers } from '../platform/ports.ts';
import { ERROR_CODE, errorDefinition } from '../protocol/errors.ts';
import type { AlterPartitionRequest, AlterPartitionResponse } from '../protocol/messages/alter-partition.ts';
import type { AlterOutcome } from './isr-state.ts';
import type { LeaderProposal, PartitionLeader } from './partition-leader.ts';

/** A partition with a change to send. */
export interface ChangingPartition {
  readonly topicId: string;
  readonly partition: number;
  readonly core: PartitionLeader;
  /** Carries out what the core decided when it took in the outcome. */
  afterStep(): void;
}

export interface IsrUpdaterOptions {
  readonly nodeId: number;
  readonly brokerEpoch: () => number;
  readonly alterPartition: (request: AlterPartitionRequest) => Promise<AlterPartitionResponse>;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly logger: Logger;
}

interface Sent {
  readonly partition: ChangingPartition;
  readonly proposal: LeaderProposal;
}

type AnsweredTopic = AlterPartitionResponse['topics'][number];

export class IsrUpdater {
  readonly #options: IsrUpdaterOptions;
  readonly #due = new Set<ChangingPartition>();

  constructor(options: IsrUpdaterOptions) {
    this.#options = options;
  }

  /** The partition's leader has a proposal due; it is taken and sent at the end of this turn. */
  enqueue(partition: ChangingPartition): void {
    if (this.#due.size === 0) this.#options.timers.soon(() => this.#flush());
    this.#due.add(partition);
  }

  #flush(): void {
    const nowMs = this.#options.clock.monotonicMs();
    const sent: Sent[] = [];
    for (const partition of this.#due) {
      const proposal = partition.core.takeProposal(nowMs);
      if (proposal) sent.push({ partition, proposal });
    }
    this.#due.clear();
    if (sent.length > 0) void this.#send(sent);
  }

  async #send(sent: readonly Sent[]): Promise<void> {
    const { alterPartition, clock, logger } = this.#options;
    let response: AlterPartitionResponse | undefined;
    try {
      response = await alterPartition(this.#request(sent));
    } catch (error) {
      logger.warn(
        { reason: asError(error).message, partitions: sent.length },
        'Got no answer to ISR changes, will send them again',
      );
    }
    const nowMs = clock.monotonicMs();
    for (const { partition, proposal } of sent) {
      const outcome = outcomeFor(response, partition);
      const settled = partition.core.onAlterOutcome(proposal.id, outcome, nowMs);
      const error = typeof outcome === 'object' ? errorDefinition(outcome.errorCode).name : outcome;
      const { topicId, partition: index } = partition;
      const isr = proposal.isr.map(({ brokerId }) => brokerId);
      // The controller tells of each change that it made; this tells of those that it did not.
      const level = settled === 'committed' ? 'debug' : 'info';
      logger[level]({ topicId, partition: index, isr, error, settled }, 'Settled an ISR change');
      partition.afterStep();
    }
  }

  #request(sent: readonly Sent[]): AlterPartitionRequest {
    const { nodeId, brokerEpoch } = this.#options;
    const topics = new Map<string, AlterPartitionRequest['topics'][number]>();
    for (const { partition, proposal } of sent) {
      const topic = topics.get(partition.topicId) ?? { topicId: partition.topicId, partitions: [] };
      topics.set(partition.topicId, topic);
      topic.partitions.push({
        partitionIndex: partition.partition,
        leaderEpoch: proposal.leaderEpoch,
        partitionEpoch: proposal.partitionEpoch,
        newIsrWithEpochs: proposal.isr.map((member) =>
          member.brokerId === nodeId ? { brokerId: nodeId, brokerEpoch: brokerEpoch() } : { ...member },
        ),
      });
    }
    return { brokerId: nodeId, brokerEpoch: brokerEpoch(), topics: [...topics.values()] };
  }
}

/** No answer, an answer without this partition, or a failure of the whole request: nobody knows what became of it. */
function outcomeFor(
  response: AlterPartitionResponse | undefined,
  { topicId, partition }: ChangingPartition,
): AlterOutcome {
  if (!response || response.errorCode !== ERROR_CODE.NONE) return 'unknown';
  const topic: AnsweredTopic | undefined = response.topics.find((answered) => answered.topicId === topicId);
  return topic?.partitions.find(({ partitionIndex }) => partitionIndex === partition) ?? 'unknown';
}
