/** What an `AbortSignal` does to calls that take one. */

import type { Delivery } from './accumulator.ts';
import { DeliveryError } from './errors.ts';
import { abortedError } from './rpc.ts';

/** What calls that may be ended early take. */
export interface Abortable {
  /** Ends the call with `ABORTED`. What was under way may happen nevertheless. */
  readonly signal?: AbortSignal | undefined;
}

/** Settles as `promise` does, or rejects with `ABORTED` as soon as the signal fires. */
export async function abortable<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return promise;
  let onAbort = () => {};
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () => reject(abortedError(signal));
  });
  signal.addEventListener('abort', onAbort, { once: true });
  if (signal.aborted) onAbort();
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

/** Records whose sender may lose interest: those that are in no batch yet are then left out, surely not written. */
export class AbortableDelivery implements Delivery {
  readonly #inner: Delivery;
  readonly #signal: AbortSignal;
  readonly #topicOf: (tag: number) => string;
  readonly #pending = new Set<number>();
  readonly #begun = new Set<number>();

  /** `count` records, tagged from 0 on. */
  constructor(inner: Delivery, count: number, signal: AbortSignal, topicOf: (tag: number) => string) {
    this.#inner = inner;
    this.#signal = signal;
    this.#topicOf = topicOf;
    for (let tag = 0; tag < count; tag++) this.#pending.add(tag);
    signal.addEventListener('abort', this.#onAbort, { once: true });
    if (signal.aborted) this.#onAbort();
  }

  begin(tag: number): boolean {
    this.#begun.add(tag);
    return this.#pending.has(tag);
  }

  delivered(tag: number, topic: string, partition: number, offset: number, appendTimeMs: number): void {
    if (this.#settles(tag)) this.#inner.delivered(tag, topic, partition, offset, appendTimeMs);
  }

  failed(tag: number, error: Error): void {
    if (this.#settles(tag)) this.#inner.failed(tag, error);
  }

  #settles(tag: number): boolean {
    const isPending = this.#pending.delete(tag);
    if (this.#pending.size === 0) this.#signal.removeEventListener('abort', this.#onAbort);
    return isPending;
  }

  readonly #onAbort = (): void => {
    for (const tag of [...this.#pending]) {
      this.failed(
        tag,
        new DeliveryError('ABORTED', 'the send was aborted', {
          topic: this.#topicOf(tag),
          partition: -1,
          maybeWritten: this.#begun.has(tag),
          retriable: false,
          cause: this.#signal.reason,
        }),
      );
    }
  };
}
