import { Acting } from './acting.ts';
import { together, type Workload, type WorkloadContext, type WorkloadKind } from './workload.ts';

/** With fewer, one node that is down would stop the quorum. */
const VOTERS_MIN = 3;

/** An administrator gives nodes a vote in the metadata quorum, and takes it from them, its leader included. */
export const voters: WorkloadKind = {
  name: 'voters',
  pausesMs: [0, 2000, 8000],
  // Two of them get into each other's way.
  start: (context) => together([new Voters(context, 'voters-0'), new Voters(context, 'voters-1')]),
};

class Voters implements Workload {
  readonly #acting: Acting;

  constructor(context: WorkloadContext, name: string) {
    const { random } = context;
    const machine = context.machine(name);
    const admin = machine.client().admin({ timeoutMs: 10_000 });
    this.#acting = new Acting(context, machine, async () => {
      const { currentVoters, observers, leaderId } = await admin.describeQuorum();
      const outside = observers.filter(({ replicaId }) =>
        currentVoters.every((voter) => voter.replicaId !== replicaId),
      );
      const mayRemove = currentVoters.length > VOTERS_MIN;
      if (outside.length > 0 && !(mayRemove && random.chance(0.5)))
        await admin.addVoter({ id: random.pick(outside).replicaId });
      else if (mayRemove)
        await admin.removeVoter({ id: random.chance(0.5) ? leaderId : random.pick(currentVoters).replicaId });
    });
  }

  stop(): void {
    this.#acting.stop();
  }

  waitingFor(): string[] {
    return this.#acting.isActing ? ['the administrator of voters waits for an answer'] : [];
  }
}
