/** How expected failures become fields of a response. */

import { KafkaError } from '../protocol/errors.ts';

export interface Outcome {
  errorCode: number;
  errorMessage: string | null;
}

/** Runs one item of a request. An expected failure is its answer; anything else is a broken invariant. */
export function attempt(run: () => void): Outcome {
  try {
    run();
    return { errorCode: 0, errorMessage: null };
  } catch (error) {
    if (!(error instanceof KafkaError)) throw error;
    return { errorCode: error.errorCode, errorMessage: error.message };
  }
}
