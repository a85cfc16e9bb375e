import { Acting } from './acting.ts';
import type { Workload, WorkloadContext, WorkloadKind } from './workload.ts';

const RETENTION_BYTES = '20000';

/** The settings of the main topic change: how large segments are, and how much of it is kept. */
export const configs: WorkloadKind = {
  name: 'configs',
  pausesMs: [0, 0, 10_000],
  start: (context) => new Configs(context),
};

class Configs implements Workload {
  readonly #acting: Acting;

  constructor(context: WorkloadContext) {
    const { topic, random } = context;
    const machine = context.machine('configs');
    const admin = machine.client().admin({ timeoutMs: 20_000 });
    this.#acting = new Acting(context, machine, () =>
      admin.alterConfigs(
        topic.name,
        random.chance(0.7)
          ? { 'segment.bytes': String(random.between(2048, 16_384)) }
          : { 'retention.bytes': random.pick([RETENTION_BYTES, null]) },
      ),
    );
  }

  stop(): void {
    this.#acting.stop();
  }

  waitingFor(): string[] {
    return this.#acting.isActing ? ['who alters configs waits for an answer'] : [];
  }
}
