import { isIP } from 'node:net';

/**
 * Browsers let any page open a WebSocket to any address, such as that of a cluster in the visitor's own network, and
 * send along which page it is (RFC 6455 section 10.2). So pages are refused unless they are ours:
 * - no origin: not a browser;
 * - an origin in `allowedOrigins`, or `*` there;
 * - the origin of this very listener. Only under a name that is known to be its own, or an address: any name can be
 *   made to lead here (DNS rebinding).
 */
export function mayConnect(
  { origin, host }: { readonly origin?: string | undefined; readonly host?: string | undefined },
  { allowedOrigins, ownNames }: OriginPolicy,
): boolean {
  if (origin === undefined || allowedOrigins.includes('*') || allowedOrigins.includes(origin)) return true;
  if (host === undefined || !URL.canParse(origin)) return false;
  const url = new URL(origin);
  // Read with the origin's scheme, so that a port is left out of both where it is the default one.
  if (!URL.canParse(`${url.protocol}//${host}`) || new URL(`${url.protocol}//${host}`).host !== url.host)
    return false;
  const name = url.hostname.replace(/^\[|\]$/g, '');
  return isIP(name) !== 0 || name === 'localhost' || ownNames.includes(name);
}

export interface OriginPolicy {
  /** Exact origins such as `https://app.example.org`, or `*` for all. */
  readonly allowedOrigins: readonly string[];
  /** The host names under which clients reach this listener. */
  readonly ownNames: readonly string[];
}

/** For a node that nobody told anything: pages of its own alone. */
export const OWN_PAGES_ONLY: OriginPolicy = { allowedOrigins: [], ownNames: [] };
