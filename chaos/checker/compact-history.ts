import type { NodeLog, Operation, Outcome, Poll, SeenRecord, Send } from './history.ts';

/**
 * A history of millions of records in little memory: each value is kept once, however many readers see it, and what was
 * sent and seen are numbers in columns. Operations come out as they went in, made anew at each walk.
 */
export class CompactHistory implements Iterable<Operation> {
  readonly #texts = new Texts();
  /** Of each operation, its kind and its number among those of that kind. */
  readonly #order = new Column((size) => new Float64Array(size));
  readonly #sends = new Sends(this.#texts);
  readonly #polls = new Polls(this.#texts);
  readonly #nodeLogs = new NodeLogs(this.#texts);
  readonly #others: Operation[] = [];

  /** How many operations there are. */
  get length(): number {
    return this.#order.length;
  }

  add(operation: Operation): void {
    this.#order.push(this.#put(operation));
  }

  #put(operation: Operation): number {
    if (operation.type === 'send') return KINDS * this.#sends.add(operation) + SEND;
    if (operation.type === 'poll') return KINDS * this.#polls.add(operation) + POLL;
    if (operation.type === 'nodeLog') return KINDS * this.#nodeLogs.add(operation) + NODE_LOG;
    return KINDS * (this.#others.push(operation) - 1) + OTHER;
  }

  *[Symbol.iterator](): Iterator<Operation> {
    for (let place = 0; place < this.#order.length; place += 1) {
      const packed = this.#order.at(place);
      const kind = packed % KINDS;
      const number = (packed - kind) / KINDS;
      if (kind === SEND) yield this.#sends.at(number);
      else if (kind === POLL) yield this.#polls.at(number);
      else if (kind === NODE_LOG) yield this.#nodeLogs.at(number);
      else yield this.#others[number] as Operation;
    }
  }
}

const SEND = 0;
const POLL = 1;
const NODE_LOG = 2;
const OTHER = 3;
const KINDS = 4;

const OUTCOMES: readonly Outcome[] = ['ok', 'failed', 'unknown'];
const NO_OFFSET = -1;

/** Numbers, in a typed array that grows by doubling. */
class Column<A extends Float64Array | Uint32Array> {
  readonly #make: (size: number) => A;
  #values: A;
  length = 0;

  constructor(make: (size: number) => A) {
    this.#make = make;
    this.#values = make(1024);
  }

  push(value: number): void {
    if (this.length === this.#values.length) {
      const larger = this.#make(2 * this.length);
      larger.set(this.#values);
      this.#values = larger;
    }
    this.#values[this.length++] = value;
  }

  at(index: number): number {
    return this.#values[index] ?? 0;
  }
}

const wholes = () => new Column((size) => new Uint32Array(size));
const floats = () => new Column((size) => new Float64Array(size));

/** Texts by number, each kept once. */
class Texts {
  readonly #numbers = new Map<string, number>();
  readonly #texts: string[] = [];

  numberOf(text: string): number {
    const known = this.#numbers.get(text);
    if (known !== undefined) return known;
    this.#numbers.set(text, this.#texts.length);
    return this.#texts.push(text) - 1;
  }

  at(number: number): string {
    return this.#texts[number] ?? '';
  }
}

class Sends {
  readonly #texts: Texts;
  readonly #processes = wholes();
  readonly #sequences = wholes();
  readonly #partitions = wholes();
  readonly #values = wholes();
  readonly #outcomes = wholes();
  readonly #offsets = floats();

  constructor(texts: Texts) {
    this.#texts = texts;
  }

  add({ process, sequence, partition, value, outcome, offset = NO_OFFSET }: Send): number {
    this.#processes.push(this.#texts.numberOf(process));
    this.#sequences.push(sequence);
    this.#partitions.push(this.#texts.numberOf(partition));
    this.#values.push(this.#texts.numberOf(value));
    this.#outcomes.push(OUTCOMES.indexOf(outcome));
    this.#offsets.push(offset);
    return this.#offsets.length - 1;
  }

  at(number: number): Send {
    const offset = this.#offsets.at(number);
    return {
      type: 'send',
      process: this.#texts.at(this.#processes.at(number)),
      sequence: this.#sequences.at(number),
      partition: this.#texts.at(this.#partitions.at(number)),
      value: this.#texts.at(this.#values.at(number)),
      outcome: OUTCOMES[this.#outcomes.at(number)] ?? 'unknown',
      ...(offset === NO_OFFSET ? {} : { offset }),
    };
  }
}

/** Records that somebody saw, in runs that belong together. */
class Runs {
  readonly #texts: Texts;
  readonly #ends = floats();
  readonly #partitions = wholes();
  readonly #offsets = floats();
  readonly #values = wholes();

  constructor(texts: Texts) {
    this.#texts = texts;
  }

  add(records: Iterable<SeenRecord>): void {
    for (const { partition, offset, value } of records) {
      this.#partitions.push(this.#texts.numberOf(partition));
      this.#offsets.push(offset);
      this.#values.push(this.#texts.numberOf(value));
    }
    this.#ends.push(this.#offsets.length);
  }

  at(number: number): SeenRecord[] {
    const records: SeenRecord[] = [];
    for (let row = number === 0 ? 0 : this.#ends.at(number - 1); row < this.#ends.at(number); row += 1) {
      records.push({
        partition: this.#texts.at(this.#partitions.at(row)),
        offset: this.#offsets.at(row),
        value: this.#texts.at(this.#values.at(row)),
      });
    }
    return records;
  }
}

class Polls {
  readonly #texts: Texts;
  readonly #readers = wholes();
  readonly #finals = wholes();
  readonly #runs: Runs;

  constructor(texts: Texts) {
    this.#texts = texts;
    this.#runs = new Runs(texts);
  }

  add({ reader, isFinal = false, records }: Poll): number {
    this.#runs.add(records);
    this.#finals.push(isFinal ? 1 : 0);
    this.#readers.push(this.#texts.numberOf(reader));
    return this.#readers.length - 1;
  }

  at(number: number): Poll {
    const reader = this.#texts.at(this.#readers.at(number));
    const isFinal = this.#finals.at(number) === 1;
    return { type: 'poll', reader, isFinal, records: this.#runs.at(number) };
  }
}

class NodeLogs {
  readonly #runs: Runs;
  readonly #logs: Omit<NodeLog, 'records'>[] = [];

  constructor(texts: Texts) {
    this.#runs = new Runs(texts);
  }

  add({ records, ...log }: NodeLog): number {
    this.#runs.add(records.map(({ offset, value }) => ({ partition: log.partition, offset, value })));
    return this.#logs.push(log) - 1;
  }

  at(number: number): NodeLog {
    const log = this.#logs[number] as Omit<NodeLog, 'records'>;
    return { ...log, records: this.#runs.at(number).map(({ offset, value }) => ({ offset, value })) };
  }
}
