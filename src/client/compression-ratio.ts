/**
 * Guesses how well a topic's records compress, from the batches made so far, in the manner of Kafka's producer: it gives
 * up optimism at once and gains it slowly, since a batch that turns out too large costs more than a small one.
 */

const GAIN = 0.005;
const LOSS = 0.05;
/** Batches are filled a little less than the guess allows. */
const MARGIN = 1.05;
/** A batch is never filled beyond this multiple, however well it compresses: somebody has to open it. */
const FILL_MAX = 16;

export class CompressionRatio {
  readonly #ratios = new Map<string, number>();

  /** How many bytes of records make a batch of about `batchBytes`. */
  plainBytes(topic: string, batchBytes: number): number {
    const ratio = this.#ratios.get(topic) ?? 1;
    return Math.floor(batchBytes * Math.min(FILL_MAX, Math.max(1, 1 / (ratio * MARGIN))));
  }

  /** A batch was made: its size by that of its records. */
  observe(topic: string, ratio: number): void {
    const guess = this.#ratios.get(topic) ?? 1;
    const next = ratio > guess ? Math.max(guess + LOSS, ratio) : Math.max(guess - GAIN, ratio);
    this.#ratios.set(topic, Math.min(1, next));
  }
}
