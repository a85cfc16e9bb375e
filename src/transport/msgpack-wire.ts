import {
  decodeRequestBody,
  decodeRequestHeader,
  encodeResponse,
  type RequestFrame,
} from '../protocol/codec.ts';
import type { Refusal } from '../protocol/kafka-refusals.ts';
import type { AnyApi } from '../protocol/schema.ts';
import { RpcFailure } from './rpc-error.ts';
import type { Wire, WireRequest } from './wire.ts';

/** Our own encoding: any order, and one form of refusal for every API. */
export const msgpackWire: Wire = {
  name: 'ws',
  isOrdered: false,
  servedVersions: ({ minVersion, maxVersion }) => [minVersion, maxVersion],
  advertisedVersions: ({ minVersion, maxVersion }) => [minVersion, maxVersion],
  open: (parts) => new MsgpackRequest(decodeRequestHeader(parts)),
};

class MsgpackRequest implements WireRequest {
  readonly apiKey: number;
  readonly apiVersion: number;
  readonly correlationId: number;
  readonly clientId: string | null;
  readonly #frame: RequestFrame;

  constructor(frame: RequestFrame) {
    this.apiKey = frame.apiKey;
    this.apiVersion = frame.apiVersion;
    this.correlationId = frame.correlationId;
    this.clientId = frame.clientId;
    this.#frame = frame;
  }

  decode(api: AnyApi): unknown {
    return decodeRequestBody(api, this.#frame);
  }

  encode(api: AnyApi, response: unknown, catalogueVersion: number): Uint8Array[] {
    return encodeResponse(api, this.correlationId, response, catalogueVersion);
  }

  encodeRefusal(
    { code, message }: Refusal,
    _api: AnyApi | undefined,
    catalogueVersion: number,
  ): Uint8Array[] {
    const failure = { errorCode: code, errorMessage: message };
    return encodeResponse(RpcFailure, ~this.correlationId, failure, catalogueVersion);
  }

  mayOverlap(): boolean {
    return true;
  }
}
