/**
 * Changes of settings that may overlap and end in any order: what holds is what was there before all of them, changed by
 * those that are still on, the newest last.
 */
export class Disturbances<T extends object> {
  readonly #settings: T;
  readonly #on = new Set<Partial<T>>();
  #before: T | undefined;

  constructor(settings: T) {
    this.#settings = settings;
  }

  /** Returns what ends the change. */
  begin(change: Partial<T>): () => void {
    this.#before ??= { ...this.#settings };
    const own = { ...change };
    this.#on.add(own);
    this.#apply();
    return () => {
      if (!this.#on.delete(own)) return;
      this.#apply();
      if (this.#on.size === 0) this.#before = undefined;
    };
  }

  #apply(): void {
    Object.assign(this.#settings, this.#before, ...this.#on);
  }
}
