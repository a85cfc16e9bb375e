import type { Anomaly, History } from './history.ts';
import type { Versions } from './versions.ts';

/** What a reader saw last of a partition, or that its position was set behind that. */
interface Last {
  readonly offset: number;
  readonly index: number;
  readonly place: number;
}

/**
 * Successive records of one reader must be neighbours in the version order (Jepsen's skips and non-monotonic polls,
 * within a poll and from one to the next), unless its position was set in between. Records below the start that the
 * log had by then are skipped rightly. A final reader begins at the start.
 */
export function readerAnomalies(history: History, { orders, starts }: Versions): Anomaly[] {
  const anomalies: Anomaly[] = [];
  const last = new Map<string, Last>();
  let place = -1;
  for (const operation of history) {
    place += 1;
    if (operation.type === 'reposition') {
      const { reader, partitions, offset } = operation;
      for (const partition of partitions) {
        const key = `${reader} ${partition}`;
        const index = (orders.get(partition)?.rankOf(offset ?? 0) ?? 0) - 1;
        if (offset === undefined) last.delete(key);
        else last.set(key, { offset: offset - 1, index, place });
      }
    }
    if (operation.type !== 'poll') continue;
    const { reader, isFinal = false } = operation;
    for (const { partition, offset, value } of operation.records) {
      const key = `${reader} ${partition}`;
      const order = orders.get(partition);
      const index = order?.rankOf(offset) ?? 0;
      const before = last.get(key) ?? (isFinal ? { offset: -1, index: -1, place } : undefined);
      last.set(key, { offset, index, place });
      if (before === undefined || index === before.index + 1) continue;
      const isSkip = index > before.index;
      if (isSkip && (order?.offsets[index - 1] ?? 0) < starts.mostAt(partition, place)) continue;
      const where = before.place === place ? 'within one poll' : 'from one poll to the next';
      const message = `${reader}, ${partition}: ${before.offset} then ${offset} (${value}), ${where}`;
      anomalies.push({ rule: isSkip ? 'poll skip' : 'non-monotonic poll', message });
    }
  }
  return anomalies;
}
