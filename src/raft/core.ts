/**
 * The metadata quorum: Raft (Ongaro & Ousterhout 2014, Ongaro's thesis) with pre-vote, check-quorum, pipelined
 * appends, observers and chunked snapshots. May import `protocol/` and `platform/`; knows nothing of what an entry
 * means. Begin here, then one file per job:
 *
 * - the pure core: `types.ts` (inputs and effects), `state.ts` (what the roles share), `log-view.ts` (the log in
 *   memory), `voter-set.ts` and `voter-changes.ts` (who votes), `election.ts`, `leader.ts`, `commit.ts`, `progress.ts`,
 *   `follower.ts`, `snapshots.ts`;
 * - the shell: `node.ts` (`RaftNode`, the module's face), `driver.ts` (carries effects out), `wire.ts` (the core's
 *   messages in the catalogue's terms), `bootstrap.ts` (safe first start), `describe.ts`;
 * - the disk: `storage.ts` (group commit), `wal-format.ts`, `wal-recovery.ts`, `snapshot-file.ts`.
 */

import { maybeCommit } from './commit.ts';
import {
  adoptEpoch,
  armRetryTimer,
  followByHearsay,
  onEndEpoch,
  onHardStateSynced,
  onUnreachable,
  onVoteRequest,
  onVoteResponse,
  startPreVote,
} from './election.ts';
import { onAppendRequest } from './follower.ts';
import {
  broadcast,
  leaderDeadlineMs,
  maybeHandOver,
  onAppendResponse,
  onRequestFailed,
  registerObserver,
  startResigning,
  tickLeader,
} from './leader.ts';
import { onChunkFailed, onSnapshotRequest, onSnapshotResponse, onSnapshotSaved } from './snapshots.ts';
import type { RaftStart } from './state.ts';
import { RaftState } from './state.ts';
import type {
  Effect,
  HelloResponse,
  Input,
  ReplicaKey,
  Request,
  Response,
  VoterChange,
  VoterRefusal,
} from './types.ts';
import { keyOf } from './types.ts';
import { changeVoters, isRemovedForGood, maybeReplaceWiped, nextVoterSet } from './voter-changes.ts';

export type { RaftStart } from './state.ts';

/** One replica's consensus state machine: synchronous, deterministic, without I/O. */
export class RaftCore {
  readonly #s: RaftState;

  constructor(start: RaftStart, nowMs: number) {
    this.#s = new RaftState(start);
    // A starting voter asks soon: if a leader lives, pre-vote makes the question harmless.
    armRetryTimer(this.#s, nowMs);
    // A voter that is a majority by itself has nobody to wait for.
    if (this.#s.isVoter && this.#s.quorumSize === 1) this.#s.electionDeadlineMs = nowMs;
  }

  /** For the driver, status pages and tests; change it through `step` alone. */
  get state(): Readonly<RaftState> {
    return this.#s;
  }

  /** When `tick` is due. */
  deadlineMs(): number {
    return this.#s.role === 'leader' ? leaderDeadlineMs(this.#s) : this.#s.electionDeadlineMs;
  }

  /** Takes one input and says what to do, in order. Throws when an invariant is broken: then crash. */
  step(input: Input, nowMs: number): Effect[] {
    const s = this.#s;
    switch (input.kind) {
      case 'tick':
        this.#tick(nowMs);
        break;
      case 'request':
        this.#onRequest(input.from, input.request, input.token, nowMs);
        break;
      case 'response':
        this.#onResponse(input.from, input.request, input.response, nowMs);
        break;
      case 'failed':
        this.#onFailed(input.to, input.request);
        break;
      case 'persisted':
        s.syncedEpoch = Math.max(s.syncedEpoch, input.epoch);
        s.log.markSynced(input.index, input.generation);
        onHardStateSynced(s, nowMs);
        if (s.role === 'leader' && maybeCommit(s)) broadcast(s, nowMs);
        break;
      case 'propose':
        this.#propose(input.payload);
        break;
      case 'changeVoters':
        changeVoters(s, input.change, nowMs);
        break;
      case 'catalogueLevel':
        s.catalogueLevel = input.level;
        break;
      case 'flush':
        if (s.role === 'leader') broadcast(s, nowMs);
        break;
      case 'snapshotSaved':
        onSnapshotSaved(s, input.snapshot);
        break;
      case 'unreachable':
        onUnreachable(s, input.id, nowMs);
        break;
      case 'resign':
        startResigning(s, nowMs);
        break;
    }
    if (isRemovedForGood(s)) startResigning(s, nowMs);
    maybeReplaceWiped(s, nowMs);
    return s.takeEffects();
  }

  #tick(nowMs: number): void {
    const s = this.#s;
    if (s.role === 'leader') {
      tickLeader(s, nowMs);
      return;
    }
    if (nowMs < s.electionDeadlineMs) return;
    if (s.mayStand) {
      startPreVote(s, nowMs);
      // It may have been removed meanwhile, and nobody sends it entries any more: as an observer it hears of it.
      if (s.role === 'prospective' && s.electionAttempts > 1) this.#sayHello();
      return;
    }
    this.#seekLeader(nowMs);
  }

  /** An observer that hears nobody asks the peers in turn who leads. */
  #seekLeader(nowMs: number): void {
    const s = this.#s;
    if (s.leaderId !== undefined)
      s.note('No leader is heard: asking the voters for one', { leaderId: s.leaderId });
    s.leaderId = undefined;
    s.leaderContactMs = Number.NEGATIVE_INFINITY;
    armRetryTimer(s, nowMs);
    this.#sayHello();
  }

