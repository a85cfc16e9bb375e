import type { Anomaly, History, NodeLog } from './history.ts';
import type { Versions } from './versions.ts';

/**
 * Each node's log below its high watermark holds all that anybody saw there from the start of the partition's log on,
 * and ends no earlier than the last acknowledged record. What is missing is a prefix, a suffix, or in the middle. That
 * a node's own log begins later is no excuse, unless the log's start is known to have moved.
 */
export function nodeLosses(history: History, versions: Versions): Anomaly[] {
  const anomalies: Anomaly[] = [];
  const acknowledged = acknowledgedEnds(history);
  for (const operation of history) {
    if (operation.type !== 'nodeLog') continue;
    const { node, partition, highWatermark } = operation;
    anomalies.push(...missing(operation, versions));
    const end = acknowledged.get(partition) ?? -1;
    if (end < highWatermark) continue;
    const message = `node ${node}, ${partition}: high watermark ${highWatermark}, acknowledged ${end}`;
    anomalies.push({ rule: 'suffix loss', message });
  }
  return anomalies;
}

function acknowledgedEnds(history: History): Map<string, number> {
  const ends = new Map<string, number>();
  for (const operation of history) {
    if (operation.type !== 'send' || operation.outcome !== 'ok') continue;
    const { partition, offset = -1 } = operation;
    if (offset > (ends.get(partition) ?? -1)) ends.set(partition, offset);
  }
  return ends;
}

function missing(log: NodeLog, { orders, starts }: Versions): Anomaly[] {
  const { node, partition, startOffset, highWatermark, records } = log;
  const order = orders.get(partition);
  if (!order) return [];
  const isHeld = new Uint8Array(order.offsets.length);
  let first = Number.POSITIVE_INFINITY;
  let last = Number.NEGATIVE_INFINITY;
  for (const { offset } of records) {
    isHeld[order.rankOf(offset)] = 1;
    first = Math.min(first, offset);
    last = Math.max(last, offset);
  }
  const anomalies: Anomaly[] = [];
  const from = Math.min(startOffset, starts.last(partition));
  for (let index = order.rankOf(from); index < order.offsets.length; index += 1) {
    const offset = order.offsets[index] ?? 0;
    if (offset >= highWatermark) break;
    if (isHeld[index] === 1) continue;
    const rule = offset < first ? 'prefix loss' : offset > last ? 'suffix loss' : 'middle loss';
    anomalies.push({ rule, message: `node ${node} lacks ${partition} offset ${offset}` });
  }
  return anomalies;
}

/** A log begins within itself: never beyond what is committed (KAFKA-9491). */
export function startsBeyondTheEnd(history: History): Anomaly[] {
  const anomalies: Anomaly[] = [];
  for (const operation of history) {
    if (operation.type !== 'logStart' && operation.type !== 'nodeLog') continue;
    const { partition, highWatermark = Number.POSITIVE_INFINITY } = operation;
    const start = operation.type === 'logStart' ? operation.offset : operation.startOffset;
    if (start <= highWatermark) continue;
    const message = `${partition} begins at ${start}, high watermark ${highWatermark}`;
    anomalies.push({ rule: 'log start beyond the high watermark', message });
  }
  return anomalies;
}
