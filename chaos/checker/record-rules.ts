import type { Anomaly, History } from './history.ts';
import { forEachSighting, type Versions } from './versions.ts';

/** One offset with two values, and one value at two offsets. */
export function conflictingPlaces(history: History, { orders, sightings }: Versions): Anomaly[] {
  const anomalies: Anomaly[] = [];
  forEachSighting(history, (partition, offset, value) => {
    const first = orders.get(partition)?.valueAt(offset);
    if (first !== value) {
      const message = `${partition} offset ${offset}: ${first} and ${value}`;
      anomalies.push({ rule: 'inconsistent offsets', message });
    }
    const place = sightings.get(value);
    if (place && (place.offset !== offset || place.partition !== partition)) {
      const message = `${value} at ${place.partition} offset ${place.offset} and at ${partition} offset ${offset}`;
      anomalies.push({ rule: 'duplicate', message });
    }
  });
  return anomalies;
}

/** What became of sends that surely happened, and of those that surely did not. */
export function fatesOfSends(history: History, versions: Versions): Anomaly[] {
  const { sightings, polledUpTo, hasFinalReaders, starts } = versions;
  const anomalies: Anomaly[] = [];
  for (const operation of history) {
    if (operation.type !== 'send' || operation.outcome === 'unknown') continue;
    const { partition, value, outcome, offset = 0 } = operation;
    const sighting = sightings.get(value);
    if (outcome === 'failed') {
      // Jepsen's G1a, an aborted read.
      if (sighting) {
        const message = `${value} at ${sighting.partition} offset ${sighting.offset}`;
        anomalies.push({ rule: 'failed write seen', message });
      }
      continue;
    }
    if (offset < starts.last(partition)) continue;
    const message = `${value} at ${partition} offset ${offset}`;
    const isBelowWhatWasRead = offset < (polledUpTo.get(partition) ?? -1);
    if (isBelowWhatWasRead && sighting?.isPolled !== true) anomalies.push({ rule: 'lost write', message });
    // Acknowledged, but no reader from the start at the end found it: must end empty.
    if (hasFinalReaders && sighting?.isFinal !== true) anomalies.push({ rule: 'unseen', message });
  }
  return anomalies;
}

/** One process sends to a partition in order; acknowledged offsets must rise in that order. */
export function nonMonotonicSends(history: History): Anomaly[] {
  const anomalies: Anomaly[] = [];
  const byProcess = new Map<string, { sequence: number; offset: number; value: string }[]>();
  for (const operation of history) {
    if (operation.type !== 'send' || operation.outcome !== 'ok') continue;
    const { process, partition, sequence, offset, value } = operation;
    if (offset === undefined) continue;
    const key = `${process} ${partition}`;
    const sends = byProcess.get(key) ?? [];
    if (sends.length === 0) byProcess.set(key, sends);
    sends.push({ sequence, offset, value });
  }
  for (const [key, sends] of byProcess) {
    let before: (typeof sends)[number] | undefined;
    for (const send of sends.sort((a, b) => a.sequence - b.sequence)) {
      if (before && send.offset <= before.offset) {
        const message = `${key}: ${before.value} (offset ${before.offset}), then ${send.value} (${send.offset})`;
        anomalies.push({ rule: 'non-monotonic send', message });
      }
      before = send;
    }
  }
  return anomalies;
}
