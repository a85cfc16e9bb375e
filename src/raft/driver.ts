import { asError } from '../platform/as-error.ts';
import type { Counter, Meter, Platform, Timer } from '../platform/ports.ts';
import type { RaftCore } from './core.ts';
import type { LogBase } from './log-view.ts';
import { RAFT_METRICS } from './metrics.ts';
import type { RaftStorage } from './storage.ts';
import type { Effect, Entry, Input, ReplicaKey, Request, Response, Role } from './types.ts';

/** What the log's entries mean. All calls are synchronous and in log order; a throw ends the process. */
export interface StateMachine {
  /** Committed entries; an empty payload is a no-op. */
  apply(entries: readonly Entry[]): void;
  /** The state after everything applied so far. */
  snapshot(): readonly Uint8Array[];
  restore(index: number, bytes: Uint8Array): void;
  /** The version of the catalogue that all replicas can read, by what was applied so far. */
  catalogueLevel(): number;
  /** Looks at entries that may be committed one day. @throws RaftError CATALOGUE_TOO_OLD */
  check(entries: readonly Entry[]): void;
  /** This node may decide: all that earlier epochs committed, and this epoch's no-op at `lastIndex`, is applied. */
  onLeader(epoch: number, lastIndex: number): void;
  onNotLeader(): void;
}

export interface RaftDriverOptions {
  readonly core: RaftCore;
  readonly storage: RaftStorage;
  readonly stateMachine: StateMachine;
  readonly platform: Pick<Platform, 'clock' | 'timers' | 'logger' | 'crash'>;
  readonly meter: Meter;
  /** What the state machine holds already. */
  readonly applied: { readonly index: number; readonly epoch: number };
  /** A snapshot is taken after this many applied entries, or this many bytes of them. */
  readonly snapshotEntries: number;
  readonly snapshotBytes: number;
  /** Role, leader, epoch or voters changed, or whether proposals are taken. */
  onChange(): void;
  /** Asks another replica; undefined when it answered with an error. */
  request(to: ReplicaKey, request: Request): Promise<Response | undefined>;
}

/** While a snapshot is being sent, the next is postponed until this many times the usual is due. */
const POSTPONED_MAX = 10;

/** Carries the core's effects out, in order, and feeds completions back. Holds no rule of the protocol. */
export class RaftDriver {
  readonly #options: RaftDriverOptions;
  #effects: Effect[] = [];
  #isDraining = false;
  #timer: { readonly handle: Timer; readonly atMs: number } | undefined;
  #isFlushScheduled = false;
  readonly #waiting = new Map<number, (response: Response | undefined) => void>();
  #nextToken = 1;
  #applied: { readonly index: number; readonly epoch: number };
  #sinceSnapshot = { entries: 0, bytes: 0 };
  #isSavingSnapshot = false;
  #announced: View | undefined;
  readonly #elections: Counter;
  readonly #electionsWon: Counter;
  readonly #snapshots: Counter;
  #stoodInEpoch = 0;
  #wonEpoch = 0;
  #isStopped = false;

  constructor(options: RaftDriverOptions) {
    this.#options = options;
    this.#applied = options.applied;
    this.#elections = options.meter.counter(RAFT_METRICS.elections);
    this.#electionsWon = options.meter.counter(RAFT_METRICS.electionsWon);
    this.#snapshots = options.meter.counter(RAFT_METRICS.snapshots);
    this.#afterStep();
  }

  /** What the state machine has seen. */
  get appliedIndex(): number {
    return this.#applied.index;
  }

