import type { VoteRequest, VoteResponse } from '../../src/protocol/messages/vote.ts';
import { Vote } from '../../src/protocol/messages/vote.ts';
import type { Voter } from '../../src/raft/types.ts';
import type { OdradekNode } from '../../src/server/node.ts';
import type { ClusterNode } from '../cluster/sim-cluster.ts';
import type { Invariant } from './invariant.ts';
import { InvariantViolation } from './violation.ts';

interface CommittedEntry {
  readonly index: number;
  readonly voterSet?: { readonly voters: readonly Voter[] } | undefined;
}

interface CommittedSet {
  readonly index: number;
  readonly keys: ReadonlySet<string>;
}

const keyOf = ({ id, directoryId }: Voter): string => `${id}:${directoryId}`;
const keysOf = (voters: readonly Voter[]): ReadonlySet<string> => new Set(voters.map(keyOf));

/**
 * The invariants of voters that change (thesis 4, KIP-853): two committed sets in a row differ by one voter at most, and
 * so does the newest leader's set from the last committed one; a leader has the votes of a majority of its own set, each given by the disk that the set names; whatever is committed is
 * on the disks of a majority of the set in force; and whoever knows that its vote is gone is not elected any more.
 */
export class VotersWatch implements Invariant {
  readonly #guard: (check: () => void) => void;
  /** Who voted for whom, by epoch. */
  readonly #votes = new Map<number, Map<string, string>>();
  #newestEpoch = 0;
  #leaderSet: readonly Voter[] | undefined;
  #committed: CommittedSet | undefined;
  #lastIndex = 0;
  /** They write what is under way, and say so to others, but look at nothing any more. */
  readonly #stopped = new WeakSet<OdradekNode['raft']>();
  readonly #members = new Map<number, ClusterNode>();

  /** @param guard Runs a check inside the product's own calls, where a throw would not reach the test. */
  constructor(guard: (check: () => void) => void) {
    this.#guard = guard;
  }

  attach(member: ClusterNode, node: OdradekNode): void {
    const { store, raft } = node;
    this.#members.set(member.id, member);
    const stop = raft.stop.bind(raft);
    raft.stop = () => {
      this.#stopped.add(raft);
      return stop();
    };
    const apply = store.apply.bind(store);
    store.apply = (entries) => {
      this.#guard(() => this.#applied(node, entries as readonly CommittedEntry[]));
      apply(entries);
    };
    const handle = raft.handle.bind(raft);
    const vote = async (request: VoteRequest) => {
      const answer = (await handle(Vote, request)) as VoteResponse;
      this.#voted(member, request, answer);
      return answer;
    };
    raft.handle = (api, body) => (api.key === Vote.key ? vote(body as VoteRequest) : handle(api, body));
  }

  check(member: ClusterNode, node: OdradekNode): void {
    const { role, epoch, voters } = node.raft;
    if (role !== 'leader' || epoch < this.#newestEpoch) return;
    if (epoch > this.#newestEpoch) {
      this.#newestEpoch = epoch;
      this.#elected(member, node);
    }
    if (voters === this.#leaderSet) return;
    this.#leaderSet = voters;
    this.#oneOpenChange(node);
  }

  /** The newest leader has all that is committed, and one change more at most. */
  #oneOpenChange({ raft }: OdradekNode): void {
    const keys = keysOf(raft.voters);
    const { changed, text } = difference(this.#committed?.keys ?? keys, keys);
    if (changed > 1)
      throw new InvariantViolation('two changes of the voters are open', `epoch ${raft.epoch}: ${text}`);
  }

  #voted(member: ClusterNode, request: VoteRequest, { voteGranted, epoch }: VoteResponse): void {
    if (request.preVote || !voteGranted) return;
    const votes = this.#votes.get(epoch) ?? new Map<string, string>();
    this.#votes.set(epoch, votes);
    const candidate = `${request.candidateId}:${request.candidateDirectoryId}`;
    votes.set(`${member.id}:${request.voterDirectoryId}`, candidate);
  }

  #elected({ id }: ClusterNode, { raft, directoryId }: OdradekNode): void {
    const self = `${id}:${directoryId}`;
    const votes = this.#votes.get(raft.epoch);
    const set = [...keysOf(raft.voters)];
    const given = set.filter((voter) => voter === self || votes?.get(voter) === self);
    if (given.length <= set.length / 2) {
      const count = `${self} leads epoch ${raft.epoch} by the votes of ${given} of ${set}`;
      throw new InvariantViolation('elected without a majority of the voters', count);
    }
    const committed = this.#committed;
    if (committed && raft.commitIndex >= committed.index && ![...committed.keys, ...set].includes(self)) {
      const what = `${self} leads epoch ${raft.epoch}, and knew that ${[...committed.keys]} vote`;
      throw new InvariantViolation('a removed voter was elected', what);
    }
  }

  #applied(node: OdradekNode, entries: readonly CommittedEntry[]): void {
    const news = entries.filter(({ index }) => index > this.#lastIndex);
    if (news.length === 0) return;
    for (const { index, voterSet } of news) {
      this.#lastIndex = index;
      if (voterSet) this.#committedSet(index, voterSet.voters);
    }
    if (node.raft.role === 'leader') this.#requireMajority(node, this.#lastIndex);
  }

  #committedSet(index: number, voters: readonly Voter[]): void {
    const keys = keysOf(voters);
    const before = this.#committed?.keys;
    this.#committed = { index, keys };
    if (!before) return;
    const { changed, text } = difference(before, keys);
    if (changed > 1)
      throw new InvariantViolation('more than one voter changed at once', `entry ${index} ${text}`);
  }

  /** A voter that is down, or on its way to, may have it; one that runs says. */
  #requireMajority({ raft }: OdradekNode, index: number): void {
    const lacking = raft.voters.filter((voter) => {
      const node = this.#members.get(voter.id)?.node;
      if (node === undefined || this.#stopped.has(node.raft)) return false;
      return node.directoryId !== voter.directoryId || syncedIndexOf(node, voter.id) < index;
    });
    if (lacking.length < raft.voters.length / 2) return;
    const who = `entry ${index} in epoch ${raft.epoch}; ${lacking.map(keyOf)} of ${raft.voters.map(keyOf)} lack it`;
    throw new InvariantViolation('committed without a majority of the voters', who);
  }
}

function difference(before: ReadonlySet<string>, after: ReadonlySet<string>) {
  const added = [...after].filter((key) => !before.has(key));
  const removed = [...before].filter((key) => !after.has(key));
  return { changed: added.length + removed.length, text: `adds ${added} and removes ${removed}` };
}

/** How much of its log a node has on its disk. */
function syncedIndexOf({ raft, directoryId }: OdradekNode, id: number): number {
  const quorum = raft.describe();
  const replicas = quorum ? [...quorum.voters, ...quorum.observers] : [];
  const own = replicas.find((each) => each.id === id && each.directoryId === directoryId);
  return own?.matchIndex ?? Number.POSITIVE_INFINITY;
}