  #sayHello(): void {
    const s = this.#s;
    // The voters of an old log may all be gone by now; those of the configuration should not.
    const seeds = s.seeds.filter(({ id }) => s.voters.every((voter) => voter.id !== id));
    const others = [...s.voters, ...seeds].filter(({ id }) => id !== s.self.id);
    const peer = others[s.helloTurn++ % Math.max(others.length, 1)];
    if (peer) s.send(peer, { type: 'hello', lastIndex: s.log.lastIndex }, { afterSync: false });
  }

  #propose(payload: Uint8Array): void {
    const s = this.#s;
    if (!this.canPropose) throw new Error(`proposed to a ${s.role} in epoch ${s.epoch}`);
    s.log.append([{ index: s.log.lastIndex + 1, epoch: s.epoch, payload }]);
    s.needsFlush = true;
  }

  /** What speaks against this change now; undefined: nothing. */
  refuseVoterChange(change: VoterChange, nowMs: number): VoterRefusal | undefined {
    const next = nextVoterSet(this.#s, change, nowMs);
    return typeof next === 'string' ? next : undefined;
  }

  /** This node leads, the no-op of its epoch is committed, and it is not about to stop. */
  get canPropose(): boolean {
    return this.#s.noOpCommitted && this.#s.resignDeadlineMs === Number.POSITIVE_INFINITY;
  }

  /**
   * A live replica is being sent a snapshot. A new one now would take the old one's file, and the log behind it, from
   * under the transfer: a slow replica would be sent one snapshot after the other, and never arrive.
   */
  isSendingSnapshot(nowMs: number): boolean {
    const { replicas, limits } = this.#s;
    for (const { transfer, lastContactMs } of replicas.values()) {
      if (transfer && nowMs < lastContactMs + limits.observerTimeoutMs) return true;
    }
    return false;
  }

  #onRequest(from: ReplicaKey, request: Request, token: number, nowMs: number): void {
    const s = this.#s;
    switch (request.type) {
      case 'vote':
        onVoteRequest(s, from, request, token, nowMs);
        return;
      case 'append':
        onAppendRequest(s, from, request, token, nowMs);
        return;
      case 'snapshot':
        onSnapshotRequest(s, from, request, token, nowMs);
        return;
      case 'endEpoch':
        onEndEpoch(s, from, request, token, nowMs);
        return;
      case 'hello': {
        if (s.role === 'leader') registerObserver(s, from, request, nowMs);
        const response: HelloResponse = { type: 'hello', epoch: s.epoch, leaderId: s.leaderId };
        s.reply(token, response, { afterSync: false });
        return;
      }
    }
  }

  #onResponse(from: ReplicaKey, request: Request, response: Response, nowMs: number): void {
    const s = this.#s;
    if (request.type === 'vote') {
      if (response.type === 'vote') onVoteResponse(s, from, request, response, nowMs);
      return;
    }
    if (response.type === 'hello') {
      this.#onHelloResponse(from, response, nowMs);
      return;
    }
    if (response.epoch > s.epoch) {
      adoptEpoch(s, response.epoch, nowMs);
      return;
    }
    // An answer to an older epoch of this leader says nothing about this one.
    if (s.role !== 'leader' || request.type === 'hello' || request.epoch !== s.epoch) return;
    const progress = s.replicas.get(keyOf(from));
    if (!progress) return;
    progress.lastContactMs = nowMs;
    const sent = progress.inFlight.get(request);
    progress.inFlight.delete(request);
    if (request.type === 'append' && response.type === 'append') {
      onAppendResponse(s, progress, request, response, sent?.matchIndex, nowMs);
    } else if (request.type === 'snapshot' && response.type === 'snapshot') {
      onSnapshotResponse(s, progress, request, response, nowMs);
      if (maybeCommit(s)) broadcast(s, nowMs);
    }
    if (s.resignDeadlineMs !== Number.POSITIVE_INFINITY && request.type !== 'endEpoch')
      maybeHandOver(s, nowMs);
  }

  /**
   * An observer learned who leads: register there. It follows at once, not only from the first append on: a leader may
   * not know yet where a new node is, until that node has turned to it as a broker.
   */
  #onHelloResponse(from: ReplicaKey, response: HelloResponse, nowMs: number): void {
    const s = this.#s;
    if (s.leaderId !== undefined || response.epoch < s.epoch) return;
    if (response.leaderId === undefined || response.leaderId === s.self.id) return;
    // The leader may be a voter of a set that is not in this log yet: a hello is for the node, whatever its disk.
    const known = s.voters.find((voter) => voter.id === response.leaderId);
    const leader = known ?? { id: response.leaderId, directoryId: '' };
    if (!s.isVoter) {
      adoptEpoch(s, response.epoch, nowMs);
      followByHearsay(s, leader.id, nowMs);
    }
    if (leader.id !== from.id)
      s.send(leader, { type: 'hello', lastIndex: s.log.lastIndex }, { afterSync: false });
  }

  #onFailed(to: ReplicaKey, request: Request): void {
    const s = this.#s;
    if (s.role !== 'leader') return;
    const progress = s.replicas.get(keyOf(to));
    if (!progress) return;
    onRequestFailed(progress, request);
    if (request.type === 'snapshot') onChunkFailed(s, progress);
  }
}
