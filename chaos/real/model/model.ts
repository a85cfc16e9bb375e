/**
 * What a cluster owes its clients: the model of the model-based tests. Pure: it is told what was sent, acknowledged, read
 * and committed, and throws a `BrokenPromise` when that cannot be.
 */

export const PARTITIONS = 2;

export type Whereabouts = 'killed' | 'stopped' | 'cut';

/** One record on its way. `unknown`: given up, and written or not. */
interface Sent {
  readonly value: string;
  /** Its place among those sent to its partition. */
  readonly place: number;
  outcome: 'pending' | 'acknowledged' | 'refused' | 'unknown';
}

/** The cluster did what it must not. */
export class BrokenPromise extends Error {
  override readonly name = 'BrokenPromise';
}

class PartitionModel {
  readonly sent = new Map<string, Sent>();
  /** What is known of the log, from acknowledgements and from reads. */
  readonly #valueAt = new Map<number, string>();
  readonly #offsetOf = new Map<string, number>();
  /** The next offset of the reader. */
  position = 0;
  /** What the group committed for certain. */
  committed: number | undefined;
  readonly #index: number;

  constructor(index: number) {
    this.#index = index;
  }

  send(value: string): Sent {
    const sent: Sent = { value, place: this.sent.size, outcome: 'pending' };
    this.sent.set(value, sent);
    return sent;
  }

  /** Where the acknowledged records end. */
  get acknowledgedEnd(): number {
    let end = 0;
    for (const { value, outcome } of this.sent.values()) {
      if (outcome === 'acknowledged') end = Math.max(end, (this.#offsetOf.get(value) ?? -1) + 1);
    }
    return end;
  }

  /** -1: the broker had forgotten where, as it may of a batch that was repeated much later. */
  acknowledge(sent: Sent, offset: number): void {
    sent.outcome = 'acknowledged';
    if (offset >= 0) this.#place(sent, offset, 'acknowledged');
  }

  /** A producer was told that it is not written. */
  refuse(sent: Sent): void {
    sent.outcome = 'refused';
    const offset = this.#offsetOf.get(sent.value);
    if (offset !== undefined) this.#broken(`${sent.value} was refused for certain, and stands at ${offset}`);
  }

  /** A reader got this; `expected` is the offset after its last one. */
  read(offset: number, value: string, expected: number): void {
    if (offset !== expected) this.#broken(`a reader at ${expected} was given offset ${offset}`);
    const sent = this.sent.get(value);
    if (!sent) throw this.#broken(`offset ${offset} holds ${value}, which nobody sent`);
    if (sent.outcome === 'refused') this.#broken(`${value} was refused for certain, and stands at ${offset}`);
    this.#place(sent, offset, 'read');
  }

  /** The whole log was read up to `end`: all that was acknowledged must lie there. */
  end(end: number): void {
    for (const { value, outcome } of this.sent.values()) {
      const offset = this.#offsetOf.get(value);
      if (outcome === 'acknowledged' && (offset === undefined || offset >= end))
        this.#broken(
          `${value} was acknowledged at ${offset ?? 'some offset'}; the log ends at ${end} without it`,
        );
    }
  }

  commit(offset: number): void {
    this.committed = offset;
  }

  /** What the cluster says that the group committed. */
  checkCommitted(found: number | undefined): void {
    if (found !== this.committed)
      this.#broken(`the group committed ${this.committed ?? 'nothing'}, and is told ${found ?? 'nothing'}`);
  }

  #place(sent: Sent, offset: number, how: string): void {
    const { value } = sent;
    const there = this.#valueAt.get(offset);
    if (there !== undefined && there !== value)
      this.#broken(`${value} was ${how} at offset ${offset}, where ${there} was before`);
    const before = this.#offsetOf.get(value);
    if (before !== undefined && before !== offset)
      this.#broken(`${value} was ${how} at offset ${offset}, and at ${before} before`);
    this.#valueAt.set(offset, value);
    this.#offsetOf.set(value, offset);
    for (const [other, otherOffset] of this.#offsetOf) {
      const otherPlace = this.sent.get(other)?.place ?? 0;
      if (otherPlace < sent.place !== otherOffset < offset && other !== value)
        this.#broken(
          `${value} at ${offset} and ${other} at ${otherOffset} are not in the order of their sending`,
        );
    }
  }

  #broken(what: string): never {
    throw new BrokenPromise(`partition ${this.#index}: ${what}`);
  }
}

export class Model {
  readonly partitions = Array.from({ length: PARTITIONS }, (_, index) => new PartitionModel(index));
  /** Nodes that are not well, in the order in which that happened to them. */
  readonly impaired = new Map<number, Whereabouts>();
  /** What was really done, and how often. */
  readonly #tally: Map<string, number>;
  #values = 0;

  /** @param tally goes on counting where it stands */
  constructor(tally: Map<string, number>) {
    this.#tally = tally;
  }

  did(what: string): void {
    this.#tally.set(what, (this.#tally.get(what) ?? 0) + 1);
  }

  /** One node at most is down: the cluster must serve. */
  get mustServe(): boolean {
    return this.impaired.size <= 1;
  }

  partition(index: number): PartitionModel {
    const partition = this.partitions[index];
    if (!partition) throw new Error(`there is no partition ${index}`);
    return partition;
  }

  nextValue(): string {
    return `v${this.#values++}`;
  }
}
