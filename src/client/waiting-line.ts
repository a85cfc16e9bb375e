/** Records that wait for room in the producer's buffer: first come, first served, bounded in bytes and in time. */

import type { RecordInput } from '../protocol/record-batch-builder.ts';
import type { Delivery } from './accumulator.ts';
import { ClientError } from './errors.ts';
import type { ProducerRecord } from './producer-options.ts';
import { Alarm, type ClientRuntime } from './rpc.ts';

/** What a record costs besides its bytes: its promise and its place in the batch. */
const RECORD_OVERHEAD_BYTES = 64;

/** A record on its way into the buffer. */
export interface Entry<K, V> {
  /** As the application gave it. */
  readonly source: ProducerRecord<K, V>;
  /** As it is written. */
  readonly record: RecordInput;
  readonly delivery: Delivery;
  readonly tag: number;
  readonly bufferBytes: number;
  /** Counts all records of this producer, for `flush`. */
  readonly number: number;
  /** Until when it may wait in line; 0 outside. */
  waitUntilMs: number;
}

export class WaitingLine<K, V> {
  readonly #bytesMax: number;
  readonly #maxBlockMs: number;
  readonly #runtime: ClientRuntime;
  readonly #entries: Entry<K, V>[] = [];
  readonly #alarm: Alarm;
  readonly #onExpired: () => void;
  #bytes = 0;

  constructor(bytesMax: number, maxBlockMs: number, runtime: ClientRuntime, onExpired: () => void) {
    this.#bytesMax = bytesMax;
    this.#maxBlockMs = maxBlockMs;
    this.#runtime = runtime;
    this.#onExpired = onExpired;
    this.#alarm = new Alarm(runtime, () => this.#expire());
  }

  get isEmpty(): boolean {
    return this.#entries.length === 0;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** The running number of the first in line; infinite when nobody waits. */
  get firstNumber(): number {
    return this.#entries[0]?.number ?? Number.POSITIVE_INFINITY;
  }

  /** Waits, or is refused at once when the line is full. */
  push(entry: Entry<K, V>): void {
    if (this.#bytes + entry.bufferBytes > this.#bytesMax && this.#entries.length > 0) {
      refuse(entry, `${this.#bytesMax} bytes are buffered and as many wait: await ready() before send()`);
      return;
    }
    this.#bytes += entry.bufferBytes;
    entry.waitUntilMs = this.#runtime.clock.monotonicMs() + this.#maxBlockMs;
    this.#entries.push(entry);
    this.#setAlarm();
  }

  /** Lets in as many as there is room for. */
  advance(fits: (bufferBytes: number) => boolean, admit: (entry: Entry<K, V>) => void): void {
    let admitted = 0;
    for (const entry of this.#entries) {
      if (!fits(entry.bufferBytes)) break;
      admitted++;
      this.#bytes -= entry.bufferBytes;
      admit(entry);
    }
    if (admitted === 0) return;
    this.#entries.splice(0, admitted);
    this.#setAlarm();
  }

  /** Everybody goes home; returns who waited. */
  clear(): Entry<K, V>[] {
    this.#alarm.clear();
    this.#bytes = 0;
    return this.#entries.splice(0);
  }

  #setAlarm(): void {
    this.#alarm.set(this.#entries[0]?.waitUntilMs ?? Number.POSITIVE_INFINITY);
  }

  #expire(): void {
    const nowMs = this.#runtime.clock.monotonicMs();
    for (let first = this.#entries[0]; first && first.waitUntilMs <= nowMs; first = this.#entries[0]) {
      this.#entries.shift();
      this.#bytes -= first.bufferBytes;
      refuse(first, 'no buffer space became free in time (maxBlockMs)');
    }
    this.#setAlarm();
    this.#onExpired();
  }
}

function refuse({ delivery, tag }: { delivery: Delivery; tag: number }, message: string): void {
  delivery.failed(tag, new ClientError('BUFFER_EXHAUSTED', message, { retriable: true }));
}

/** What a record takes of the producer's buffer. */
export function bufferBytesOf({ key, value, headers }: RecordInput): number {
  let bytes = RECORD_OVERHEAD_BYTES + (key?.length ?? 0) + (value?.length ?? 0);
  for (const header of headers ?? []) bytes += header.key.length * 3 + (header.value?.length ?? 0);
  return bytes;
}
