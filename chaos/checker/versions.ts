import type { History, NodeLog, Poll, SeenRecord, Send } from './history.ts';

/** One partition's version order: all offsets that anybody saw, and dense indexes over them, since offsets may gap. */
class VersionOrder {
  readonly values: ReadonlyMap<number, string>;
  readonly #offsets: readonly number[];
  readonly #indexes: ReadonlyMap<number, number>;

  constructor(values: ReadonlyMap<number, string>) {
    this.values = values;
    this.#offsets = [...values.keys()].sort((a, b) => a - b);
    this.#indexes = new Map(this.#offsets.map((offset, index) => [offset, index]));
  }

  get offsets(): readonly number[] {
    return this.#offsets;
  }

  indexOf(offset: number): number {
    return this.#indexes.get(offset) ?? -1;
  }

  /** The first known offset at or after this one. */
  atOrAfter(offset: number): number | undefined {
    let low = 0;
    let high = this.#offsets.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#offsets[middle] ?? 0) < offset) low = middle + 1;
      else high = middle;
    }
    return this.#offsets[low];
  }
}

/** What the rules share, computed once. */
export interface Versions {
  readonly sends: readonly Send[];
  readonly polls: readonly Poll[];
  readonly nodeLogs: readonly NodeLog[];
  readonly orders: ReadonlyMap<string, VersionOrder>;
  /** Every sighting: polls, acknowledgements, node logs. */
  readonly seen: readonly SeenRecord[];
}

export function versionsOf(history: History): Versions {
  const sends = history.filter((each) => each.type === 'send');
  const polls = history.filter((each) => each.type === 'poll');
  const nodeLogs = history.filter((each) => each.type === 'nodeLog');
  const seen = [
    ...polls.flatMap(({ records }) => records),
    ...sends.flatMap(({ partition, offset, value, outcome }) =>
      outcome === 'ok' && offset !== undefined ? [{ partition, offset, value }] : [],
    ),
    ...nodeLogs.flatMap(({ partition, records }) => records.map((record) => ({ partition, ...record }))),
  ];
  const values = new Map<string, Map<number, string>>();
  for (const { partition, offset, value } of seen) {
    const ofPartition = values.get(partition) ?? new Map<number, string>();
    values.set(partition, ofPartition);
    if (!ofPartition.has(offset)) ofPartition.set(offset, value);
  }
  const orders = new Map([...values].map(([partition, map]) => [partition, new VersionOrder(map)]));
  return { sends, polls, nodeLogs, orders, seen };
}
