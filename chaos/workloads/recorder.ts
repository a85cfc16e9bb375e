import type { Operation } from '../checker/history.ts';

/** Collects the history of one run. */
export class Recorder {
  readonly #operations: Operation[] = [];
  readonly #open = new Set<() => void>();
  /** Errors that no client should ever see, however the cluster fares. */
  readonly unexpected: Error[] = [];

  get history(): readonly Operation[] {
    return this.#operations;
  }

  add(operation: Operation): void {
    this.#operations.push(operation);
  }

  /** An operation began; unless the returned function is called, `abandoned` records it when the history ends. */
  began(abandoned: () => void): () => void {
    this.#open.add(abandoned);
    return () => this.#open.delete(abandoned);
  }

  /** Nothing will end any more. */
  end(): readonly Operation[] {
    for (const abandoned of this.#open) abandoned();
    this.#open.clear();
    return this.#operations;
  }
}
