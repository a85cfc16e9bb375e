import { ERROR_CODE } from './errors.ts';

/**
 * A record batch that cannot be read: it ends early (`truncated`: more bytes may mend it) or is wrong (`corrupt`).
 * On the wire both are `CORRUPT_MESSAGE`.
 */
export class RecordBatchError extends Error {
  override readonly name = 'RecordBatchError';
  readonly code: 'truncated' | 'corrupt';
  readonly errorCode = ERROR_CODE.CORRUPT_MESSAGE;

  constructor(code: 'truncated' | 'corrupt', message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
