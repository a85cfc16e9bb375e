/** Errors that have a number on the wire. The table itself is in `error-table.ts`. */

import { adviceFor } from './error-advice.ts';
import { ERROR_TABLE, type ErrorAction, type ErrorName, type ErrorRow } from './error-table.ts';

export type { ErrorAction, ErrorName } from './error-table.ts';

export interface ErrorDefinition extends ErrorRow {
  readonly name: ErrorName;
}

/** Every definition, by ascending code. */
export const ERRORS: readonly ErrorDefinition[] = Object.entries(ERROR_TABLE).map(([name, row]) => ({
  name: name as ErrorName,
  ...row,
}));

/** The number of each error: `ERROR_CODE.NOT_CONTROLLER === 41`. */
export const ERROR_CODE = Object.fromEntries(ERRORS.map(({ name, code }) => [name, code])) as Readonly<
  Record<ErrorName, number>
>;

const BY_CODE: ReadonlyMap<number, ErrorDefinition> = new Map(ERRORS.map((error) => [error.code, error]));

/**
 * An expected failure with a number on the wire. `code` is Kafka's name of it, `retriable` whether the same request may
 * succeed later, `action` what the client does about it, `advice` what its user can do, `cause` what lies behind it.
 */
export class KafkaError extends Error {
  override readonly name = 'KafkaError';
  /** Kafka's name of the error: what programs decide by. */
  readonly code: ErrorName;
  /** Kafka's number. */
  readonly errorCode: number;
  /** Whether the same request may succeed later. */
  readonly retriable: boolean;
  readonly action: ErrorAction;

  constructor(code: ErrorName, message?: string, options?: ErrorOptions) {
    const row = ERROR_TABLE[code];
    super(message ?? row.message, options);
    this.code = code;
    this.errorCode = row.code;
    this.retriable = row.retriable;
    this.action = row.action;
  }

  /** What to do about it, in a sentence or two. */
  get advice(): string {
    return adviceFor(this.code, this.action);
  }
}

/** The definition of a code from the wire; a code that this release does not know is `UNKNOWN_SERVER_ERROR`. */
export function errorDefinition(errorCode: number): ErrorDefinition {
  return BY_CODE.get(errorCode) ?? { name: 'UNKNOWN_SERVER_ERROR', ...ERROR_TABLE.UNKNOWN_SERVER_ERROR };
}

/** The error of a code from a response, with the message that came along, if any. */
export function errorFor(errorCode: number, message?: string | null): KafkaError {
  const known = BY_CODE.get(errorCode);
  if (known) return new KafkaError(known.name, message ?? undefined);
  return new KafkaError(
    'UNKNOWN_SERVER_ERROR',
    message ?? `the server answered with an unknown error code, ${errorCode}`,
  );
}

/** The code to answer with for anything thrown: the `errorCode` that it carries, else `UNKNOWN_SERVER_ERROR`. */
export function codeOf(error: unknown): number {
  if (error instanceof Error && 'errorCode' in error && typeof error.errorCode === 'number') {
    if (BY_CODE.has(error.errorCode)) return error.errorCode;
  }
  return ERROR_CODE.UNKNOWN_SERVER_ERROR;
}
