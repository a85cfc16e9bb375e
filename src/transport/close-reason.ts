import type { CloseReason } from '../platform/ports.ts';

const CODES: Readonly<Record<string, CloseReason['code']>> = {
  ECONNREFUSED: 'refused',
  ETIMEDOUT: 'timeout',
  EHOSTUNREACH: 'unreachable',
  ENETUNREACH: 'unreachable',
  EHOSTDOWN: 'unreachable',
  ENOTFOUND: 'unreachable',
  EAI_AGAIN: 'unreachable',
  ECONNRESET: 'reset',
  EPIPE: 'reset',
  ECONNABORTED: 'reset',
};

/** Why a connection ended, as its socket's error tells it. */
export function reasonOfSocketError({ code = '', message }: Error & { readonly code?: string }): CloseReason {
  return { code: CODES[code] ?? 'protocol', message };
}
