import type { Counter, Logger, Meter } from '../platform/ports.ts';
import { silentMeter } from '../platform/silent-meter.ts';
import { TRANSPORT_METRICS } from './metrics.ts';

/** One connection's part of a budget. */
export interface BudgetShare {
  /** What the connection holds by now, all in all. May end it, or another. */
  hold(bytes: number): void;
  /** The connection ended and holds nothing any more. */
  close(): void;
}

interface BufferBudgetOptions {
  readonly bytesMax: number;
  readonly logger: Logger;
  readonly meter?: Meter | undefined;
}

interface Holder {
  readonly remote: string;
  readonly end: (reason: string) => void;
  bytes: number;
}

/**
 * A limit for what all connections of a node hold together: answers that callers have not taken, and messages that
 * have not arrived whole. Each connection has limits of its own, but ten thousand times those are more than any memory.
 * When the sum grows beyond `connectionBuffersBytesMax`, the connection that holds the most is ended, and says so in
 * the log: it is the one that does not read, or does not finish what it began, and its client can come back.
 *
 * All listeners of a node share one; each connection opens a share and tells it of every change.
 */
export class BufferBudget {
  readonly #bytesMax: number;
  readonly #logger: Logger;
  readonly #ended: Counter;
  readonly #holders = new Set<Holder>();
  #heldBytes = 0;

  constructor({ bytesMax, logger, meter = silentMeter }: BufferBudgetOptions) {
    this.#bytesMax = bytesMax;
    this.#logger = logger;
    this.#ended = meter.counter(TRANSPORT_METRICS.ended);
    meter.onScrape((sample) => {
      sample(TRANSPORT_METRICS.held, this.#heldBytes);
      sample(TRANSPORT_METRICS.heldMax, bytesMax);
    });
  }

  /** What all connections hold by now. */
  get heldBytes(): number {
    return this.#heldBytes;
  }

  /** `end` must drop what the connection holds at once, without a goodbye that would wait behind it. */
  open(remote: string, end: (reason: string) => void): BudgetShare {
    const holder: Holder = { remote, end, bytes: 0 };
    this.#holders.add(holder);
    return {
      hold: (bytes) => {
        if (bytes === holder.bytes || !this.#holders.has(holder)) return;
        this.#heldBytes += bytes - holder.bytes;
        holder.bytes = bytes;
        while (this.#heldBytes > this.#bytesMax) this.#endLargest();
      },
      close: () => this.#remove(holder),
    };
  }

  #endLargest(): void {
    let largest: Holder | undefined;
    for (const holder of this.#holders) if (holder.bytes > (largest?.bytes ?? 0)) largest = holder;
    if (largest === undefined) return;
    const { remote, bytes } = largest;
    const fields = { remote, bytes, heldBytes: this.#heldBytes, connectionBuffersBytesMax: this.#bytesMax };
    this.#logger.warn(
      fields,
      'A connection is ended: the buffers of all connections are full, and it holds most',
    );
    this.#ended.add();
    this.#remove(largest);
    largest.end(`the server's buffers are full, and ${bytes} bytes of them are this connection's`);
  }

  #remove(holder: Holder): void {
    if (this.#holders.delete(holder)) this.#heldBytes -= holder.bytes;
  }
}
