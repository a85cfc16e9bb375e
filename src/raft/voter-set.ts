import type { Entry, ReplicaKey, Voter, VoterSet } from './types.ts';
import { isSame } from './types.ts';

/** The version of the catalogue that the voters are part of the log from. */
export const VOTER_SETS_SINCE = 3;

export const isIn = (set: VoterSet, replica: ReplicaKey): boolean =>
  set.voters.some((voter) => isSame(voter, replica));

interface Dated {
  /** The entry (or the snapshot) that says so. */
  readonly index: number;
  readonly set: VoterSet;
}

/**
 * The voter sets that a log names, oldest first. The last one counts, committed or not (thesis 4.1): a majority of the
 * old set and one of a set that differs by one voter always share a replica, as long as no change is made over another
 * that is still open. A truncation takes uncommitted sets back.
 */
export class VoterSets {
  #sets: Dated[];

  constructor(base: { readonly index: number; readonly voterSet: VoterSet }) {
    this.#sets = [{ index: base.index, set: base.voterSet }];
  }

  get current(): VoterSet {
    return this.#last.set;
  }

  /** Which entry names the current set. */
  get currentIndex(): number {
    return this.#last.index;
  }

  /** The set as of an entry that is not behind the snapshot. */
  at(index: number): VoterSet {
    const dated = this.#sets.findLast((each) => each.index <= index) ?? this.#sets[0];
    if (!dated) throw new Error('unreachable: there is always a set');
    return dated.set;
  }

  /** The set as of an entry, and all that came behind it. */
  since(index: number): VoterSet[] {
    const first = this.#sets.findLastIndex((each) => each.index <= index);
    return this.#sets.slice(Math.max(first, 0)).map(({ set }) => set);
  }

  append({ index, voterSet }: Entry): void {
    if (voterSet) this.#sets.push({ index, set: voterSet });
  }

  truncateAfter(index: number): void {
    while (this.#sets.length > 1 && this.#last.index > index) this.#sets.pop();
  }

  /** Forgets sets that were replaced at or before `index`. */
  compactTo(index: number): void {
    while ((this.#sets[1]?.index ?? Number.POSITIVE_INFINITY) <= index) this.#sets.shift();
  }

  get #last(): Dated {
    const last = this.#sets.at(-1);
    if (!last) throw new Error('unreachable: there is always a set');
    return last;
  }
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** On the wire and in the log: JSON, since it is rare, small, and worth reading by eye. */
export const encodeVoterSet = ({ voters, vacant }: VoterSet): Uint8Array =>
  encoder.encode(JSON.stringify({ voters: voters.map(plain), vacant: vacant.map(plain) }));

export const decodeVoterSet = (bytes: Uint8Array): VoterSet => JSON.parse(decoder.decode(bytes));

const plain = ({ id, directoryId, endpoint }: Voter) => ({ id, directoryId, endpoint });
