import type { Anomaly } from './history.ts';
import type { Versions } from './versions.ts';

/**
 * Each node's log below its high watermark holds all that others have of the same range, and ends no earlier than the
 * last acknowledged record. What is missing is a prefix, a suffix, or something in the middle.
 */
export function nodeLosses({ nodeLogs, orders, sends }: Versions): Anomaly[] {
  const anomalies: Anomaly[] = [];
  const acknowledged = new Map<string, number>();
  for (const { partition, offset = -1, outcome } of sends) {
    if (outcome === 'ok') acknowledged.set(partition, Math.max(offset, acknowledged.get(partition) ?? -1));
  }
  for (const { node, partition, startOffset, highWatermark, records } of nodeLogs) {
    const own = new Set(records.map(({ offset }) => offset));
    const first = Math.min(...own);
    const last = Math.max(...own);
    for (const offset of orders.get(partition)?.offsets ?? []) {
      const inRange = offset >= startOffset && offset < highWatermark;
      if (!inRange || own.has(offset)) continue;
      const rule = offset < first ? 'prefix loss' : offset > last ? 'suffix loss' : 'middle loss';
      anomalies.push({ rule, message: `node ${node} lacks ${partition} offset ${offset}` });
    }
    const end = acknowledged.get(partition) ?? -1;
    if (end >= highWatermark)
      anomalies.push({
        rule: 'suffix loss',
        message: `node ${node}, ${partition}: high watermark ${highWatermark}, acknowledged ${end}`,
      });
  }
  return anomalies;
}
