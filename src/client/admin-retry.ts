/** How changes by an administrator are tried again: the answer to one that was carried out may be lost. */

import { ERROR_CODE, errorFor, KafkaError } from '../protocol/errors.ts';
import type { Cluster } from './cluster.ts';

/** After these the request may have been carried out; the answer was lost. */
const AMBIGUOUS = new Set(['NETWORK_EXCEPTION', 'REQUEST_TIMED_OUT']);

/** The controller says it, which knows every topic: there is nothing to wait for. */
const FINAL = new Set(['UNKNOWN_TOPIC_OR_PARTITION', 'UNKNOWN_TOPIC_ID']);

/**
 * Repeats `attempt` until the deadline (monotonic). When the answer to an earlier attempt was lost, `doneCode` says that
 * it was carried out; `attempt` may turn that into a result itself, otherwise there is none.
 */
export function retryChange<T>(
  cluster: Cluster,
  deadlineMs: number,
  doneCode: KafkaError['code'] | undefined,
  attempt: (number: number, maybeDone: boolean) => Promise<T>,
  signal?: AbortSignal | undefined,
): Promise<T> {
  let maybeDone = false;
  return cluster
    .retry(
      deadlineMs,
      async (number) => {
        try {
          return await attempt(number, maybeDone);
        } catch (error) {
          if (error instanceof KafkaError) {
            if (maybeDone && error.code === doneCode) return undefined as T;
            maybeDone ||= AMBIGUOUS.has(error.code);
            // A refusal that a later attempt would meet as well, although this class of error is retriable elsewhere.
            if (error.code === doneCode || FINAL.has(error.code)) throw new FinalError(error);
          }
          throw error;
        }
      },
      signal,
    )
    .catch((error: unknown) => {
      throw error instanceof FinalError ? error.inner : error;
    });
}

/** Ends the retrying. */
class FinalError extends Error {
  readonly inner: KafkaError;
  constructor(inner: KafkaError) {
    super(inner.message);
    this.inner = inner;
  }
}

/** Throws the error that an answer carries, if it carries one. */
export function check(answer: { readonly errorCode: number; readonly errorMessage?: string | null }): void {
  if (answer.errorCode !== ERROR_CODE.NONE) throw errorFor(answer.errorCode, answer.errorMessage);
}

/** The answer to a request about one thing. */
export function only<T>(answers: readonly T[]): T {
  const [answer] = answers;
  if (answer === undefined)
    throw new KafkaError('UNKNOWN_SERVER_ERROR', 'the answer lacks what was asked for');
  return answer;
}
