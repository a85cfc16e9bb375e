/** Turns what became of batches into the promises that `send` and `sendMany` returned. */

import type { Delivery } from './accumulator.ts';
import { ClientError, isRetriable } from './errors.ts';
import type { RecordMetadata } from './producer-options.ts';

/** One record, one promise. */
export class SendDelivery implements Delivery {
  readonly #timestamp: number;
  readonly #resolve: (metadata: RecordMetadata) => void;
  readonly #reject: (error: Error) => void;

  constructor(
    timestamp: number,
    resolve: (metadata: RecordMetadata) => void,
    reject: (error: Error) => void,
  ) {
    this.#timestamp = timestamp;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  delivered(_tag: number, topic: string, partition: number, offset: number, appendTimeMs: number): void {
    this.#resolve({
      topic,
      partition,
      offset,
      timestamp: appendTimeMs >= 0 ? appendTimeMs : this.#timestamp,
    });
  }

  failed(_tag: number, error: Error): void {
    this.#reject(error);
  }
}

/** Some records of a `sendMany` were not delivered; `results` has, in their order, a place or an error for each. */
export class SendManyError extends ClientError {
  override readonly name = 'SendManyError';
  /** One for each record, in their order. */
  readonly results: readonly (RecordMetadata | Error)[];

  constructor(results: readonly (RecordMetadata | Error)[], first: Error) {
    const failures = results.filter((result) => result instanceof Error).length;
    super(
      'DELIVERY_FAILED',
      `${failures} of ${results.length} records were not delivered; the first: ${first.message}`,
      { cause: first, retriable: isRetriable(first) },
    );
    this.results = results;
  }
}

/** Many records, one promise; the tag is the record's place in the list. */
export class ManyDelivery implements Delivery {
  readonly promise: Promise<RecordMetadata[]>;
  readonly #records: readonly { readonly timestamp?: number }[];
  readonly #nowMs: number;
  readonly #results: (RecordMetadata | Error)[];
  #left: number;
  #firstError: Error | undefined;
  #resolve: (results: RecordMetadata[]) => void = () => {};
  #reject: (error: Error) => void = () => {};

  /** `nowMs` is the time of records that have none. */
  constructor(records: readonly { readonly timestamp?: number }[], nowMs: number) {
    this.#records = records;
    this.#nowMs = nowMs;
    this.#left = records.length;
    this.#results = new Array(records.length);
    this.promise = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    if (this.#left === 0) this.#resolve([]);
  }

  delivered(tag: number, topic: string, partition: number, offset: number, appendTimeMs: number): void {
    const timestamp = appendTimeMs >= 0 ? appendTimeMs : (this.#records[tag]?.timestamp ?? this.#nowMs);
    this.#settle(tag, { topic, partition, offset, timestamp });
  }

  failed(tag: number, error: Error): void {
    this.#firstError ??= error;
    this.#settle(tag, error);
  }

  #settle(tag: number, result: RecordMetadata | Error): void {
    this.#results[tag] = result;
    if (--this.#left > 0) return;
    if (this.#firstError === undefined) this.#resolve(this.#results as RecordMetadata[]);
    else this.#reject(new SendManyError(this.#results, this.#firstError));
  }
}
