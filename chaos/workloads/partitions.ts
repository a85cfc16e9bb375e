import { Acting } from './acting.ts';
import type { Workload, WorkloadContext, WorkloadKind } from './workload.ts';

const PARTITIONS_MAX = 5;

/** The main topic gets more partitions. */
export const partitions: WorkloadKind = {
  name: 'partitions',
  pausesMs: [0, 0, 15_000],
  start: (context) => new Partitions(context),
};

class Partitions implements Workload {
  readonly #acting: Acting;

  constructor(context: WorkloadContext) {
    const { topic } = context;
    const machine = context.machine('partitions');
    const admin = machine.client().admin({ timeoutMs: 20_000 });
    this.#acting = new Acting(context, machine, async () => {
      if (topic.partitions === PARTITIONS_MAX) return;
      await admin.createPartitions(topic.name, topic.partitions + 1);
      topic.partitions += 1;
    });
  }

  stop(): void {
    this.#acting.stop();
  }

  waitingFor(): string[] {
    return this.#acting.isActing ? ['who adds partitions waits for an answer'] : [];
  }
}
