/**
 * A whole quorum of pure cores in one process, without the driver and without files: messages, disks and time are
 * lists here. Each event is followed by the checks of `quorum-checks.ts`. A run is a function of its options.
 */

import { crc32c } from '../../../src/protocol/crc32c.ts';
import { RaftCore } from '../../../src/raft/core.ts';
import type {
  Effect,
  Entry,
  HardState,
  Input,
  PersistEffect,
  RaftLimits,
  ReplicaKey,
  Request,
  SnapshotMeta,
  VoterChange,
  VoterSet,
} from '../../../src/raft/types.ts';
import { DEFAULT_RAFT_LIMITS, keyOf } from '../../../src/raft/types.ts';
import { QuorumChecks } from './quorum-checks.ts';

/** What survives a crash: a deliberately dumb model of `RaftStorage`. */
export interface SimDurable {
  hardState: HardState;
  snapshot: SnapshotMeta;
  readonly snapshots: Map<number, Uint8Array>;
  entries: Entry[];
}

export interface SimReplica {
  key: ReplicaKey;
  core: RaftCore | undefined;
  incarnation: number;
  durable: SimDurable;
  /** Writes under way, and what waits for those before it. */
  diskQueue: (PersistEffect | (() => void))[];
  isSyncing: boolean;
  /** Syncs of this disk take this much longer. */
  syncDelayMs: number;
  tokens: Map<number, (effect: Effect & { kind: 'reply' }) => void>;
  /** The state machine: a running hash of what was applied. */
  applied: { index: number; hash: number };
  leading: number | undefined;
  armedMs: number | undefined;
}

export interface SimOptions {
  readonly seed: number;
  readonly voters: number;
  readonly observers?: number;
  readonly lossRatio?: number;
  readonly repeatRatio?: number;
  readonly delayMs?: number;
  readonly snapshotEvery?: number;
  readonly limits?: Partial<RaftLimits>;
}

interface SimEvent {
  readonly atMs: number;
  readonly id: number;
  readonly run: () => void;
}

export class QuorumSim {
  readonly replicas = new Map<number, SimReplica>();
  /** Who votes at first. */
  readonly voters: readonly ReplicaKey[];
  readonly checks: QuorumChecks;
  readonly notes: string[] = [];
  nowMs = 0;
  /** Adversity; `heal` switches it off. */
  lossRatio: number;
  repeatRatio: number;
  delayMs: number;
  readonly cuts = new Set<string>();
  /** Disks that were thrown away, by replica key: what they held was held when it was promised. */
  readonly lostDisks = new Map<string, SimDurable>();
  /** Looks at a message before it goes out; true drops it. For scripted scenarios. */
  intercept: ((from: number, to: number, request: Request) => boolean) | undefined;
  readonly #limits: RaftLimits;
  readonly #snapshotEvery: number;
  #random: number;
  #events: SimEvent[] = [];
  #nextId = 1;
  #proposals = 0;

  constructor(options: SimOptions) {
    this.#random = options.seed >>> 0;
    this.lossRatio = options.lossRatio ?? 0;
    this.repeatRatio = options.repeatRatio ?? 0;
    this.delayMs = options.delayMs ?? 2;
    this.#snapshotEvery = options.snapshotEvery ?? Number.POSITIVE_INFINITY;
    this.#limits = { ...DEFAULT_RAFT_LIMITS, trailingEntries: 2, snapshotChunkBytes: 16, ...options.limits };
    const key = (id: number): ReplicaKey => ({ id, directoryId: `disk-${id}` });
    this.voters = Array.from({ length: options.voters }, (_, at) => key(at + 1));
    this.checks = new QuorumChecks(this);
    const observers = Array.from({ length: options.observers ?? 0 }, (_, at) => key(options.voters + at + 1));
    for (const replica of [...this.voters, ...observers]) this.#add(replica);
  }

  random(): number {
    this.#random = (Math.imul(this.#random, 1664525) + 1013904223) >>> 0;
    return this.#random / 2 ** 32;
  }

  replica(id: number): SimReplica {
    const replica = this.replicas.get(id);
    if (!replica) throw new Error(`no replica ${id}`);
    return replica;
  }

  state(id: number) {
    const { core } = this.replica(id);
    if (!core) throw new Error(`replica ${id} is down`);
    return core.state;
  }

  /** The leaders that are up, newest epoch first. */
  leaders(): SimReplica[] {
    const leaders = [...this.replicas.values()].filter((replica) => replica.core?.state.role === 'leader');
    return leaders.sort((a, b) => (b.core?.state.epoch ?? 0) - (a.core?.state.epoch ?? 0));
  }

