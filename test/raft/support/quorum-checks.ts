import type { Entry, ReplicaKey, Request, Response } from '../../../src/raft/types.ts';
import { keyOf } from '../../../src/raft/types.ts';
import type { QuorumSim, SimDurable, SimReplica } from './quorum-sim.ts';

/** What must hold after every event (Raft figure 3, and that a promise is on the disk). */
export class QuorumChecks {
  readonly #sim: QuorumSim;
  readonly leaderOfEpoch = new Map<number, string>();
  /** The committed log, as the first replica to commit each entry had it. */
  readonly committed: { readonly epoch: number; readonly payload: string }[] = [];
  #committedVoters: ReadonlySet<string> | undefined;
  readonly #hashes = new Map<number, number>();
  readonly #votes = new Map<string, string>();
  readonly #seen = new Map<
    string,
    { epoch: number; commitIndex: number; wasLeader: boolean; voterSetIndex: number }
  >();
  /** How often a truncation took a voter set back. */
  voterSetsTakenBack = 0;

  constructor(sim: QuorumSim) {
    this.#sim = sim;
  }

  /** How many epochs had a leader. */
  get elections(): number {
    return this.leaderOfEpoch.size;
  }

  afterStep(replica: SimReplica): void {
    const s = replica.core?.state;
    if (!s) return;
    const who = `${keyOf(replica.key)}#${replica.incarnation}`;
    const before = this.#seen.get(who);
    if (before && s.epoch < before.epoch)
      this.#fail(`${who}: the epoch went back from ${before.epoch} to ${s.epoch}`);
    if (before && s.commitIndex < before.commitIndex) this.#fail(`${who}: the commit index went back`);
    this.#checkCommitted(replica);
    this.#checkVoterSet(replica);
    if (before && s.log.voterSetIndex < before.voterSetIndex) this.voterSetsTakenBack++;
    if (s.role === 'leader') {
      const leader = this.leaderOfEpoch.get(s.epoch);
      if (leader !== undefined && leader !== who)
        this.#fail(`epoch ${s.epoch} has two leaders: ${leader} and ${who}`);
      this.leaderOfEpoch.set(s.epoch, who);
      // One whose own vote took long to sync may lead an old epoch in vain, when a newer one has committed more.
      const isNewest = [...this.leaderOfEpoch.keys()].every((epoch) => epoch <= s.epoch);
      const isNew = !before?.wasLeader || before.epoch !== s.epoch;
      if (isNew && isNewest) this.#checkLeaderCompleteness(replica);
    }
    if (
      s.role === 'leader' &&
      before?.wasLeader &&
      before.epoch === s.epoch &&
      s.commitIndex > before.commitIndex
    ) {
      // Raft 5.4.2: counting commits an entry of this epoch, and what lies beneath it.
      const epoch = s.log.epochAt(s.commitIndex);
      if (epoch !== s.epoch)
        this.#fail(`${who} of epoch ${s.epoch} counted entry ${s.commitIndex} of epoch ${epoch}`);
    }
    const synced = s.log.syncedIndex;
    if (synced > s.log.baseIndex && !isOnDisk(replica.durable, synced, s.log.epochAt(synced))) {
      this.#fail(`${who} takes entry ${synced} of epoch ${s.log.epochAt(synced)} for synced`);
    }
    if (s.snapshot.index < s.log.baseIndex) this.#fail(`${who}: the log was cut beyond the snapshot`);
    this.#seen.set(who, {
      epoch: s.epoch,
      commitIndex: s.commitIndex,
      wasLeader: s.role === 'leader',
      voterSetIndex: s.log.voterSetIndex,
    });
  }

  /**
   * A leader of the newest epoch goes by the last committed voter set, or by one change more: majorities of the two share
   * a voter. And by what its log says, uncommitted or not.
   */
  #checkVoterSet(replica: SimReplica): void {
    const s = replica.core?.state;
    if (s?.role !== 'leader' || s.epoch < Math.max(...this.leaderOfEpoch.keys())) return;
    const inLog = s.log.slice(s.log.baseIndex + 1, s.log.lastIndex).findLast(({ voterSet }) => voterSet);
    if (inLog && inLog.voterSet !== s.log.voterSet)
      this.#fail(`leader ${replica.key.id} does not go by the last voter set of its log`);
    const committed = this.#committedVoters;
    const own = new Set(s.voters.map(keyOf));
    if (!committed) return;
    const more = [...own].filter((key) => !committed.has(key)).length;
    const fewer = [...committed].filter((key) => !own.has(key)).length;
    if (more + fewer > 1)
      this.#fail(`leader ${replica.key.id} goes by ${[...own]}, and committed is ${[...committed]}`);
  }

  /** Whatever a replica commits equals what others did, and a majority of the voters holds it on disk. */
  #checkCommitted(replica: SimReplica): void {
    const s = replica.core?.state;
    if (!s) return;
    for (let index = this.committed.length + 1; index <= s.commitIndex; index++) {
      const [entry] = s.log.slice(index, index);
      if (!entry) throw new Error('unreachable');
      // Once it was committed, the same step may have appended the next voter set: that one did not count yet.
      const before = this.#seen.get(`${keyOf(replica.key)}#${replica.incarnation}`);
      this.#checkDurable(entry, s.log.voterSetAt(before?.voterSetIndex ?? s.log.voterSetIndex).voters);
      if (entry.voterSet) this.#committedVoters = new Set(entry.voterSet.voters.map(keyOf));
      this.committed.push({ epoch: entry.epoch, payload: textOf(entry) });
    }
  }

  /** The voters are those of the log of whoever committed it first: the leader. */
  #checkDurable(entry: Entry, voters: readonly ReplicaKey[]): void {
    let holders = 0;
    for (const voter of voters) {
      const present = this.#sim.replica(voter.id);
      const isPresent = keyOf(present.key) === keyOf(voter);
      const durable = isPresent ? present.durable : this.#sim.lostDisks.get(keyOf(voter));
      if (durable && isOnDisk(durable, entry.index, entry.epoch)) holders++;
    }
    if (holders < Math.floor(voters.length / 2) + 1) {
      this.#fail(`entry ${entry.index} of epoch ${entry.epoch} was committed with ${holders} copies on disk`);
    }
  }

  #checkLeaderCompleteness(replica: SimReplica): void {
    const s = replica.core?.state;
    if (!s) return;
    for (let index = s.log.baseIndex + 1; index <= this.committed.length; index++) {
      if (s.log.epochAt(index) !== this.committed[index - 1]?.epoch) {
        this.#fail(`leader ${replica.key.id} of epoch ${s.epoch} lacks committed entry ${index}`);
      }
    }
  }

  onApplied(replica: SimReplica, entry: Entry): void {
    const known = this.committed[entry.index - 1];
    if (known && (known.epoch !== entry.epoch || known.payload !== textOf(entry))) {
      this.#fail(`replica ${replica.key.id} applied another entry at ${entry.index}`);
    }
    this.onRestored(replica);
  }

  onRestored(replica: SimReplica): void {
    const { index, hash } = replica.applied;
    const known = this.#hashes.get(index);
    if (known !== undefined && known !== hash)
      this.#fail(`replica ${replica.key.id} has another state at ${index}`);
    this.#hashes.set(index, hash);
  }

  /** A reply leaves: what it promises must be on the disk. */
  onReply(voter: SimReplica, to: ReplicaKey, request: Request, response: Response): void {
    if (request.type === 'append' && response.type === 'append' && response.success) {
      const promised = request.entries.find((entry) => entry.index === response.matchIndex);
      const isKept = promised && isOnDisk(voter.durable, promised.index, promised.epoch);
      // A later leader's entries may have replaced them on disk in the same round.
      const isReplaced = promised && voter.durable.hardState.epoch > request.epoch;
      if (promised && !isKept && !isReplaced) {
        this.#fail(`${keyOf(voter.key)} acknowledged entry ${promised.index} before it was on its disk`);
      }
    }
    if (request.type !== 'vote' || request.preVote || response.type !== 'vote' || !response.granted) return;
    const { hardState } = voter.durable;
    if (hardState.epoch < request.epoch || (hardState.epoch === request.epoch && !hardState.votedFor)) {
      this.#fail(`${keyOf(voter.key)} voted in epoch ${request.epoch} before that was on its disk`);
    }
    const ballot = `${keyOf(voter.key)} in epoch ${request.epoch}`;
    const before = this.#votes.get(ballot);
    if (before !== undefined && before !== keyOf(to))
      this.#fail(`${ballot} voted for ${before} and ${keyOf(to)}`);
    this.#votes.set(ballot, keyOf(to));
  }

  #fail(message: string): never {
    throw new Error(
      `${message}\nat ${this.#sim.nowMs.toFixed(1)} ms; the last notes:\n${this.#sim.notes.slice(-30).join('\n')}`,
    );
  }
}

function textOf({ payload, voterSet }: Entry): string {
  return voterSet ? JSON.stringify(voterSet) : new TextDecoder().decode(payload);
}

function isOnDisk(durable: SimDurable, index: number, epoch: number | undefined): boolean {
  if (durable.snapshot.index >= index) return true;
  return durable.entries.some((entry) => entry.index === index && entry.epoch === epoch);
}
