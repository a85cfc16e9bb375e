import type { Anomaly } from './history.ts';
import type { Versions } from './versions.ts';

export function inconsistentOffsets({ seen, orders }: Versions): Anomaly[] {
  return seen.flatMap(({ partition, offset, value }) => {
    const first = orders.get(partition)?.values.get(offset);
    if (first === value) return [];
    return [
      { rule: 'inconsistent offsets', message: `${partition} offset ${offset}: ${first} and ${value}` },
    ];
  });
}

export function duplicates({ seen }: Versions): Anomaly[] {
  const places = new Map<string, string>();
  return seen.flatMap(({ partition, offset, value }) => {
    const place = `${partition} offset ${offset}`;
    const first = places.get(value) ?? place;
    places.set(value, first);
    return first === place ? [] : [{ rule: 'duplicate', message: `${value} at ${first} and at ${place}` }];
  });
}

/** Acknowledged below the highest offset that any poll read, yet read by nobody. */
export function lostWrites({ sends, polls }: Versions): Anomaly[] {
  const read = new Set<string>();
  const highest = new Map<string, number>();
  for (const { partition, offset, value } of polls.flatMap(({ records }) => records)) {
    read.add(value);
    highest.set(partition, Math.max(offset, highest.get(partition) ?? -1));
  }
  return sends.flatMap(({ partition, offset, value, outcome }) => {
    const isLost = outcome === 'ok' && !read.has(value) && (offset ?? 0) < (highest.get(partition) ?? -1);
    return isLost ? [{ rule: 'lost write', message: `${value} at ${partition} offset ${offset}` }] : [];
  });
}

/** G1a: a value whose send surely failed. */
export function failedWritesSeen({ sends, seen }: Versions): Anomaly[] {
  const failed = new Set(sends.filter(({ outcome }) => outcome === 'failed').map(({ value }) => value));
  return seen.flatMap(({ partition, offset, value }) =>
    failed.has(value)
      ? [{ rule: 'failed write seen', message: `${value} at ${partition} offset ${offset}` }]
      : [],
  );
}

/** One process sends to a partition in order; acknowledged offsets must rise in that order. */
export function nonMonotonicSends({ sends }: Versions): Anomaly[] {
  const last = new Map<string, { value: string; offset: number }>();
  return [...sends]
    .sort((a, b) => a.sequence - b.sequence)
    .flatMap(({ process, partition, value, offset, outcome }) => {
      if (outcome !== 'ok' || offset === undefined) return [];
      const key = `${process} ${partition}`;
      const before = last.get(key);
      last.set(key, { value, offset });
      if (before === undefined || offset > before.offset) return [];
      const message = `${process} sent ${before.value} (offset ${before.offset}), then ${value} (${offset})`;
      return [{ rule: 'non-monotonic send', message }];
    });
}

/** Acknowledged, but no reader from offset 0 at the end found it: must end empty. */
export function unseen({ sends, polls }: Versions): Anomaly[] {
  const finals = polls.filter(({ isFinal }) => isFinal === true);
  if (finals.length === 0) return [];
  const found = new Set(finals.flatMap(({ records }) => records.map(({ value }) => value)));
  return sends.flatMap(({ value, partition, offset, outcome }) =>
    outcome === 'ok' && !found.has(value)
      ? [{ rule: 'unseen', message: `${value} at ${partition} offset ${offset}` }]
      : [],
  );
}
