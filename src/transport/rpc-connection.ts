import type { Connection, ConnectionHandlers, Logger, Timers } from '../platform/ports.ts';
import {
  decodeRequestBody,
  decodeRequestHeader,
  encodeResponse,
  type RequestFrame,
} from '../protocol/codec.ts';
import { codeOf, ERROR_CODE, KafkaError } from '../protocol/errors.ts';
import { ProtocolError } from '../protocol/protocol-error.ts';
import { RpcFailure } from './rpc-error.ts';
import type { Caller, Route } from './rpc-route.ts';

/** What a caller is told of an error; the log has all of it. */
const ERROR_MESSAGE_CHARS_MAX = 1000;

/**
 * After this many starts the event loop gets a turn: a chunk from the socket may hold hundreds of small requests, and
 * their answers are to be seen in `bufferedBytes` before the rest is started.
 */
const STARTS_PER_TURN = 16;

/** Limits of one connection. At any of them the server stops reading from it until it is below again. */
export interface RpcLimits {
  /** Requests started and not answered. */
  readonly inFlightRequestsMax: number;
  /** Their bytes. */
  readonly inFlightBytesMax: number;
  /** Response bytes that the caller has not read. */
  readonly bufferedBytesMax: number;
}

export interface RpcConnectionOptions {
  readonly id: number;
  readonly connection: Connection;
  readonly routes: ReadonlyMap<number, Route>;
  readonly limits: RpcLimits;
  readonly logger: Logger;
  readonly timers: Timers;
  readonly onClose: () => void;
}

interface Request {
  readonly frame: RequestFrame;
  readonly bytes: number;
}

/** The server's side of one connection: from frames to handlers and back. */
export class RpcConnection implements Caller {
  readonly connectionId: number;
  readonly remote: string;
  readonly handlers: ConnectionHandlers;
  readonly #options: RpcConnectionOptions;
  readonly #connection: Connection;
  readonly #logger: Logger;
  readonly #closeListeners: (() => void)[] = [];
  /** Received, and not started because of a limit. */
  readonly #waiting: Request[] = [];
  #startsLeft = STARTS_PER_TURN;
  #inFlightRequests = 0;
  #inFlightBytes = 0;
  #reading = true;
  #closed = false;

  constructor(options: RpcConnectionOptions) {
    this.#options = options;
    this.#connection = options.connection;
    this.connectionId = options.id;
    this.remote = options.connection.remote;
    this.#logger = options.logger;
    this.handlers = {
      onMessage: (parts) => this.#receive(parts),
      onDrain: () => this.#pump(),
      onClose: () => this.#ended(),
    };
  }

  get closed(): boolean {
    return this.#closed;
  }

  onClose(fn: () => void): void {
    if (this.#closed) fn();
    else this.#closeListeners.push(fn);
  }

  #receive(parts: Uint8Array[]): void {
    try {
      const bytes = parts.reduce((sum, part) => sum + part.length, 0);
      this.#waiting.push({ frame: decodeRequestHeader(parts), bytes });
    } catch (error) {
      this.#reject(error as Error);
      return;
    }
    this.#pump();
  }

  /** Starts what the limits let start. */
  #pump(): void {
    while (this.#startsLeft > 0 && !this.#closed && this.#belowLimits()) {
      const request = this.#waiting.shift();
      if (request === undefined) break;
      this.#startsLeft -= 1;
      if (this.#startsLeft === 0) this.#options.timers.soon(() => this.#nextTurn());
      this.#start(request);
    }
    const reading = this.#waiting.length === 0 && this.#belowLimits();
    if (reading === this.#reading || this.#closed) return;
    this.#reading = reading;
    this.#connection.setReading(reading);
  }

  #nextTurn(): void {
    this.#startsLeft = STARTS_PER_TURN;
    this.#pump();
  }

  #start({ frame, bytes }: Request): void {
    this.#inFlightRequests += 1;
    this.#inFlightBytes += bytes;
    void this.#serve(frame).then((response) => {
      this.#inFlightRequests -= 1;
      this.#inFlightBytes -= bytes;
      if (response !== undefined && !this.#closed) this.#connection.send(response);
      this.#pump();
    });
  }

  #belowLimits(): boolean {
    const { inFlightRequestsMax, inFlightBytesMax, bufferedBytesMax } = this.#options.limits;
    return (
      this.#inFlightRequests < inFlightRequestsMax &&
      this.#inFlightBytes < inFlightBytesMax &&
      this.#connection.bufferedBytes <= bufferedBytesMax
    );
  }

  /** Starts the handler before it returns, so that requests start in order. Never rejects. */
  async #serve(frame: RequestFrame): Promise<Uint8Array[] | undefined> {
    const { apiVersion, correlationId, clientId } = frame;
    try {
      const { api, handler } = this.#routeOf(frame);
      const request = decodeRequestBody(api, frame);
      const response = await handler(request, { caller: this, clientId, apiVersion });
      return response === undefined ? undefined : encodeResponse(api, correlationId, response);
    } catch (error) {
      return this.#failure(frame, error as Error);
    }
  }

  #failure({ apiKey, apiVersion, correlationId, clientId }: RequestFrame, error: Error): Uint8Array[] {
    const errorCode = codeOf(error);
    const fields = { remote: this.remote, clientId, apiKey, apiVersion, err: error };
    if (errorCode === ERROR_CODE.UNKNOWN_SERVER_ERROR) this.#logger.error(fields, 'A request handler failed');
    else if (error instanceof ProtocolError) this.#logger.warn(fields, 'A message breaks the protocol');
    else this.#logger.debug(fields, 'A request was refused');
    return encodeResponse(RpcFailure, ~correlationId, {
      errorCode,
      errorMessage: error.message.slice(0, ERROR_MESSAGE_CHARS_MAX),
    });
  }

  #routeOf({ apiKey, apiVersion }: RequestFrame): Route {
    const route = this.#options.routes.get(apiKey);
    if (route === undefined) throw new KafkaError('UNSUPPORTED_VERSION', `API ${apiKey} is not served`);
    const { name, minVersion, maxVersion } = route.api;
    if (apiVersion < minVersion || apiVersion > maxVersion) {
      const served = `${minVersion} to ${maxVersion}`;
      throw new KafkaError(
        'UNSUPPORTED_VERSION',
        `${name} is served in versions ${served}, not ${apiVersion}`,
      );
    }
    return route;
  }

  /** A frame that cannot be answered, since it does not even say whom to. */
  #reject(error: Error): void {
    this.#logger.warn({ remote: this.remote, err: error }, 'A connection is closed for a malformed frame');
    this.#connection.close(`malformed frame: ${error.message}`);
  }

  #ended(): void {
    this.#closed = true;
    this.#waiting.length = 0;
    this.#options.onClose();
    for (const fn of this.#closeListeners.splice(0)) fn();
  }
}
