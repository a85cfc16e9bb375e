import { CompactHistory } from '../checker/compact-history.ts';
import type { History, Operation, SeenRecord } from '../checker/history.ts';
import type { StartMoved } from '../invariants/log-starts.ts';

/** A record as a consumer or a node's own log has it. */
export interface TextRecord {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly value: string | null;
}

/** What the history calls a record. */
export type Naming = (record: TextRecord) => SeenRecord;

/** For topics whose records each have one place and one content for ever. */
const plainly: Naming = ({ topic, partition, offset, value }) => ({
  partition: `${topic}-${partition}`,
  offset,
  value: value ?? '',
});

/** Collects the history of one run. */
export class Recorder {
  readonly #operations = new CompactHistory();
  #acknowledged = 0;
  readonly #open = new Set<() => void>();
  readonly #ends = new Map<string, number>();
  readonly #written = new Map<string, Naming>();
  /** Partitions, as the history calls them, of which nothing is to be judged in the end. */
  readonly leftOut: ((partition: string) => boolean)[] = [];
  /** Errors that no client should ever see, however the cluster fares. */
  readonly unexpected: Error[] = [];

  /** So far. */
  get history(): History {
    return this.#operations;
  }

  /** How many sends were. */
  get acknowledged(): number {
    return this.#acknowledged;
  }

  /** Topics that are read whole at the end, and what their records are called in the history. */
  get written(): ReadonlyMap<string, Naming> {
    return this.#written;
  }

  /** Somebody writes to this topic. */
  isWritten(topic: string, naming?: Naming): void {
    this.#written.set(topic, naming ?? this.#written.get(topic) ?? plainly);
  }

  /** Behind the last record of a partition that anybody is known to have seen, as the history calls it. */
  endOf(partition: string): number {
    return this.#ends.get(partition) ?? 0;
  }

  /** What the history calls this record. */
  seen(record: TextRecord): SeenRecord {
    return (this.#written.get(record.topic) ?? plainly)(record);
  }

  /** A log begins later now, as its topic asks. */
  logStartMoved({ topic, partition, offset, highWatermark }: StartMoved): void {
    const { partition: name } = this.seen({ topic, partition, offset, value: null });
    this.add({ type: 'logStart', partition: name, offset, highWatermark });
  }

  add(operation: Operation): void {
    this.#operations.add(operation);
    if (operation.type === 'send' && operation.outcome === 'ok') this.#acknowledged += 1;
    if (operation.type === 'send') this.#sawEnd(operation.partition, operation.offset ?? 0);
  }

  #sawEnd(partition: string, offset: number): void {
    this.#ends.set(partition, Math.max(offset + 1, this.endOf(partition)));
  }

  /** An operation began; unless the returned function is called, `abandoned` records it when the history ends. */
  began(abandoned: () => void): () => void {
    this.#open.add(abandoned);
    return () => this.#open.delete(abandoned);
  }

  /** Nothing will end any more. */
  end(): History {
    for (const abandoned of this.#open) abandoned();
    this.#open.clear();
    const isLeftOut = (partition: string) => this.leftOut.some((leavesOut) => leavesOut(partition));
    return this.leftOut.length === 0 ? this.#operations : [...without(isLeftOut, this.#operations)];
  }
}

function* without(isLeftOut: (partition: string) => boolean, operations: History): Iterable<Operation> {
  for (const operation of operations) {
    if (operation.type === 'poll')
      yield { ...operation, records: operation.records.filter(({ partition }) => !isLeftOut(partition)) };
    else if (!('partition' in operation) || !isLeftOut(operation.partition)) yield operation;
  }
}
