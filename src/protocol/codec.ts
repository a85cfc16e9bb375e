/**
 * The protocol layer: messages, error codes, record batches and their encodings. It imports nothing from above (only
 * `platform/` may lie below it) and runs in a browser as in Node.js. Begin with `schema.ts` and one of `messages/`, then
 * this file and `kafka-codec.ts`, the two encodings; `record-batch.ts` is the other half.
 *
 * Here, the encoding on WebSockets: a message is `[u32 headBytes][u32 checksum][head][raw record bytes...]`, where the head
 * is msgpack, `[header, body]`, both positional arrays. Record batches follow as they are; the head carries only their
 * lengths. Where the checksum (`message-checksum.ts`) stands, the top bit of `headBytes` is set; readers before catalogue
 * version 3 know of none.
 *
 * Whatever a peer sends, decoding throws nothing but `ProtocolError`. A message whose header can be read and whose
 * body cannot may be answered with an error; one without a readable header leaves nobody to answer.
 */

import { writeInt32 } from './bytes.ts';
import { CATALOGUE_VERSION } from './catalogue-version.ts';
import { checksumOf } from './message-checksum.ts';
import { PartsReader } from './message-parts.ts';
import { packArrays } from './msgpack.ts';
import { readMsgpack } from './msgpack-reader.ts';
import { ProtocolError } from './protocol-error.ts';
import { type Api, type Infer, int16, int32, string, struct } from './schema.ts';
import { type Compiled, compile } from './schema-compiler.ts';

const PREFIX_BYTES = 4;
const CHECKSUM_BYTES = 4;
const CHECKSUM_SINCE = 3;
/** Of `headBytes`. */
const HAS_CHECKSUM = 0x8000_0000;
const CLIENT_ID_BYTES_MAX = 256;

const requestHeader = struct({
  apiKey: int16(),
  apiVersion: int16(),
  correlationId: int32(),
  clientId: string(CLIENT_ID_BYTES_MAX).nullable(),
});
const responseHeader = struct({ correlationId: int32() });
const requestHeaderCodec = compile(requestHeader, 'request header');
const responseHeaderCodec = compile(responseHeader, 'response header');

/** A request as far as it is read before its API is known. */
export type RequestFrame = Infer<typeof requestHeader> & Undecoded;
export type ResponseFrame = Infer<typeof responseHeader> & Undecoded;

/** A body that waits for its schema. Decode it once: its records are taken from the message in order. */
interface Undecoded {
  readonly body: unknown;
  readonly raw: PartsReader;
}

/** The parts of a request, for a reader of this catalogue version, as one message. Record batches are not copied. */
export function encodeRequest<Request>(
  api: Api<Request, unknown>,
  apiVersion: number,
  correlationId: number,
  clientId: string | null,
  body: Request,
  catalogueVersion = CATALOGUE_VERSION,
): Uint8Array[] {
  const header = { apiKey: api.key, apiVersion, correlationId, clientId };
  return encodeMessage(requestHeaderCodec, header, api.msgpack.request, body, catalogueVersion);
}

/** The parts of a response, for a reader of this catalogue version, as one message. Record batches are not copied. */
export function encodeResponse<Response>(
  api: Api<unknown, Response>,
  correlationId: number,
  body: Response,
  catalogueVersion = CATALOGUE_VERSION,
): Uint8Array[] {
  return encodeMessage(responseHeaderCodec, { correlationId }, api.msgpack.response, body, catalogueVersion);
}

function encodeMessage<Header, Body>(
  headerCodec: Compiled<Header>,
  header: Header,
  bodyCodec: Compiled<Body>,
  body: Body,
  version: number,
): Uint8Array[] {
  const parts: Uint8Array[] = [new Uint8Array(0)];
  const tree = [headerCodec.encode(header, parts, version), bodyCodec.encode(body, parts, version)];
  const isChecked = version >= CHECKSUM_SINCE;
  const prefixBytes = isChecked ? PREFIX_BYTES + CHECKSUM_BYTES : PREFIX_BYTES;
  const head = packArrays(tree, prefixBytes);
  parts[0] = head;
  writeInt32(head, 0, head.length - prefixBytes + (isChecked ? HAS_CHECKSUM : 0));
  if (isChecked) writeInt32(head, PREFIX_BYTES, checksumOf(parts, prefixBytes, head.length - prefixBytes));
  return parts;
}

/** Reads the header of a request; `decodeRequestBody` reads the rest, once the API is looked up. */
export function decodeRequestHeader(parts: readonly Uint8Array[]): RequestFrame {
  const { header, body, raw } = openMessage(parts);
  // Spelled out, here and in other places of each message's way: a literal behind a spread is built property by
  // property through V8's runtime, which took a tenth of a node's time.
  const { apiKey, apiVersion, correlationId, clientId } = requestHeaderCodec.decode(header, raw);
  return { apiKey, apiVersion, correlationId, clientId, body, raw };
}

export function decodeRequestBody<Request>(api: Api<Request, unknown>, frame: RequestFrame): Request {
  return decodeBody(api.msgpack.request, `${api.name} request`, frame);
}

/** Reads the header of a response; `decodeResponseBody` reads the rest, once the request is looked up. */
export function decodeResponseHeader(parts: readonly Uint8Array[]): ResponseFrame {
  const { header, body, raw } = openMessage(parts);
  const { correlationId } = responseHeaderCodec.decode(header, raw);
  return { correlationId, body, raw };
}

export function decodeResponseBody<Response>(api: Api<unknown, Response>, frame: ResponseFrame): Response {
  return decodeBody(api.msgpack.response, `${api.name} response`, frame);
}

function openMessage(parts: readonly Uint8Array[]): { header: unknown; body: unknown; raw: PartsReader } {
  const raw = new PartsReader(parts);
  let headBytes = raw.uint32();
  if (headBytes >= HAS_CHECKSUM) {
    headBytes -= HAS_CHECKSUM;
    const expected = raw.uint32();
    if (checksumOf(parts, PREFIX_BYTES + CHECKSUM_BYTES, headBytes) !== expected)
      throw new ProtocolError('the message was damaged on the way');
  }
  const head = readMsgpack(raw.take(headBytes));
  if (!Array.isArray(head) || head.length < 2)
    throw new ProtocolError('the head must be a header and a body');
  return { header: head[0], body: head[1], raw };
}

function decodeBody<Body>(codec: Compiled<Body>, name: string, { body, raw }: Undecoded): Body {
  const value = codec.decode(body, raw);
  if (raw.remaining > 0) throw new ProtocolError(`${raw.remaining} bytes remain behind the ${name}`);
  return value;
}
