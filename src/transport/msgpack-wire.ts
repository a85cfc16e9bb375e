import { decodeRequestBody, decodeRequestHeader, encodeResponse } from '../protocol/codec.ts';
import { RpcFailure } from './rpc-error.ts';
import type { Wire } from './wire.ts';

/** Our own encoding: any order, and one form of refusal for every API. */
export const msgpackWire: Wire = {
  name: 'ws',
  isOrdered: false,
  servedVersions: ({ minVersion, maxVersion }) => [minVersion, maxVersion],
  advertisedVersions: ({ minVersion, maxVersion }) => [minVersion, maxVersion],
  open: (parts) => {
    const frame = decodeRequestHeader(parts);
    const { apiKey, apiVersion, correlationId, clientId } = frame;
    return {
      ...{ apiKey, apiVersion, correlationId, clientId },
      decode: (api) => decodeRequestBody(api, frame),
      encode: (api, response, catalogueVersion) =>
        encodeResponse(api, correlationId, response, catalogueVersion),
      encodeRefusal: ({ code, message }) =>
        encodeResponse(RpcFailure, ~correlationId, { errorCode: code, errorMessage: message }),
      mayOverlap: () => true,
    };
  },
};
