import type { RecordMetadata } from '../../client/producer-options.ts';
import { LatencyHistogram } from './latency-histogram.ts';
import type { LineParser, LineRecord } from './line-parser.ts';

/** What this command needs of a producer. */
export interface LineProducer {
  send(record: LineRecord & { readonly topic: string }): Promise<Pick<RecordMetadata, 'offset'>>;
  ready(): Promise<void>;
  flush(): Promise<void>;
}

/** The last line of `produce`, and its figures. */
export interface ProduceSummary {
  readonly records: number;
  readonly bytes: number;
  readonly seconds: number;
  readonly recordsPerSecond: number;
  readonly p50Ms: number | null;
  readonly p99Ms: number | null;
}

/** Sends lines and counts what is acknowledged: all figures are of acknowledged records alone. */
export class LineSender {
  readonly #producer: LineProducer;
  readonly #topic: string;
  readonly #parse: LineParser;
  readonly #partition: number | undefined;
  readonly #latencies = new LatencyHistogram();
  #lines = 0;
  #bytes = 0;
  #startedMs: number | undefined;
  #lastAckMs = 0;
  #failure: Error | undefined;

  /** `partition` is for records that name none. */
  constructor(producer: LineProducer, topic: string, parse: LineParser, partition?: number) {
    this.#producer = producer;
    this.#topic = topic;
    this.#parse = parse;
    this.#partition = partition;
  }

  /** Resolves when every line is acknowledged; an input that is aborted ends where it was. */
  async sendAll(input: AsyncIterable<Uint8Array[]>): Promise<void> {
    try {
      for await (const lines of input) await this.#sendLines(lines);
    } catch (error) {
      if (!(error instanceof Error && error.name === 'AbortError')) throw error;
    } finally {
      await this.#producer.flush();
      // The promises of what was flushed settle before this one goes on.
      await Promise.resolve();
    }
    if (this.#failure) throw this.#failure;
  }

  get summary(): ProduceSummary {
    const seconds = this.#startedMs === undefined ? 0 : Math.max(0, this.#lastAckMs - this.#startedMs) / 1000;
    const records = this.#latencies.count;
    return {
      records,
      bytes: this.#bytes,
      seconds: rounded(seconds),
      recordsPerSecond: seconds > 0 ? Math.round(records / seconds) : 0,
      p50Ms: rounded(this.#latencies.percentile(50)),
      p99Ms: rounded(this.#latencies.percentile(99)),
    };
  }

  async #sendLines(lines: readonly Uint8Array[]): Promise<void> {
    for (const line of lines) {
      const record = this.#parse(line, ++this.#lines);
      // Settled as long as there is room; otherwise the input waits.
      await this.#producer.ready();
      if (this.#failure) throw this.#failure;
      this.#send(record);
    }
  }

  #send(record: LineRecord): void {
    const { key, value } = record;
    const partition = record.partition ?? this.#partition;
    const sentMs = performance.now();
    this.#startedMs ??= sentMs;
    const bytes =
      (value?.length ?? 0) +
      (key === null ? 0 : typeof key === 'string' ? Buffer.byteLength(key) : key.length);
    this.#producer
      .send({ ...record, topic: this.#topic, ...(partition !== undefined && { partition }) })
      .then(
        () => {
          this.#lastAckMs = performance.now();
          this.#latencies.add(this.#lastAckMs - sentMs);
          this.#bytes += bytes;
        },
        (error: Error) => {
          this.#failure ??= error;
        },
      );
  }
}

function rounded<T extends number | null>(value: T): T {
  return (value === null ? null : Math.round(value * 1000) / 1000) as T;
}
