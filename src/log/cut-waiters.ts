/** Those who wait for a truncation to be durable. */
export class CutWaiters {
  #waiters: { resolve(): void; reject(error: Error): void }[] = [];

  wait(): Promise<void> {
    return new Promise((resolve, reject) => this.#waiters.push({ resolve, reject }));
  }

  /** The cut is durable, or (with an error) will never be. */
  settle(error?: Error): void {
    for (const waiter of this.#waiters.splice(0)) {
      if (error === undefined) waiter.resolve();
      else waiter.reject(error);
    }
  }
}
