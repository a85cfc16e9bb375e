/**
 * The simulated platform: one process holds a whole cluster, its disks, its network and its clients, in virtual
 * time. It may import `src/platform/ports.ts` and nothing else of the product, so that every layer runs on it.
 *
 * Begin reading here: `SimWorld` owns time and order. Then `node.ts` (one machine and the process on it),
 * `disk.ts`, `network.ts`. A world is a function of its seed: same seed, same `traceHash`.
 */
import { EventQueue, type SimEvent } from './event-queue.ts';
import { SimNetwork } from './network.ts';
import { type Incarnation, SimCrash, SimNode } from './node.ts';
import { Prng } from './prng.ts';
import { Trace } from './trace.ts';
import { takeTurns } from './turns.ts';

export interface SimWorldOptions {
  readonly seed: number | string;
  /** Of the disks alone, and of the network alone; drawn from `seed` by default. */
  readonly diskSeed?: number;
  readonly networkSeed?: number;
  /** The wall clock at the start; the same for all nodes until their offsets are set. */
  readonly startWallMs?: number;
  /** How many trace lines to keep for reading (0: only the hash). */
  readonly traceLinesMax?: number;
  /** How many lines of the nodes' logs to keep. */
  readonly logLinesMax?: number;
}

export interface SimLogLine {
  readonly atMs: number;
  readonly node: string;
  readonly level: 'debug' | 'info' | 'warn' | 'error' | 'fatal';
  readonly fields: object;
  readonly message: string;
}

/** More events than this at one virtual moment is a busy loop, which in real time would hang a node. */
const EVENTS_AT_ONE_MOMENT_MAX = 50_000;

export class SimWorld {
  readonly seed: string;
  readonly random: Prng;
  readonly diskRandom: Prng;
  readonly networkRandom: Prng;
  readonly network: SimNetwork;
  readonly startWallMs: number;
  readonly trace: Trace;
  /**
   * Called after every event and its microtasks with whom it happened to: the place for invariant checks. A throw ends
   * the run.
   */
  readonly onAfterEvent: ((happenedTo: Incarnation | undefined) => void)[] = [];
  readonly log: SimLogLine[] = [];
  /** Called with each line of a node's log. */
  readonly onLogLine: ((line: SimLogLine) => void)[] = [];
  readonly #logLinesMax: number;
  readonly #queue = new EventQueue();
  readonly #nodes = new Map<string, SimNode>();
  #nowMs = 0;
  #nextEventId = 1;
  #eventsAtThisMoment = 0;
  /** An event has begun and may have microtasks left. */
  #isHappening = false;
  /** Whom it happens to. */
  #running: Incarnation | undefined;
  #failure: { readonly error: unknown } | undefined;

  constructor(options: SimWorldOptions) {
    this.seed = String(options.seed);
    const { diskSeed, networkSeed } = options;
    this.random = new Prng(this.seed);
    this.diskRandom = diskSeed === undefined ? this.random.fork('disk') : new Prng(`${diskSeed}`);
    this.networkRandom = networkSeed === undefined ? this.random.fork('network') : new Prng(`${networkSeed}`);
    this.startWallMs = options.startWallMs ?? Date.UTC(2026, 0, 1);
    this.trace = new Trace(options.traceLinesMax ?? 0);
    this.#logLinesMax = options.logLinesMax ?? 2000;
    this.network = new SimNetwork(this);
  }

  /** Virtual milliseconds since the start of the world. */
  get nowMs(): number {
    return this.#nowMs;
  }

  get traceHash(): string {
    return this.trace.hash;
  }

  get nodes(): Iterable<SimNode> {
    return this.#nodes.values();
  }

  /** The node of that name, made (and switched on) at first use. Its name is its host name. */
  node(name: string): SimNode {
    let node = this.#nodes.get(name);
    if (node === undefined) {
      node = new SimNode(this, name);
      this.#nodes.set(name, node);
    }
    return node;
  }

  findNode(name: string): SimNode | undefined {
    return this.#nodes.get(name);
  }

  /** Schedules an event. With an `owner` it only happens while that incarnation lives and is not paused. */
  schedule(delayMs: number, label: string, run: () => void, owner?: Incarnation, detail = ''): SimEvent {
    if (!(delayMs >= 0)) throw new Error(`delay ${delayMs} of event ${label} is not a duration`);
    const event: SimEvent = {
      id: this.#nextEventId,
      label,
      detail,
      atMs: this.#nowMs + delayMs,
      owner,
      run,
      cancelled: false,
      index: -1,
    };
    this.#nextEventId += 1;
    this.#queue.push(event);
    return event;
  }

  /** The event will not happen. */
  cancel(event: SimEvent): void {
    event.cancelled = true;
    this.#queue.remove(event);
  }

