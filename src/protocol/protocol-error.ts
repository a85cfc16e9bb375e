import { ERROR_CODE } from './errors.ts';

/**
 * A message that breaks the protocol: malformed, beyond a limit, or against its schema. Thrown for what a peer sent
 * and for what a caller asked to encode alike. On the wire it is `INVALID_REQUEST`.
 */
export class ProtocolError extends Error {
  override readonly name = 'ProtocolError';
  readonly code = 'INVALID_REQUEST';
  readonly errorCode = ERROR_CODE.INVALID_REQUEST;
  readonly retriable = false;
}
