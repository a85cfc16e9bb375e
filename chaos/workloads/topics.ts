import { Acting } from './acting.ts';
import type { Workload, WorkloadContext, WorkloadKind } from './workload.ts';

/** An administrator creates topics beside the main one, and deletes them. */
export const topics: WorkloadKind = {
  name: 'topics',
  pausesMs: [0, 4000, 15_000],
  start: (context) => new Topics(context),
};

class Topics implements Workload {
  readonly #acting: Acting;
  #created = 0;
  readonly #existing: string[] = [];

  constructor(context: WorkloadContext) {
    const machine = context.machine('topics');
    const admin = machine.client().admin({ timeoutMs: 20_000 });
    const { random } = context;
    this.#acting = new Acting(context, machine, async () => {
      if (this.#existing.length > 0 && random.chance(0.5)) {
        const name = random.pick(this.#existing);
        this.#existing.splice(this.#existing.indexOf(name), 1);
        await admin.deleteTopics([name]);
        return;
      }
      this.#created += 1;
      const name = `side-${this.#created}`;
      await admin.createTopic({ name, partitions: random.between(1, 3), replicationFactor: 2 });
      this.#existing.push(name);
    });
  }

  stop(): void {
    this.#acting.stop();
  }

  waitingFor(): string[] {
    return this.#acting.isActing ? ['the administrator of topics waits for an answer'] : [];
  }
}