  /** Runs the next event and drains the microtasks it caused; false when nothing is left to happen. */
  async step(): Promise<boolean> {
    let stepsLeft = 1;
    let isEmpty = false;
    await this.#takeTurns(() => {
      if (stepsLeft === 0) return false;
      stepsLeft -= 1;
      const event = this.#queue.pop();
      isEmpty = event === undefined;
      if (event !== undefined) this.#begin(event);
      return true;
    });
    return !isEmpty;
  }

  /** Runs every event up to and including `untilMs` of virtual time, and leaves the clock there. */
  async run(untilMs: number): Promise<void> {
    await this.runUntil(() => false, untilMs - this.#nowMs);
    this.#nowMs = Math.max(this.#nowMs, untilMs);
  }

  /** Runs until `condition` holds after an event; false when `timeoutMs` of virtual time passed first. */
  async runUntil(condition: () => boolean, timeoutMs: number): Promise<boolean> {
    const deadlineMs = this.#nowMs + timeoutMs;
    let isMet = false;
    await this.#takeTurns(() => {
      isMet = condition();
      return !isMet && this.#beginNext(deadlineMs);
    });
    if (isMet) return true;
    this.#nowMs = Math.max(this.#nowMs, deadlineMs);
    return condition();
  }

  /** Runs until a promise settles and returns its value (or throws its error, or a timeout). */
  async settle<T>(promise: Promise<T>, timeoutMs = 60_000): Promise<T> {
    let settled: (() => T) | undefined;
    promise.then(
      (value) => {
        settled = () => value;
      },
      (error: unknown) => {
        settled = () => {
          throw error;
        };
      },
    );
    await this.runUntil(() => settled !== undefined, timeoutMs);
    if (settled === undefined) throw new Error(`a promise did not settle within ${timeoutMs} virtual ms`);
    return settled();
  }

  /** Keeps a line of a node's log; the newest are in `log`. */
  addLogLine(line: SimLogLine): void {
    this.trace.add(line.message, this.#nowMs);
    this.trace.add(line.level);
    this.trace.add(line.node);
    if (this.log.length >= this.#logLinesMax * 2) this.log.splice(0, this.#logLinesMax);
    this.log.push(line);
    for (const watch of this.onLogLine) watch(line);
  }

  /** Turns that each begin an event, or end the run by returning false; each sees the one before completed. */
  async #takeTurns(turn: () => boolean): Promise<void> {
    const restore = this.#watchRejections();
    try {
      await takeTurns(() => {
        this.#end();
        return turn();
      });
    } finally {
      restore();
    }
  }

  /** Begins the next event that happens to anybody, unless that lies behind the deadline. */
  #beginNext(deadlineMs: number): boolean {
    for (;;) {
      const next = this.#queue.peek();
      if (next === undefined || next.atMs > deadlineMs) return false;
      this.#queue.pop();
      if (this.#begin(next)) return true;
    }
  }

  /** False when the event does not happen, or not yet. */
  #begin(event: SimEvent): boolean {
    const owner = event.owner;
    if (event.cancelled || (owner !== undefined && !owner.alive)) return false;
    if (owner?.node.paused === true) {
      owner.node.hold(event);
      return false;
    }
    this.#advance(event.atMs);
    this.trace.event(event);
    this.#running = owner;
    this.#isHappening = true;
    try {
      event.run();
    } catch (error) {
      this.#fail(error);
    }
    return true;
  }

  /** The microtasks of an event have run: now the world can be looked at. */
  #end(): void {
    const failure = this.#failure;
    this.#failure = undefined;
    if (failure !== undefined) throw failure.error;
    if (!this.#isHappening) return;
    this.#isHappening = false;
    const happenedTo = this.#running;
    this.#running = undefined;
    for (const check of this.onAfterEvent) check(happenedTo);
  }

  #advance(atMs: number): void {
    if (atMs > this.#nowMs) {
      this.#nowMs = atMs;
      this.#eventsAtThisMoment = 0;
    }
    this.#eventsAtThisMoment += 1;
    if (this.#eventsAtThisMoment > EVENTS_AT_ONE_MOMENT_MAX) {
      throw new Error(`busy loop: ${EVENTS_AT_ONE_MOMENT_MAX} events at ${atMs} ms (seed ${this.seed})`);
    }
  }

  /** An error nobody caught would end a real process: it fails the run, unless its node is dead already. */
  #fail(error: unknown): void {
    if (error instanceof SimCrash || this.#running?.alive === false) return;
    this.#failure ??= { error };
  }

  #watchRejections(): () => void {
    const others = process.listeners('unhandledRejection');
    const watch = (error: unknown) => this.#fail(error);
    process.removeAllListeners('unhandledRejection');
    process.on('unhandledRejection', watch);
    return () => {
      process.off('unhandledRejection', watch);
      for (const other of others) process.on('unhandledRejection', other);
    };
  }
}
