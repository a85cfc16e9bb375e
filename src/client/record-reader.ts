/** Hands out what was fetched, in the application's types. */

import type { ConsumerRecord } from './consumer-options.ts';
import type { ConsumerStats } from './consumer-stats.ts';
import { ClientError } from './errors.ts';
import type { FetchPositions, PartitionState } from './fetch-positions.ts';
import type { Deserializer } from './serde.ts';

export class RecordReader<K, V> {
  readonly #positions: FetchPositions;
  readonly #key: Deserializer<K>;
  readonly #value: Deserializer<V>;
  readonly #stats: ConsumerStats;

  constructor(positions: FetchPositions, key: Deserializer<K>, value: Deserializer<V>, stats: ConsumerStats) {
    this.#stats = stats;
    this.#positions = positions;
    this.#key = key;
    this.#value = value;
  }

  /** As many records as are at hand, up to a bound. */
  take(recordsMax: number): ConsumerRecord<K, V>[] {
    const records: ConsumerRecord<K, V>[] = [];
    while (records.length < recordsMax) {
      try {
        const state = this.#positions.nextWithRecords();
        if (state === undefined) break;
        records.push(this.handOut(state));
      } catch (error) {
        // What came before the bad one is handed out first; the next poll meets it again.
        if (records.length > 0) break;
        throw error;
      }
    }
    return records;
  }

  /** The next record of a partition that has one. The position stays where it is when it cannot be deserialized. */
  handOut(state: PartitionState): ConsumerRecord<K, V> {
    const { topic, partition, recordsEpoch } = state;
    const { offset, timestamp, key, value, headers } = this.#positions.peek(state);
    let record: ConsumerRecord<K, V>;
    try {
      record = {
        topic,
        partition,
        offset,
        timestamp,
        key: key === null ? null : this.#key.deserialize(key, topic),
        value: value === null ? null : this.#value.deserialize(value, topic),
        headers,
        leaderEpoch: recordsEpoch,
      };
    } catch (cause) {
      const message = `${topic}-${partition}: the record at offset ${offset} cannot be deserialized; seek past it`;
      throw new ClientError('SERIALIZATION_FAILED', message, { cause });
    }
    this.#positions.handOut(state);
    this.#stats.recordsConsumed++;
    this.#stats.bytesConsumed += (key?.length ?? 0) + (value?.length ?? 0);
    return record;
  }
}
