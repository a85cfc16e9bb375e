/**
 * The small files beside the segments, as bytes: lines of text with a name, a version and a checksum, so that a damaged
 * one is told from a true one. Decoders give `undefined` for anything that they do not trust whole.
 */

import { crc32c } from '../protocol/crc32c.ts';
import type { EpochStart } from './leader-epochs.ts';
import type { ProducerBatch, ProducerEntry } from './producer-states.ts';

const VERSION = 1;
const encoder = new TextEncoder();
const decoder = new TextDecoder();

function encodeLines(kind: string, lines: readonly string[]): Uint8Array {
  const body = `${[`${kind} ${VERSION}`, ...lines].join('\n')}\n`;
  return encoder.encode(`${body}crc32c ${crc32c(encoder.encode(body)).toString(16)}\n`);
}

function decodeLines(kind: string, bytes: Uint8Array): string[] | undefined {
  const text = decoder.decode(bytes);
  const end = text.lastIndexOf('crc32c ');
  const body = text.slice(0, Math.max(0, end));
  if (text.slice(end) !== `crc32c ${crc32c(encoder.encode(body)).toString(16)}\n`) return undefined;
  const [first, ...lines] = body.split('\n').slice(0, -1);
  return first === `${kind} ${VERSION}` ? lines : undefined;
}

/** `leader-epoch-checkpoint`: a line `epoch startOffset` for each epoch. */
export function encodeEpochs(entries: readonly EpochStart[]): Uint8Array {
  return encodeLines(
    'leader-epochs',
    entries.map(({ epoch, startOffset }) => `${epoch} ${startOffset}`),
  );
}

export function decodeEpochs(bytes: Uint8Array): EpochStart[] | undefined {
  return decodeLines('leader-epochs', bytes)?.map((line) => {
    const [epoch = -1, startOffset = -1] = line.split(' ').map(Number);
    return { epoch, startOffset };
  });
}

/** What a log directory remembers of one partition. */
export interface OffsetsCheckpoint {
  readonly name: string;
  /** Everything below was synced when this was written; its loss is corruption, never a torn tail. */
  readonly recoveryPoint: number;
  readonly highWatermark: number;
  readonly logStartOffset: number;
  readonly flush: 'sync' | 'os';
}

/** `offsets-checkpoint`: a line `name recoveryPoint highWatermark logStartOffset flush` for each partition. */
export function encodeOffsets(entries: Iterable<OffsetsCheckpoint>): Uint8Array {
  const lines = Array.from(
    entries,
    (entry) =>
      `${entry.name} ${entry.recoveryPoint} ${entry.highWatermark} ${entry.logStartOffset} ${entry.flush}`,
  );
  return encodeLines('offsets', lines);
}

export function decodeOffsets(bytes: Uint8Array): OffsetsCheckpoint[] | undefined {
  return decodeLines('offsets', bytes)?.map((line) => {
    const [name = '', recoveryPoint, highWatermark, logStartOffset, flush] = line.split(' ');
    return {
      name,
      recoveryPoint: Number(recoveryPoint),
      highWatermark: Number(highWatermark),
      logStartOffset: Number(logStartOffset),
      flush: flush === 'os' ? 'os' : 'sync',
    };
  });
}

/** `<offset>.snapshot`: a line for each producer, its batches after it as groups of four. */
export function encodeProducers(entries: readonly ProducerEntry[]): Uint8Array {
  const lines = entries.map(({ producerId, epoch, lastAppendMs, batches }) =>
    [
      producerId,
      epoch,
      lastAppendMs,
      ...batches.flatMap((batch) => [
        batch.firstSequence,
        batch.lastSequence,
        batch.baseOffset,
        batch.lastOffset,
      ]),
    ].join(' '),
  );
  return encodeLines('producers', lines);
}

export function decodeProducers(bytes: Uint8Array): ProducerEntry[] | undefined {
  return decodeLines('producers', bytes)?.map((line) => {
    const [producerId = -1, epoch = -1, lastAppendMs = 0, ...numbers] = line.split(' ').map(Number);
    const batches: ProducerBatch[] = [];
    for (let i = 0; i + 4 <= numbers.length; i += 4) {
      const [firstSequence = 0, lastSequence = 0, baseOffset = 0, lastOffset = 0] = numbers.slice(i, i + 4);
      batches.push({ firstSequence, lastSequence, baseOffset, lastOffset });
    }
    return { producerId, epoch, lastAppendMs, batches };
  });
}
