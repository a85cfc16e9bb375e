import type { History, LogStart } from './history.ts';

/** One partition's version order: all offsets that anybody saw, and dense indexes over them, since offsets may gap. */
class VersionOrder {
  readonly #values = new Map<number, string>();
  #offsets = new Float64Array();

  /** The offset holds this value, unless it was seen with another one before. */
  see(offset: number, value: string): void {
    if (!this.#values.has(offset)) this.#values.set(offset, value);
  }

  /** To be called once everything was seen, and before anything is asked. */
  settle(): void {
    this.#offsets = Float64Array.from(this.#values.keys()).sort();
  }

  /** Ascending. */
  get offsets(): Float64Array {
    return this.#offsets;
  }

  valueAt(offset: number): string | undefined {
    return this.#values.get(offset);
  }

  /** How many known offsets are lower: the index of this offset, if it is known itself. */
  rankOf(offset: number): number {
    // Most partitions have no gaps.
    const guess = offset - (this.#offsets[0] ?? 0);
    if (this.#offsets[guess] === offset) return guess;
    let low = 0;
    let high = this.#offsets.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#offsets[middle] ?? 0) < offset) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** The first known offset at or after this one. */
  atOrAfter(offset: number): number | undefined {
    return this.#offsets[this.rankOf(offset)];
  }
}

/** Where a value was first seen, and by whom. */
interface Sighting {
  readonly partition: string;
  readonly offset: number;
  isPolled: boolean;
  /** By a final reader. */
  isFinal: boolean;
}

/** What the rules share, computed once. */
export interface Versions {
  readonly orders: ReadonlyMap<string, VersionOrder>;
  /** By value. */
  readonly sightings: ReadonlyMap<string, Sighting>;
  /** Per partition, the highest offset that any poll showed. */
  readonly polledUpTo: ReadonlyMap<string, number>;
  readonly hasFinalReaders: boolean;
  readonly starts: LogStarts;
}

/** Calls `visit` for whatever showed that an offset holds a value: polls, acknowledgements, logs of nodes. */
export function forEachSighting(
  history: History,
  visit: (partition: string, offset: number, value: string) => void,
): void {
  for (const operation of history) {
    if (operation.type === 'send') {
      const { partition, offset, value, outcome } = operation;
      if (outcome === 'ok' && offset !== undefined) visit(partition, offset, value);
    } else if (operation.type === 'poll') {
      for (const { partition, offset, value } of operation.records) visit(partition, offset, value);
    } else if (operation.type === 'nodeLog') {
      for (const { offset, value } of operation.records) visit(operation.partition, offset, value);
    }
  }
}

export function versionsOf(history: History): Versions {
  const orders = new Map<string, VersionOrder>();
  const sightings = new Map<string, Sighting>();
  forEachSighting(history, (partition, offset, value) => {
    const order = orders.get(partition) ?? new VersionOrder();
    orders.set(partition, order);
    order.see(offset, value);
    if (!sightings.has(value)) sightings.set(value, { partition, offset, isPolled: false, isFinal: false });
  });
  for (const order of orders.values()) order.settle();
  return { orders, sightings, starts: new LogStarts(history), ...markPolled(history, sightings) };
}

function markPolled(history: History, sightings: ReadonlyMap<string, Sighting>) {
  const polledUpTo = new Map<string, number>();
  let hasFinalReaders = false;
  for (const operation of history) {
    if (operation.type !== 'poll') continue;
    const isFinal = operation.isFinal === true;
    hasFinalReaders ||= isFinal;
    for (const { partition, offset, value } of operation.records) {
      const sighting = sightings.get(value);
      if (sighting) sighting.isPolled = true;
      if (sighting && isFinal) sighting.isFinal = true;
      if (offset > (polledUpTo.get(partition) ?? -1)) polledUpTo.set(partition, offset);
    }
  }
  return { polledUpTo, hasFinalReaders };
}

/** Where each partition's log began, as far as it was told: what is below was deleted rightly. */
class LogStarts {
  readonly #moves = new Map<string, { readonly place: number; readonly offset: number }[]>();

  constructor(history: History) {
    let place = 0;
    for (const operation of history) {
      if (operation.type === 'logStart') this.#add(operation, place);
      place += 1;
    }
  }

  #add({ partition, offset }: LogStart, place: number): void {
    const moves = this.#moves.get(partition) ?? [];
    this.#moves.set(partition, moves);
    // Of a new leader that is behind with deleting: what was deleted elsewhere may be missing all the same.
    moves.push({ place, offset: Math.max(offset, moves.at(-1)?.offset ?? 0) });
  }

  /** The highest one of all. */
  last(partition: string): number {
    return this.#moves.get(partition)?.at(-1)?.offset ?? 0;
  }

  /** The highest that it may have been when the operation at this place in the history ended. */
  mostAt(partition: string, place: number): number {
    const moves = this.#moves.get(partition);
    if (!moves) return 0;
    return (moves.find((move) => move.place >= place) ?? moves.at(-1))?.offset ?? 0;
  }
}