  #add(key: ReplicaKey): void {
    const replica: SimReplica = {
      key,
      core: undefined,
      incarnation: 0,
      durable: blank(this.voters),
      diskQueue: [],
      isSyncing: false,
      syncDelayMs: 0,
      tokens: new Map(),
      applied: { index: 0, hash: 0 },
      leading: undefined,
      armedMs: undefined,
    };
    this.replicas.set(key.id, replica);
    this.start(key.id);
  }

  start(id: number): void {
    const replica = this.replica(id);
    if (replica.core) return;
    replica.incarnation++;
    const { hardState, snapshot, entries, snapshots } = replica.durable;
    replica.applied = decodeState(snapshots.get(snapshot.index));
    replica.leading = undefined;
    replica.armedMs = undefined;
    const start = {
      self: replica.key,
      seeds: [...this.replicas.values()].map(({ key }) => ({ id: key.id, directoryId: '' })),
      hardState,
      snapshot,
      entries,
      limits: this.#limits,
    };
    replica.core = new RaftCore({ ...start, randomSeed: Math.floor(this.random() * 2 ** 32) }, this.nowMs);
    this.#armTick(replica);
  }

  /** The process dies; of the writes under way a random prefix reached the disk. */
  crash(id: number): void {
    const replica = this.replica(id);
    if (!replica.core) return;
    replica.core = undefined;
    const survivors = replica.diskQueue.slice(0, Math.floor(this.random() * (replica.diskQueue.length + 1)));
    for (const item of survivors) if (typeof item !== 'function') write(replica.durable, item);
    replica.diskQueue = [];
    replica.isSyncing = false;
    replica.tokens.clear();
  }

  /** The disk is replaced: the node comes back blank, and with a new directory id. */
  wipe(id: number): void {
    this.crash(id);
    const replica = this.replica(id);
    this.lostDisks.set(keyOf(replica.key), replica.durable);
    // By hearsay: it joins with whatever set the peer that it asked first believes in.
    const peers = [...this.replicas.values()].filter((peer) => peer.core && peer !== replica);
    const peer = peers[Math.floor(this.random() * peers.length)];
    replica.durable = blank(peer?.core?.state.voters ?? this.voters);
    replica.key = { id, directoryId: `disk-${id}-of-${this.#nextId++}` };
  }

  cut(from: number, to: number): void {
    this.cuts.add(`${from}>${to}`);
  }

  isolate(id: number): void {
    for (const other of this.replicas.keys()) {
      this.cut(id, other);
      this.cut(other, id);
    }
  }

  heal(): void {
    this.cuts.clear();
    this.lossRatio = 0;
    this.repeatRatio = 0;
    this.intercept = undefined;
    for (const replica of this.replicas.values()) {
      replica.syncDelayMs = 0;
      this.start(replica.key.id);
    }
  }

  /** Proposes at whoever takes proposals; says whether somebody did. */
  propose(id: number, payload = `p${this.#proposals++}`): boolean {
    const replica = this.replica(id);
    if (!replica.core?.canPropose) return false;
    this.input(replica, { kind: 'propose', payload: new TextEncoder().encode(payload) });
    this.schedule(0, () => this.input(replica, { kind: 'flush' }));
    return true;
  }

  /** An operator asks the leader; says whether it had nothing against it. */
  changeVoters(id: number, change: VoterChange): boolean {
    const replica = this.replica(id);
    if (!replica.core || replica.core.refuseVoterChange(change, this.nowMs) !== undefined) return false;
    this.input(replica, { kind: 'changeVoters', change });
    return true;
  }

  /** Every voter set that some disk or memory still names: each might come into force. */
  voterSets(): VoterSet[] {
    return [...this.replicas.values()].flatMap(({ core, durable }) => [
      ...(core ? [core.state.log.voterSet] : []),
      durable.snapshot.voterSet,
      ...durable.entries.flatMap(({ voterSet }) => voterSet ?? []),
    ]);
  }

  input(replica: SimReplica, input: Input): void {
    if (!replica.core) return;
    const effects = replica.core.step(input, this.nowMs);
    for (const effect of effects) this.#carryOut(replica, effect);
    this.#maybeSnapshot(replica);
    this.#armTick(replica);
    this.checks.afterStep(replica);
  }

  schedule(delayMs: number, run: () => void): void {
    const event = { atMs: this.nowMs + delayMs, id: this.#nextId++, run };
    let at = this.#events.length;
    while (at > 0 && isAfter(this.#events[at - 1], event)) at--;
    this.#events.splice(at, 0, event);
  }

  /** Runs for so long, or until the condition holds. */
  run(forMs: number, until: () => boolean = () => false): boolean {
    const endMs = this.nowMs + forMs;
    for (;;) {
      if (until()) return true;
      const next = this.#events[0];
      if (!next || next.atMs > endMs) break;
      this.#events.shift();
      this.nowMs = Math.max(this.nowMs, next.atMs);
      next.run();
    }
    this.nowMs = endMs;
    return until();
  }

  // --- What a driver does ---------------------------------------------------------------------------------------

  #carryOut(replica: SimReplica, effect: Effect): void {
    switch (effect.kind) {
      case 'persist':
        replica.diskQueue.push(effect);
        this.#sync(replica);
        break;
      case 'send':
        this.#ordered(replica, effect.afterSync, () => this.#send(replica, effect.to, effect.request));
        break;
      case 'reply':
        this.#ordered(replica, effect.afterSync, () => {
          replica.tokens.get(effect.token)?.(effect);
          replica.tokens.delete(effect.token);
        });
        break;
      case 'apply':
        for (const entry of effect.entries) {
          replica.applied = applyEntry(replica.applied, entry);
          this.checks.onApplied(replica, entry);
        }
        break;
      case 'restore':
        replica.applied = decodeState(effect.bytes);
        this.checks.onRestored(replica);
        break;
      case 'leading':
        replica.leading = effect.epoch;
        break;
      case 'notLeading':
        replica.leading = undefined;
        break;
      case 'note':
        this.notes.push(
          `${this.nowMs.toFixed(1)} ${replica.key.id} ${effect.message} ${JSON.stringify(effect.fields)}`,
        );
        break;
      case 'compacted':
        break;
    }
  }

  #ordered(replica: SimReplica, afterSync: boolean, run: () => void): void {
    if (!afterSync || replica.diskQueue.length === 0) run();
    else replica.diskQueue.push(run);
  }

  /** Group commit: what is queued when a round begins is the round. */
  #sync(replica: SimReplica): void {
    if (replica.isSyncing || replica.diskQueue.length === 0) return;
    replica.isSyncing = true;
    const { incarnation } = replica;
    const count = replica.diskQueue.length;
    this.schedule(replica.syncDelayMs + this.random() * 3, () => {
      if (replica.incarnation !== incarnation || !replica.core) return;
      const round = replica.diskQueue.splice(0, count);
      const writes = round.filter((item): item is PersistEffect => typeof item !== 'function');
      for (const item of writes) write(replica.durable, item);
      replica.isSyncing = false;
      const last = writes.at(-1);
      if (last) {
        const { epoch, index, generation } = last;
        // The completion may be late: by then the log may have been cut and written anew.
        this.schedule(this.random() * replica.syncDelayMs, () => {
          if (replica.incarnation === incarnation)
            this.input(replica, { kind: 'persisted', epoch, index, generation });
        });
      }
      for (const item of round) if (typeof item === 'function') item();
      this.#sync(replica);
    });
  }

  #send(sender: SimReplica, to: ReplicaKey, request: Request): void {
    const from = sender.key;
    const { incarnation } = sender;
    const fail = () => {
      if (sender.incarnation === incarnation) this.input(sender, { kind: 'failed', to, request });
    };
    if (this.intercept?.(from.id, to.id, request)) return;
    const filled = request.type === 'snapshot' ? this.#withChunk(sender, request) : request;
    if (!filled) {
      this.schedule(1, fail);
      return;
    }
    this.#transmit(from.id, to.id, fail, () => {
      const target = this.replicas.get(to.id);
      // A hello is for the node, whatever its disk.
      const isMeant = target && (request.type === 'hello' || keyOf(target.key) === keyOf(to));
      if (!target?.core || !isMeant) {
        this.schedule(1, fail);
        return;
      }
      const token = this.#nextId++;
      target.tokens.set(token, ({ response }) => {
        this.checks.onReply(target, from, request, response);
        this.#transmit(to.id, from.id, fail, () => {
          if (sender.incarnation !== incarnation) return;
          this.input(sender, { kind: 'response', from: to, request, response });
        });
      });
      this.input(target, { kind: 'request', from, request: filled, token });
    });
  }

  #withChunk(sender: SimReplica, request: Request & { type: 'snapshot' }): Request | undefined {
    const bytes = sender.durable.snapshots.get(request.snapshot.index);
    return (
      bytes && { ...request, chunk: bytes.slice(request.position, request.position + request.lengthBytes) }
    );
  }

  #transmit(from: number, to: number, fail: () => void, deliver: () => void): void {
    if (this.cuts.has(`${from}>${to}`) || this.random() < this.lossRatio) {
      // Sometimes the sender learns of it, sometimes it only hears nothing.
      if (this.random() < 0.5) this.schedule(50, fail);
      return;
    }
    const copies = this.random() < this.repeatRatio ? 2 : 1;
    for (let copy = 0; copy < copies; copy++)
      this.schedule(-Math.log(1 - this.random()) * this.delayMs, deliver);
  }

  #armTick(replica: SimReplica): void {
    const { core, incarnation } = replica;
    if (!core) return;
    const atMs = core.deadlineMs();
    if (atMs === Number.POSITIVE_INFINITY || replica.armedMs === atMs) return;
    replica.armedMs = atMs;
    this.schedule(Math.max(0, atMs - this.nowMs), () => {
      // Only the timer of the present deadline counts; the others were moved.
      if (replica.incarnation !== incarnation || replica.core !== core || core.deadlineMs() !== atMs) return;
      replica.armedMs = undefined;
      this.input(replica, { kind: 'tick' });
    });
  }

  #maybeSnapshot(replica: SimReplica): void {
    const { core } = replica;
    if (!core || core.state.appliedIndex - core.state.snapshot.index < this.#snapshotEvery) return;
    // As the driver does: a transfer under way keeps its file.
    if (!core.isSendingSnapshot(this.nowMs)) this.saveSnapshot(replica);
  }

  saveSnapshot(replica: SimReplica): void {
    const { core, incarnation, applied } = replica;
    const epoch = core?.state.log.epochAt(applied.index);
    if (!core || epoch === undefined || applied.index > core.state.log.syncedIndex) return;
    const bytes = encodeState(applied);
    const voterSet = core.state.log.voterSetAt(applied.index);
    const meta = { index: applied.index, epoch, sizeBytes: bytes.length, crc: crc32c(bytes), voterSet };
    this.schedule(this.random() * 20, () => {
      if (replica.incarnation !== incarnation || !replica.core) return;
      if (meta.index <= replica.durable.snapshot.index) return;
      keepSnapshot(replica.durable, meta, bytes);
      replica.durable.entries = replica.durable.entries.filter((entry) => entry.index > meta.index);
      this.input(replica, { kind: 'snapshotSaved', snapshot: meta });
    });
  }
}

