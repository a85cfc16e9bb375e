const POLL_MS = 2;

/**
 * Waits until `missing` finds nothing to wait for any more.
 * @throws Error after `timeoutMs`, with what is missing
 */
export async function waitUntil(
  what: string,
  timeoutMs: number,
  missing: () => string | undefined,
): Promise<void> {
  const deadlineMs = performance.now() + timeoutMs;
  for (let reason = missing(); reason !== undefined; reason = missing()) {
    if (performance.now() > deadlineMs) throw new Error(`${what} after ${timeoutMs} ms: ${reason}`);
    await new Promise((resolve) => {
      setTimeout(resolve, POLL_MS);
    });
  }
}

/** Waits for `work`, which does not reject, or for `timeoutMs`. */
export async function atMost(timeoutMs: number, work: Promise<unknown>): Promise<void> {
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, timeoutMs);
    void work.then(() => {
      clearTimeout(timer);
      resolve();
    });
  });
}
