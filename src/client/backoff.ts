/** How long to wait before trying again: exponential, so that a cluster in trouble is left in peace, with jitter. */

import type { Random } from '../platform/ports.ts';

export interface BackoffLimits {
  readonly retryBackoffMs: number;
  readonly retryBackoffMaxMs: number;
}

/** Spreads clients that failed together: each delay is within 20 % of the nominal one, as Kafka's is (KIP-580). */
const JITTER = 0.2;

/** The delay before attempt number `attempt` + 1, where `attempt` >= 1 have failed. */
export function backoffMs(limits: BackoffLimits, attempt: number, random: Random): number {
  const exponent = Math.min(Math.max(attempt - 1, 0), 30);
  const nominal = Math.min(limits.retryBackoffMs * 2 ** exponent, limits.retryBackoffMaxMs);
  return nominal * (1 - JITTER + 2 * JITTER * random.float());
}
