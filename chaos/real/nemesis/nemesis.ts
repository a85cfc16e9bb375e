import { setTimeout as sleep } from 'node:timers/promises';
import type { Admin } from '../../../src/client/node.ts';
import type { Prng } from '../../sim/prng.ts';
import type { Fault, FaultContext, Ongoing } from '../faults/fault.ts';
import type { Gaps } from './availability.ts';
import type { RealNode } from './real-node.ts';
import { untilAtRest, type World } from './rest.ts';

/** From one fault until the cluster is whole again. */
export interface Step {
  readonly faults: readonly Fault[];
  readonly gaps: Gaps;
}

const REST_TIMEOUT_MS = 120_000;
const QUIET_MS = 700;
const ASK_TIMEOUT_MS = 2000;
const SINGLE_CHANCE = 0.3;
const FAULTS_AT_ONCE_MAX = 3;

/** Does harm, one step after the other: each kind of fault alone at first, then several at once. */
export class Nemesis {
  readonly steps: Step[] = [];
  readonly #world: World;
  readonly #random: Prng;
  readonly #faults: readonly Fault[];
  readonly #say: (line: string) => void;
  readonly #context: FaultContext;
  #firstRound: Fault[];

  /** @param faults those that can happen here */
  constructor(world: World, random: Prng, faults: readonly Fault[], say: (line: string) => void) {
    this.#world = world;
    this.#random = random.fork('nemesis');
    this.#faults = faults;
    this.#say = say;
    this.#firstRound = this.#random.shuffle(faults);
    this.#context = contextOf(world, this.#random.fork('faults'));
  }

  /** @throws Stuck, NodeEnded */
  async run(untilMs: number): Promise<void> {
    await untilAtRest(this.#world, REST_TIMEOUT_MS);
    while (performance.now() < untilMs) await this.#step(this.#next());
  }

  #next(): Fault[] {
    const first = this.#firstRound.shift();
    if (first) return [first];
    const count = this.#random.chance(SINGLE_CHANCE) ? 1 : this.#random.between(2, FAULTS_AT_ONCE_MAX);
    const chosen: Fault[] = [];
    for (const fault of this.#random.shuffle(this.#faults)) {
      if (chosen.length < count && chosen.every((other) => areCompatible(fault, other))) chosen.push(fault);
    }
    return chosen;
  }

  async #step(faults: readonly Fault[]): Promise<void> {
    const { availability } = this.#world.clients.context;
    await sleep(QUIET_MS);
    availability.begin();
    const ongoing: Ongoing[] = [];
    for (const fault of faults) {
      const begun = await fault.begin(this.#context);
      this.#say(`${fault.name}: ${begun.what}`);
      ongoing.push(begun);
      await sleep(this.#random.between(...fault.lastsMs));
    }
    for (const each of this.#random.shuffle(ongoing)) await each.end();
    const healedMs = performance.now();
    await untilAtRest(this.#world, REST_TIMEOUT_MS);
    const gaps = availability.end();
    const restMs = performance.now() - healedMs;
    this.#say(
      `  whole again ${restMs.toFixed(0)} ms after its end; a partition stood still for ` +
        `${gaps.produceMs.toFixed(0)} ms (produce), ${gaps.consumeMs.toFixed(0)} ms (consume)`,
    );
    this.steps.push({ faults, gaps });
  }
}

/** Two that change links would heal each other; who lost data must not lose the others too. */
function areCompatible(one: Fault, other: Fault): boolean {
  if (one.kind === 'network' && other.kind === 'network') return false;
  if (one.destroys && other.endsNodes) return false;
  return !(other.destroys && one.endsNodes);
}

function contextOf({ cluster, clients, admin, topic }: World, random: Prng): FaultContext {
  const ask = (): Admin => admin.with({ timeoutMs: ASK_TIMEOUT_MS });
  const orAny = async (find: () => Promise<number | undefined>): Promise<RealNode> => {
    const any = random.pick(cluster.nodes);
    try {
      const id = await find();
      return id === undefined ? any : cluster.node(id);
    } catch {
      return any;
    }
  };
  return {
    cluster,
    random,
    clients: clients.names,
    leader: () => {
      const partition = random.between(0, clients.context.partitions - 1);
      return orAny(async () => (await ask().describeTopics([topic]))[0]?.partitions[partition]?.leader);
    },
    controller: () => orAny(async () => (await ask().describeCluster()).controllerId),
  };
}
