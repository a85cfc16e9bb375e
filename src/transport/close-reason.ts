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

/** A close frame carries at most this much text (RFC 6455 section 5.5, less two bytes for the code). */
const CLOSE_TEXT_BYTES_MAX = 123;

/** Why a WebSocket ended, from its close code (RFC 6455 section 7.4.1). 1006 stands for an end without a close frame. */
export function reasonOfCode(code: number, message: string): CloseReason {
  if (code === 1006) return { code: 'reset', message: 'the connection ended without a goodbye' };
  if (code === 1000 || code === 1001 || code === 1005)
    return { code: 'closed', message: message || 'closed by peer' };
  return { code: 'protocol', message: message || `closed by peer with code ${code}` };
}

/** As much of a text as a close frame carries, cut between characters. */
export function closeText(text: string): string {
  const bytes = new Uint8Array(CLOSE_TEXT_BYTES_MAX);
  const { read } = new TextEncoder().encodeInto(text, bytes);
  return text.slice(0, read);
}
