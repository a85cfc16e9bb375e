import type { Refusal } from '../protocol/kafka-refusals.ts';
import type { AnyApi, Versions } from '../protocol/schema.ts';

/**
 * One encoding of the message catalogue, as a server needs it: from the bytes of a message to a request, and from an
 * answer back to bytes. What is asked and how it is carried out is the same on every wire.
 */
export interface Wire {
  /** The listener that speaks it. */
  readonly name: 'ws' | 'kafka';
  /** Whether answers leave in the order of the requests; else as they are ready. */
  readonly isOrdered: boolean;
  /** The versions of an API that are carried out; undefined where it is not served on this wire. */
  servedVersions(api: AnyApi): Versions | undefined;
  /** The versions that `ApiVersions` tells of. */
  advertisedVersions(api: AnyApi): Versions | undefined;
  /** Reads the header of a message. @throws ProtocolError where it cannot be answered, not even with an error */
  open(parts: Uint8Array[]): WireRequest;
}

/** A request as it came in. */
export interface WireRequest {
  readonly apiKey: number;
  readonly apiVersion: number;
  readonly correlationId: number;
  readonly clientId: string | null;
  /** @throws ProtocolError */
  decode(api: AnyApi): unknown;
  /** @param catalogueVersion What the caller reads; of no meaning where `apiVersion` says it all. */
  encode(api: AnyApi, response: unknown, catalogueVersion: number): Uint8Array[];
  /**
   * The answer that says why there is no other; `api` where the API is served, in whatever version. Undefined where the
   * protocol has no words for it: the connection is closed.
   */
  encodeRefusal(
    refusal: Refusal,
    api: AnyApi | undefined,
    catalogueVersion: number,
  ): Uint8Array[] | undefined;
  /** Whether it may be started before the requests ahead of it are answered. */
  mayOverlap(): boolean;
}