function isAfter(a: SimEvent | undefined, b: SimEvent): boolean {
  return a !== undefined && (a.atMs > b.atMs || (a.atMs === b.atMs && a.id > b.id));
}

function blank(voters: readonly ReplicaKey[]): SimDurable {
  const hardState = { epoch: 0, votedFor: undefined };
  return {
    hardState,
    snapshot: { index: 0, epoch: 0, sizeBytes: 0, crc: 0, voterSet: { voters, vacant: [] } },
    snapshots: new Map(),
    entries: [],
  };
}

function keepSnapshot(durable: SimDurable, meta: SnapshotMeta, bytes: Uint8Array): void {
  durable.snapshots.delete(durable.snapshot.index);
  durable.snapshot = meta;
  durable.snapshots.set(meta.index, bytes);
}

function write(durable: SimDurable, effect: PersistEffect): void {
  if (effect.hardState) durable.hardState = effect.hardState;
  if (effect.snapshot) {
    keepSnapshot(durable, effect.snapshot.meta, effect.snapshot.bytes);
    durable.entries = [];
  }
  for (const entry of effect.entries) {
    const kept = durable.entries.filter((other) => other.index < entry.index);
    durable.entries = entry.index > durable.snapshot.index ? [...kept, entry] : [];
  }
}

function applyEntry(state: { index: number; hash: number }, entry: Entry): { index: number; hash: number } {
  if (entry.index !== state.index + 1) throw new Error(`applied ${entry.index} after ${state.index}`);
  const hash = Math.imul(state.hash ^ crc32c(entry.payload) ^ entry.epoch, 0x01000193) >>> 0;
  return { index: entry.index, hash };
}

/** Long enough to travel in several chunks. */
function encodeState(state: { index: number; hash: number }): Uint8Array {
  return new TextEncoder().encode(JSON.stringify({ ...state, padding: 'x'.repeat(state.index % 40) }));
}

function decodeState(bytes: Uint8Array | undefined): { index: number; hash: number } {
  if (!bytes) return { index: 0, hash: 0 };
  const { index, hash } = JSON.parse(new TextDecoder().decode(bytes)) as { index: number; hash: number };
  return { index, hash };
}
