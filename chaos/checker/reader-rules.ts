import type { Anomaly, History } from './history.ts';
import type { Versions } from './versions.ts';

interface Last {
  readonly offset: number;
  readonly index: number;
  readonly poll: number;
}

/** Successive records of one reader must be neighbours in the version order, unless its position was set in between. */
export function readerAnomalies(history: History, { orders }: Versions): Anomaly[] {
  const anomalies: Anomaly[] = [];
  const last = new Map<string, Last>();
  for (const [poll, operation] of history.entries()) {
    if (operation.type === 'reposition') {
      for (const partition of operation.partitions) last.delete(`${operation.reader} ${partition}`);
    }
    if (operation.type !== 'poll') continue;
    for (const { partition, offset, value } of operation.records) {
      const key = `${operation.reader} ${partition}`;
      const index = orders.get(partition)?.indexOf(offset) ?? -1;
      const before = last.get(key);
      last.set(key, { offset, index, poll });
      if (before === undefined || index === before.index + 1) continue;
      const where = before.poll === poll ? 'within one poll' : 'from one poll to the next';
      const message = `${operation.reader}, ${partition}: ${before.offset} then ${offset} (${value}), ${where}`;
      anomalies.push({ rule: index > before.index ? 'poll skip' : 'non-monotonic poll', message });
    }
  }
  return anomalies;
}