  /** Feeds one input to the core and begins what it decides. */
  input(input: Input): void {
    if (this.#isStopped) return;
    try {
      this.#effects.push(...this.#options.core.step(input, this.#options.platform.clock.monotonicMs()));
      this.#drain();
    } catch (error) {
      this.#crash(error);
    }
    this.#afterStep();
  }

  /** Puts another replica's request to the core; undefined when this node stops before it is answered. */
  ask(from: ReplicaKey, request: Request): Promise<Response | undefined> {
    if (this.#isStopped) return Promise.resolve(undefined);
    const token = this.#nextToken++;
    return new Promise((resolve) => {
      this.#waiting.set(token, resolve);
      this.input({ kind: 'request', from, request, token });
    });
  }

  /** Takes no further input, finishes the writes under way and gives out the replies that waited for them. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    if (this.#timer) this.#options.platform.timers.clear(this.#timer.handle);
    await this.#options.storage.close();
    for (const resolve of this.#waiting.values()) resolve(undefined);
    this.#waiting.clear();
  }

  /** One at a time: the state machine may propose while it applies, and what that causes comes behind. */
  #drain(): void {
    if (this.#isDraining) return;
    this.#isDraining = true;
    for (let effect = this.#effects.shift(); effect; effect = this.#effects.shift()) this.#carryOut(effect);
    this.#isDraining = false;
  }

  #carryOut(effect: Effect): void {
    const { stateMachine, storage, platform } = this.#options;
    switch (effect.kind) {
      case 'persist': {
        const { epoch, index, generation } = effect;
        storage.persist(effect, () => this.input({ kind: 'persisted', epoch, index, generation }));
        break;
      }
      case 'send':
        if (effect.afterSync) storage.afterSync(() => void this.#send(effect.to, effect.request));
        else void this.#send(effect.to, effect.request);
        break;
      case 'reply':
        if (effect.afterSync) storage.afterSync(() => this.#reply(effect.token, effect.response));
        else this.#reply(effect.token, effect.response);
        break;
      case 'restore':
        this.#applied = effect.snapshot;
        this.#sinceSnapshot = { entries: 0, bytes: 0 };
        stateMachine.restore(effect.snapshot.index, effect.bytes);
        this.#learnLevel();
        break;
      case 'apply':
        this.#apply(effect.entries);
        break;
      case 'leading':
        stateMachine.onLeader(effect.epoch, effect.index);
        break;
      case 'notLeading':
        stateMachine.onNotLeader();
        break;
      case 'compacted':
        storage.compact(effect.index);
        break;
      case 'note':
        platform.logger.info(effect.fields, effect.message);
        break;
    }
  }

  #apply(entries: readonly Entry[]): void {
    this.#options.stateMachine.apply(entries);
    for (const entry of entries) {
      this.#applied = { index: entry.index, epoch: entry.epoch };
      this.#sinceSnapshot.entries++;
      this.#sinceSnapshot.bytes += entry.payload.length;
    }
    this.#learnLevel();
  }

  #learnLevel(): void {
    const { core, stateMachine, platform } = this.#options;
    const level = stateMachine.catalogueLevel();
    if (level === core.state.catalogueLevel) return;
    this.#effects.push(...core.step({ kind: 'catalogueLevel', level }, platform.clock.monotonicMs()));
  }

  #reply(token: number, response: Response): void {
    this.#waiting.get(token)?.(response);
    this.#waiting.delete(token);
  }

  async #send(to: ReplicaKey, request: Request): Promise<void> {
    let response: Response | undefined;
    try {
      response = await this.#options.request(to, await this.#withChunk(request));
    } catch (error) {
      this.#options.platform.logger.debug(
        { to: to.id, type: request.type, error },
        'A request of the quorum failed',
      );
    }
    if (response) this.input({ kind: 'response', from: to, request, response });
    else this.input({ kind: 'failed', to, request });
  }

  async #withChunk(request: Request): Promise<Request> {
    if (request.type !== 'snapshot') return request;
    const { snapshot, position, lengthBytes } = request;
    return {
      ...request,
      chunk: await this.#options.storage.readChunk(snapshot.index, position, lengthBytes),
    };
  }

  #afterStep(): void {
    if (this.#isDraining || this.#isStopped) return;
    const { core, platform } = this.#options;
    const { state } = core;
    if (state.needsFlush && !this.#isFlushScheduled) {
      this.#isFlushScheduled = true;
      platform.timers.soon(() => {
        this.#isFlushScheduled = false;
        this.input({ kind: 'flush' });
      });
    }
    this.#maybeSnapshot();
    this.#armTimer();
    if (this.#announced && isSeenBy(this.#announced, core)) return;
    this.#announced = viewOf(core);
    this.#countElections(state.role, state.epoch);
    this.#options.onChange();
  }

  /** Each epoch has one election, and whoever leads in it stood in it (a lone voter within one step). */
  #countElections(role: Role, epoch: number): void {
    if ((role === 'candidate' || role === 'leader') && epoch !== this.#stoodInEpoch) {
      this.#stoodInEpoch = epoch;
      this.#elections.add();
    }
    if (role === 'leader' && epoch !== this.#wonEpoch) {
      this.#wonEpoch = epoch;
      this.#electionsWon.add();
    }
  }

  /** One timer, for the earliest deadline. One that moved back lets the old timer fire and look again. */
  #armTimer(): void {
    const { clock, timers } = this.#options.platform;
    const atMs = this.#options.core.deadlineMs();
    if (this.#timer && this.#timer.atMs <= atMs) return;
    if (this.#timer) timers.clear(this.#timer.handle);
    this.#timer = undefined;
    if (atMs === Number.POSITIVE_INFINITY) return;
    const handle = timers.set(Math.max(0, atMs - clock.monotonicMs()), () => {
      this.#timer = undefined;
      this.input({ kind: 'tick' });
    });
    this.#timer = { handle, atMs };
  }

  /** Takes a snapshot when enough was applied, of nothing that this disk does not hold. */
  #maybeSnapshot(): void {
    const { snapshotEntries, snapshotBytes, core, stateMachine, platform } = this.#options;
    const { entries, bytes } = this.#sinceSnapshot;
    if (this.#isSavingSnapshot || (entries < snapshotEntries && bytes < snapshotBytes)) return;
    const isOverdue = entries >= POSTPONED_MAX * snapshotEntries || bytes >= POSTPONED_MAX * snapshotBytes;
    if (!isOverdue && core.isSendingSnapshot(platform.clock.monotonicMs())) return;
    const { index, epoch } = this.#applied;
    if (index > core.state.log.syncedIndex) return;
    this.#isSavingSnapshot = true;
    this.#sinceSnapshot = { entries: 0, bytes: 0 };
    const voterSet = core.state.log.voterSetAt(index);
    void this.#saveSnapshot({ index, epoch, voterSet }, stateMachine.snapshot());
  }

  async #saveSnapshot(base: LogBase, data: readonly Uint8Array[]): Promise<void> {
    const { index, epoch } = base;
    try {
      const snapshot = await this.#options.storage.saveSnapshot(base, data);
      this.#options.platform.logger.info({ index, epoch, sizeBytes: snapshot.sizeBytes }, 'Saved a snapshot');
      this.#snapshots.add();
      this.#isSavingSnapshot = false;
      this.input({ kind: 'snapshotSaved', snapshot });
    } catch (error) {
      this.#crash(error);
    }
  }

  #crash(error: unknown): never {
    this.#isStopped = true;
    return this.#options.platform.crash(asError(error));
  }
}

/** What others are told when it changes. */
interface View {
  readonly role: Role;
  readonly leaderId: number | undefined;
  readonly epoch: number;
  readonly canPropose: boolean;
  readonly voterSetIndex: number;
  readonly areVotersCommitted: boolean;
}

function viewOf({ state, canPropose }: RaftCore): View {
  const { role, leaderId, epoch, log, commitIndex } = state;
  const { voterSetIndex } = log;
  return {
    role,
    leaderId,
    epoch,
    canPropose,
    voterSetIndex,
    areVotersCommitted: voterSetIndex <= commitIndex,
  };
}

/** Spelled out, since every step asks. */
function isSeenBy(view: View, { state, canPropose }: RaftCore): boolean {
  const { voterSetIndex } = state.log;
  return (
    view.role === state.role &&
    view.leaderId === state.leaderId &&
    view.epoch === state.epoch &&
    view.canPropose === canPropose &&
    view.voterSetIndex === voterSetIndex &&
    view.areVotersCommitted === voterSetIndex <= state.commitIndex
  );
}
