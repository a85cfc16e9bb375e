/** Typed events, without anything of Node.js or of a page. */

import type { Logger } from '../platform/ports.ts';

/** What each event carries, by its name. */
type Events = { readonly [name: string]: object };

export class Emitter<E extends Events> {
  readonly #listeners = new Map<keyof E, Set<(event: never) => void>>();
  readonly #parent: Emitter<E> | undefined;
  readonly #logger: Logger;

  /** Whatever this one tells, it tells its parent's listeners too. */
  constructor(logger: Logger, parent?: Emitter<E>) {
    this.#logger = logger;
    this.#parent = parent;
  }

  /** Calls `listener` at each such event, until the function that is returned is called. */
  on<N extends keyof E>(name: N, listener: (event: E[N]) => void): () => void {
    let listeners = this.#listeners.get(name);
    if (listeners === undefined) {
      listeners = new Set();
      this.#listeners.set(name, listeners);
    }
    listeners.add(listener);
    return () => listeners.delete(listener);
  }

  emit<N extends keyof E>(name: N, event: E[N]): void {
    for (const listener of [...(this.#listeners.get(name) ?? [])]) {
      try {
        (listener as (event: E[N]) => void)(event);
      } catch (err) {
        // Whoever looks on cannot stop what it looks at.
        this.#logger.error({ event: name, err }, 'A listener failed');
      }
    }
    this.#parent?.emit(name, event);
  }
}
