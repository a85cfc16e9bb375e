import { crc32 } from 'node:zlib';
import { AppendEntries } from '../../src/protocol/messages/append-entries.ts';
import type { VoteRequest, VoteResponse } from '../../src/protocol/messages/vote.ts';
import { Vote } from '../../src/protocol/messages/vote.ts';
import type { RequestOf } from '../../src/protocol/schema.ts';
import type { OdradekNode } from '../../src/server/node.ts';
import type { ClusterNode } from '../cluster/sim-cluster.ts';
import type { Invariant } from './invariant.ts';
import { InvariantViolation } from './violation.ts';

interface CommittedEntry {
  readonly index: number;
  readonly epoch: number;
  readonly payload: Uint8Array;
}

/** What was seen of one process's quorum module. */
interface Seen {
  readonly incarnation: number;
  epoch: number;
  commitIndex: number;
}

/**
 * The invariants of the metadata quorum, watched from outside: one leader per epoch, one vote per voter and epoch,
 * nothing committed by counting but entries of the leader's own epoch, equal committed prefixes, and nothing that goes
 * back within one life of a process.
 */
export class QuorumWatch implements Invariant {
  /** Who led an epoch, as `node/incarnation`: a restarted leader must not resume its epoch (KAFKA-10527). */
  readonly #leaders = new Map<number, string>();
  readonly #votes = new Map<string, string>();
  readonly #committed: { readonly epoch: number; readonly sum: number }[] = [];
  readonly #seen = new Map<number, Seen>();
  readonly #onEntry: (entry: CommittedEntry) => void;
  readonly #guard: (check: () => void) => void;

  /**
   * @param onEntry Called with every committed entry, once, in order.
   * @param guard Runs a check inside the product's own calls, where a throw would not reach the test.
   */
  constructor(onEntry: (entry: CommittedEntry) => void, guard: (check: () => void) => void) {
    this.#onEntry = onEntry;
    this.#guard = guard;
  }

  get committedCount(): number {
    return this.#committed.length;
  }

  attach(member: ClusterNode, node: OdradekNode): void {
    const { store, raft } = node;
    const apply = store.apply.bind(store);
    store.apply = (entries) => {
      this.#guard(() => this.#applied(member, node, entries as readonly CommittedEntry[]));
      apply(entries);
    };
    const handle = raft.handle.bind(raft);
    const vote = async (request: VoteRequest) => {
      const answer = (await handle(Vote, request)) as VoteResponse;
      this.#guard(() => this.#voted(member, request, answer));
      return answer;
    };
    raft.handle = (api, body) => {
      if (api.key === Vote.key) return vote(body as VoteRequest);
      if (api.key === AppendEntries.key)
        this.#guard(() => this.#heardLeader(body as RequestOf<typeof AppendEntries>));
      return handle(api, body);
    };
  }

  /** After an event on this node. */
  check(member: ClusterNode, { raft }: OdradekNode): void {
    const { number } = member.machine.incarnation;
    let seen = this.#seen.get(member.id);
    if (seen?.incarnation !== number) {
      seen = { incarnation: number, epoch: 0, commitIndex: 0 };
      this.#seen.set(member.id, seen);
    }
    const { epoch, commitIndex, role } = raft;
    if (epoch === seen.epoch && commitIndex === seen.commitIndex && role !== 'leader') return;
    if (epoch < seen.epoch) {
      throw new InvariantViolation('quorum epoch goes back', `node ${member.id}: ${seen.epoch} to ${epoch}`);
    }
    if (commitIndex < seen.commitIndex) {
      const change = `${seen.commitIndex} to ${commitIndex}`;
      throw new InvariantViolation('commit index goes back', `node ${member.id}: ${change}`);
    }
    seen.epoch = epoch;
    seen.commitIndex = commitIndex;
    if (role === 'leader') this.#leads(epoch, `${member.id}/${number}`);
  }

  #leads(epoch: number, who: string): void {
    const other = this.#leaders.get(epoch);
    if (other === undefined) this.#leaders.set(epoch, who);
    else if (other !== who) {
      throw new InvariantViolation('two quorum leaders in one epoch', `epoch ${epoch}: ${other} and ${who}`);
    }
  }

  #heardLeader({ leaderId, leaderEpoch }: RequestOf<typeof AppendEntries>): void {
    const known = this.#leaders.get(leaderEpoch);
    if (known === undefined || known.startsWith(`${leaderId}/`)) return;
    const who = `epoch ${leaderEpoch}: ${known} and node ${leaderId}`;
    throw new InvariantViolation('two quorum leaders in one epoch', who);
  }

  #voted(member: ClusterNode, request: VoteRequest, { voteGranted, epoch }: VoteResponse): void {
    if (request.preVote) return;
    // Whoever asks for votes in an epoch has given itself its own.
    const candidate = `${request.candidateId}:${request.candidateDirectoryId}`;
    this.#gaveVote(candidate, request.candidateEpoch, candidate);
    if (voteGranted) this.#gaveVote(`${member.id}:${request.voterDirectoryId}`, epoch, candidate);
  }

  /** Replicas are named by node and disk: a wiped one is another. */
  #gaveVote(voter: string, epoch: number, candidate: string): void {
    const key = `${voter} ${epoch}`;
    const before = this.#votes.get(key);
    if (before === undefined) this.#votes.set(key, candidate);
    else if (before !== candidate) {
      const votes = `${voter} voted for ${before} and ${candidate} in epoch ${epoch}`;
      throw new InvariantViolation('double vote', votes);
    }
  }

  #applied(member: ClusterNode, { raft }: OdradekNode, entries: readonly CommittedEntry[]): void {
    const last = entries.at(-1);
    if (last !== undefined && raft.role === 'leader' && last.epoch !== raft.epoch) {
      const what = `the leader of epoch ${raft.epoch} committed up to ${last.index}, of epoch ${last.epoch}`;
      throw new InvariantViolation('old epoch committed by counting', `node ${member.id}: ${what}`);
    }
    for (const entry of entries) this.#compare(member, entry);
  }

  #compare(member: ClusterNode, entry: CommittedEntry): void {
    const { index, epoch, payload } = entry;
    const sum = crc32(payload);
    const known = this.#committed[index - 1];
    if (known === undefined) {
      if (index !== this.#committed.length + 1) {
        const gap = `node ${member.id} applied ${index} after ${this.#committed.length}`;
        throw new InvariantViolation('committed entries skipped', gap);
      }
      this.#committed.push({ epoch, sum });
      this.#onEntry(entry);
    } else if (known.epoch !== epoch || known.sum !== sum) {
      const other = `node ${member.id} has entry ${index} of epoch ${epoch}, others committed that of ${known.epoch}`;
      throw new InvariantViolation('committed prefixes differ', other);
    }
  }
}
