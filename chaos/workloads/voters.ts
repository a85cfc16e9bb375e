import { Acting } from './acting.ts';
import { together, type Workload, type WorkloadContext, type WorkloadKind } from './workload.ts';

/** With fewer, one node that is down would stop the quorum. */
const VOTERS_MIN = 3;

/** An administrator gives nodes a vote in the metadata quorum, and takes it from them, its leader included. */
export const voters: WorkloadKind = {
  name: 'voters',
  pausesMs: [0, 0, 2000, 8000],
  // Two of them get into each other's way. Only one takes votes: together they could leave too few.
  start: (context) =>
    together([
      new Voters(context, 'voters-0', { takes: true }),
      new Voters(context, 'voters-1', { takes: false }),
    ]),
};

class Voters implements Workload {
  readonly #acting: Acting;

  constructor(context: WorkloadContext, name: string, { takes }: { takes: boolean }) {
    const { random } = context;
    const machine = context.machine(name);
    const admin = machine.client().admin({ timeoutMs: 10_000 });
    this.#acting = new Acting(context, machine, async () => {
      const { currentVoters, observers, leaderId } = await admin.describeQuorum();
      const outside = observers.filter(({ replicaId }) =>
        currentVoters.every((voter) => voter.replicaId !== replicaId),
      );
      const mayRemove = takes && currentVoters.length > VOTERS_MIN;
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
