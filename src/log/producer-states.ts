/**
 * What one log remembers of its idempotent producers: epoch, and the last five batches of each, so that a retry of
 * any of the five in flight is recognised and answered with its first offset (KIP-98, KIP-360).
 */

import { KafkaError } from '../protocol/errors.ts';
import type { RecordBatchHeader } from '../protocol/record-batch.ts';

/** As many as a producer may have in flight. */
const BATCHES_PER_PRODUCER = 5;
const SEQUENCE_MAX = 0x7fffffff;

export interface ProducerBatch {
  readonly firstSequence: number;
  readonly lastSequence: number;
  readonly baseOffset: number;
  readonly lastOffset: number;
}

export interface ProducerEntry {
  readonly producerId: number;
  readonly epoch: number;
  /** The wall clock of the last append, for expiry. */
  readonly lastAppendMs: number;
  /** Oldest first, all of `epoch`. */
  readonly batches: readonly ProducerBatch[];
}

/** Sequences are 31 bits wide and wrap around to 0. */
export function addSequence(sequence: number, delta: number): number {
  return (sequence + delta) % (SEQUENCE_MAX + 1);
}

export class ProducerStates {
  /** In order of the last append, the longest silent first. */
  readonly #producers: Map<number, ProducerEntry>;
  readonly #producersMax: number;

  constructor(producersMax: number, entries: readonly ProducerEntry[] = []) {
    this.#producersMax = producersMax;
    this.#producers = new Map(entries.map((entry) => [entry.producerId, entry]));
  }

  get size(): number {
    return this.#producers.size;
  }

  /** Another one with the same limit. */
  replacedBy(entries: readonly ProducerEntry[]): ProducerStates {
    return new ProducerStates(this.#producersMax, entries);
  }

  entries(): ProducerEntry[] {
    return [...this.#producers.values()];
  }

  /**
   * Validates a batch from a client. Returns the batch it repeats, if it does; throws
   * `INVALID_PRODUCER_EPOCH`, `UNKNOWN_PRODUCER_ID` or `OUT_OF_ORDER_SEQUENCE_NUMBER` when it must not be appended.
   */
  check(header: RecordBatchHeader): ProducerBatch | undefined {
    const { producerId, producerEpoch, baseSequence } = header;
    const entry = this.#producers.get(producerId);
    if (entry === undefined) {
      // Also one that expiry made the log forget: it takes a new epoch then (KIP-360). Were it let in anywhere, its second
      // batch could come in before its first was, which would look as though the first were written.
      if (baseSequence === 0) return undefined;
      throw new KafkaError(
        'UNKNOWN_PRODUCER_ID',
        `producer ${producerId} is not known here, so it begins at sequence 0, not ${baseSequence}`,
      );
    }
    if (producerEpoch < entry.epoch) {
      throw new KafkaError(
        'INVALID_PRODUCER_EPOCH',
        `producer ${producerId} has epoch ${entry.epoch} here; the batch has the older epoch ${producerEpoch}`,
      );
    }
    const lastSequence = addSequence(baseSequence, header.lastOffsetDelta);
    const known = producerEpoch === entry.epoch ? entry.batches : [];
    const duplicate = known.find(
      (batch) => batch.firstSequence === baseSequence && batch.lastSequence === lastSequence,
    );
    if (duplicate !== undefined) return duplicate;
    const newest = known.at(-1);
    const expected = newest === undefined ? 0 : addSequence(newest.lastSequence, 1);
    if (baseSequence !== expected) {
      throw new KafkaError(
        'OUT_OF_ORDER_SEQUENCE_NUMBER',
        `producer ${producerId} (epoch ${producerEpoch}) sent sequence ${baseSequence}; expected ${expected}`,
      );
    }
    return undefined;
  }

  /** Notes a batch that was appended, by whatever way. */
  update(header: RecordBatchHeader, nowWallMs: number): void {
    const { producerId, producerEpoch, baseSequence, baseOffset, lastOffsetDelta } = header;
    if (producerId < 0) return;
    const entry = this.#producers.get(producerId);
    const batch: ProducerBatch = {
      firstSequence: baseSequence,
      lastSequence: addSequence(baseSequence, lastOffsetDelta),
      baseOffset,
      lastOffset: baseOffset + lastOffsetDelta,
    };
    const before = entry?.epoch === producerEpoch ? entry.batches.slice(1 - BATCHES_PER_PRODUCER) : [];
    this.#producers.delete(producerId);
    this.#producers.set(producerId, {
      producerId,
      epoch: producerEpoch,
      lastAppendMs: nowWallMs,
      batches: [...before, batch],
    });
    if (this.#producers.size > this.#producersMax) this.#forgetFirst();
  }

  /** Forgets producers that have been silent since before `beforeWallMs`. */
  expire(beforeWallMs: number): void {
    for (const { producerId, lastAppendMs } of this.#producers.values()) {
      if (lastAppendMs < beforeWallMs) this.#producers.delete(producerId);
    }
  }

  #forgetFirst(): void {
    for (const producerId of this.#producers.keys()) {
      this.#producers.delete(producerId);
      return;
    }
  }
}
