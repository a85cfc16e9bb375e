import { ERROR_CODE } from '../protocol/errors.ts';
import {
  decodeKafkaRequestBody,
  decodeKafkaRequestHeader,
  encodeKafkaResponse,
  type KafkaRequestFrame,
} from '../protocol/kafka-codec.ts';
import { kafkaRefusal, type Refusal } from '../protocol/kafka-refusals.ts';
import { ApiVersions } from '../protocol/messages/api-versions.ts';
import { Produce } from '../protocol/messages/produce.ts';
import type { AnyApi } from '../protocol/schema.ts';
import type { Wire, WireRequest } from './wire.ts';

/**
 * Kafka's encoding. Answers keep the order of the requests, and there is no form of refusal that fits every API: each
 * says it in its own response, and what has no words for it closes the connection, as Kafka itself does.
 */
export const kafkaWire: Wire = {
  name: 'kafka',
  isOrdered: true,
  servedVersions: ({ kafka }) => kafka?.served,
  advertisedVersions: ({ kafka }) => kafka?.advertised,
  open: ([frame = new Uint8Array(0)]) => new KafkaRequest(decodeKafkaRequestHeader(frame)),
};

class KafkaRequest implements WireRequest {
  readonly apiKey: number;
  readonly apiVersion: number;
  readonly correlationId: number;
  readonly clientId: string | null;
  readonly #frame: KafkaRequestFrame;
  #body: unknown;

  constructor(frame: KafkaRequestFrame) {
    this.apiKey = frame.apiKey;
    this.apiVersion = frame.apiVersion;
    this.correlationId = frame.correlationId;
    this.clientId = frame.clientId;
    this.#frame = frame;
  }

  decode(api: AnyApi): unknown {
    this.#body = decodeKafkaRequestBody(api, this.#frame);
    return this.#body;
  }

  encode(api: AnyApi, response: unknown): Uint8Array[] {
    return encodeKafkaResponse(api, this.apiVersion, this.correlationId, response);
  }

  encodeRefusal(refusal: Refusal, api: AnyApi | undefined): Uint8Array[] | undefined {
    if (api === undefined) return undefined;
    if (api.key === ApiVersions.key && refusal.code === ERROR_CODE.UNSUPPORTED_VERSION)
      return this.#unsupportedApiVersions();
    const body = this.#decodeOnce(api);
    if (body === undefined) return undefined;
    const response = kafkaRefusal(api, body, refusal);
    return response === undefined ? undefined : this.encode(api, response);
  }

  /** Kafka mutes a connection while it handles a request. Only produce requests gain from overlapping: they wait for disks. */
  mayOverlap(): boolean {
    return this.apiKey === Produce.key;
  }

  /** KIP-511: version 0, which every client can read, with the versions of this API alone to choose from. */
  #unsupportedApiVersions(): Uint8Array[] {
    const [minVersion, maxVersion] = ApiVersions.kafka?.advertised ?? [0, 0];
    return encodeKafkaResponse(ApiVersions, 0, this.correlationId, {
      errorCode: ERROR_CODE.UNSUPPORTED_VERSION,
      apiKeys: [{ apiKey: ApiVersions.key, minVersion, maxVersion }],
      throttleTimeMs: 0,
      catalogueVersion: 0,
    });
  }

  /** A version that is not served may still be known well enough to be answered. */
  #decodeOnce(api: AnyApi): unknown {
    const [min, max] = api.kafka?.versions ?? [0, -1];
    if (this.#body !== undefined || this.apiVersion < min || this.apiVersion > max) return this.#body;
    try {
      return this.decode(api);
    } catch {
      return undefined;
    }
  }
}
