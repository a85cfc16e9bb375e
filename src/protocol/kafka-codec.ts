/**
 * Kafka's own encoding of the catalogue, as its clients speak it: `[i32 size][header][body]`, in one of the versions that
 * an API declares. The headers come in two kinds each, of which the flexible one ends with tagged fields:
 *
 *     request   [i16 apiKey][i16 apiVersion][i32 correlationId][nullable string clientId] ([tagged fields])
 *     response  [i32 correlationId] ([tagged fields])
 *
 * The response of ApiVersions always has the older header, since its reader does not know yet what the writer speaks
 * (KIP-511). Whatever a peer sends, decoding throws nothing but `ProtocolError`.
 */

import { writeInt32 } from './bytes.ts';
import { compileKafka, type KafkaCode, NO_KNOWN_TAGS } from './kafka-compiler.ts';
import { KafkaReader } from './kafka-reader.ts';
import { KafkaWriter } from './kafka-writer.ts';
import { ApiVersions } from './messages/api-versions.ts';
import { ProtocolError } from './protocol-error.ts';
import { type AnyApi, type Api, type Schema, string } from './schema.ts';

/** A request as far as it is read before its API is known. */
export interface KafkaRequestFrame {
  readonly apiKey: number;
  readonly apiVersion: number;
  readonly correlationId: number;
  readonly clientId: string | null;
  /** What follows: the tagged fields of a flexible header, and the body. */
  readonly rest: Uint8Array;
}

/** Reads the header of a request. `frame` is a message without the size in front of it. */
export function decodeKafkaRequestHeader(frame: Uint8Array): KafkaRequestFrame {
  const reader = new KafkaReader(frame);
  return {
    apiKey: reader.int16(),
    apiVersion: reader.int16(),
    correlationId: reader.int32(),
    clientId: clientIdCode.read(reader) as string | null,
    rest: reader.take(reader.remaining),
  };
}

/**
 * Reads the rest of a request. Record batches in it are views of the frame. Bytes behind the body are passed over, as
 * Kafka's brokers do.
 */
export function decodeKafkaRequestBody<Request>(
  api: Api<Request, unknown>,
  frame: Pick<KafkaRequestFrame, 'apiVersion' | 'rest'>,
): Request {
  const { request, isFlexible } = codecOf(api, frame.apiVersion);
  const reader = new KafkaReader(frame.rest);
  if (isFlexible) NO_KNOWN_TAGS.read(reader, {});
  return request.read(reader) as Request;
}

/** The parts of a response, to be sent one after the other: the size first. Record batches in it are not copied. */
export function encodeKafkaResponse<Response>(
  api: Api<unknown, Response>,
  apiVersion: number,
  correlationId: number,
  body: Response,
): Uint8Array[] {
  const { response, hasFlexibleResponseHeader } = codecOf(api, apiVersion);
  return frameOf((writer) => {
    writer.int32(correlationId);
    if (hasFlexibleResponseHeader) NO_KNOWN_TAGS.write(writer, {});
    response.write(writer, body);
  });
}

/** The parts of a request, to be sent one after the other: the size first. */
export function encodeKafkaRequest<Request>(
  api: Api<Request, unknown>,
  apiVersion: number,
  correlationId: number,
  clientId: string | null,
  body: Request,
): Uint8Array[] {
  const { request, isFlexible } = codecOf(api, apiVersion);
  return frameOf((writer) => {
    writer.int16(api.key);
    writer.int16(apiVersion);
    writer.int32(correlationId);
    clientIdCode.write(writer, clientId);
    if (isFlexible) NO_KNOWN_TAGS.write(writer, {});
    request.write(writer, body);
  });
}

/** Reads a response to a request of that version. `frame` is a message without the size in front of it. */
export function decodeKafkaResponse<Response>(
  api: Api<unknown, Response>,
  apiVersion: number,
  frame: Uint8Array,
): { readonly correlationId: number; readonly body: Response } {
  const { response, hasFlexibleResponseHeader } = codecOf(api, apiVersion);
  const reader = new KafkaReader(frame);
  const correlationId = reader.int32();
  if (hasFlexibleResponseHeader) NO_KNOWN_TAGS.read(reader, {});
  const body = response.read(reader) as Response;
  if (reader.remaining > 0)
    throw new ProtocolError(`${reader.remaining} bytes remain behind the ${api.name} response`);
  return { correlationId, body };
}

function frameOf(write: (writer: KafkaWriter) => void): Uint8Array[] {
  const writer = new KafkaWriter();
  writer.int32(0);
  write(writer);
  const parts = writer.parts();
  const [head] = parts;
  const bytes = parts.reduce((sum, part) => sum + part.length, 0);
  if (head) writeInt32(head, 0, bytes - SIZE_BYTES);
  return parts;
}

const SIZE_BYTES = 4;

/** The client id keeps the older form in every header. */
const clientIdCode = compileKafka(string().nullable(), 'client id', { version: 1, flexible: false });

interface Codec {
  readonly isFlexible: boolean;
  readonly hasFlexibleResponseHeader: boolean;
  readonly request: KafkaCode;
  readonly response: KafkaCode;
}

/** By version; each is compiled when it is first needed. */
const codecs = new WeakMap<AnyApi, (Codec | undefined)[]>();

function codecOf(api: AnyApi, version: number): Codec {
  let versions = codecs.get(api);
  if (!versions) {
    versions = [];
    codecs.set(api, versions);
  }
  versions[version] ??= compileCodec(api, version);
  return versions[version];
}

function compileCodec({ key, name, kafka, request, response }: AnyApi, version: number): Codec {
  if (!kafka || version < kafka.versions[0] || version > kafka.versions[1])
    throw new ProtocolError(`Kafka's encoding of ${name} version ${version} is not known`);
  const isFlexible = version >= kafka.flexible;
  const compile = (schema: Schema<unknown>, path: string) =>
    compileKafka(schema, path, { version, flexible: isFlexible });
  return {
    isFlexible,
    hasFlexibleResponseHeader: isFlexible && key !== ApiVersions.key,
    request: compile(request, `${name} request`),
    response: compile(response, `${name} response`),
  };
}
