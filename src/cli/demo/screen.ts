const CLEAR_LINE = '\r\x1b[K';
const SPARSE_INTERVAL_MS = 2000;

/** What the demo tells while it runs: lines that stay, and below them one that is updated (on a terminal). */
export class Screen {
  readonly #startedMs = performance.now();
  readonly #isTerminal = process.stdout.isTTY === true;
  #status = '';
  #sparseMs = performance.now();

  /** A line that stays. */
  event(text: string): void {
    const seconds = ((performance.now() - this.#startedMs) / 1000).toFixed(1).padStart(5);
    this.#write(`${this.#isTerminal ? CLEAR_LINE : ''}${seconds} s  ${text}\n`);
    if (this.#isTerminal && this.#status) this.#write(this.#status);
  }

  /** Replaces the status line; where lines can't be replaced, prints one now and then. */
  status(text: string): void {
    if (this.#isTerminal) {
      this.#status = `         ${text}`;
      this.#write(`${CLEAR_LINE}${this.#status}`);
    } else if (performance.now() - this.#sparseMs >= SPARSE_INTERVAL_MS) {
      this.#sparseMs = performance.now();
      this.event(text);
    }
  }

  endStatus(): void {
    if (this.#isTerminal && this.#status) this.#write(CLEAR_LINE);
    this.#status = '';
  }

  print(text: string): void {
    this.#write(`${text}\n`);
  }

  #write(text: string): void {
    process.stdout.write(text);
  }
}
