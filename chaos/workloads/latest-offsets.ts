import { InvariantViolation } from '../invariants/violation.ts';
import { Acting } from './acting.ts';
import type { Workload, WorkloadContext, WorkloadKind } from './workload.ts';

/** Asks where the partitions of the main topic end: for one client that never goes back, whoever leads (KIP-207). */
export const latestOffsets: WorkloadKind = {
  name: 'latestOffsets',
  pausesMs: [0, 0, 300, 2000],
  start: (context) => new LatestOffsets(context),
};

class LatestOffsets implements Workload {
  readonly #acting: Acting;
  readonly #ends: number[] = [];

  constructor(context: WorkloadContext) {
    const { topic, random } = context;
    const machine = context.machine('latest');
    const admin = machine.client().admin({ timeoutMs: 20_000 });
    this.#acting = new Acting(context, machine, async () => {
      const partition = random.between(0, topic.partitions - 1);
      const [listed] = await admin.listOffsets([{ topic: topic.name, partition }], 'latest');
      if (listed) this.#check(partition, listed.offset);
    });
  }

  stop(): void {
    this.#acting.stop();
  }

  waitingFor(): string[] {
    return this.#acting.isActing ? ['who asks for the latest offsets waits for an answer'] : [];
  }

  #check(partition: number, offset: number): void {
    const before = this.#ends[partition] ?? 0;
    if (offset < before)
      throw new InvariantViolation(
        'latest offset goes back',
        `partition ${partition}: ${before}, then ${offset}`,
      );
    this.#ends[partition] = offset;
  }
}
