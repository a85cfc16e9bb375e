/** Makes two batches of one. */

import { decodeRecords } from '../protocol/record-decoder.ts';
import { type BatchCompression, ProducerBatch } from './accumulator.ts';

/** The records of a sealed batch, in order, in two batches of about the same number; not numbered yet. */
export function halvesOf(
  batch: ProducerBatch,
  compression?: BatchCompression,
): [ProducerBatch, ProducerBatch] {
  const { topic, partition, createdAtMs, firstRecordNumber, bufferBytes, deliveries, tags, lastError } =
    batch;
  const records = decodeRecords(batch.bytes());
  const middle = Math.ceil(records.length / 2);
  const half = (from: number, to: number): ProducerBatch => {
    const made = new ProducerBatch(
      topic,
      partition,
      createdAtMs,
      Number.MAX_SAFE_INTEGER,
      // Of the second half it is the least that it can be: `flush` may wait for it a little longer than it needs to.
      firstRecordNumber,
      compression,
    );
    for (let i = from; i < to; i++) {
      const [record, delivery, tag] = [records[i], deliveries[i], tags[i]];
      if (record === undefined || delivery === undefined || tag === undefined)
        throw new Error('a batch lost records');
      made.tryAppend(record, delivery, tag, Math.round(bufferBytes / records.length));
    }
    made.state = 'retry';
    made.lastError = lastError;
    return made;
  };
  const halves: [ProducerBatch, ProducerBatch] = [half(0, middle), half(middle, records.length)];
  // To the byte, whatever was rounded.
  halves[1].bufferBytes = bufferBytes - halves[0].bufferBytes;
  return halves;
}
