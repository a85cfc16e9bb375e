import { type Deadline, Deadlines } from '../platform/deadlines.ts';
import type {
  Clock,
  CloseReason,
  Connection,
  ConnectionHandlers,
  Dialer,
  Timer,
  Timers,
} from '../platform/ports.ts';
import { agreedVersion, CATALOGUE_VERSION, OLDEST_CATALOGUE_VERSION } from '../protocol/catalogue-version.ts';
import {
  decodeResponseBody,
  decodeResponseHeader,
  encodeRequest,
  type ResponseFrame,
} from '../protocol/codec.ts';
import { errorFor } from '../protocol/errors.ts';
import { ApiVersions, type ApiVersionsResponse } from '../protocol/messages/api-versions.ts';
import type { AnyApi, Api } from '../protocol/schema.ts';
import { RpcError, RpcFailure } from './rpc-error.ts';

export interface RpcClientOptions {
  readonly dialer: Dialer;
  readonly clock: Clock;
  readonly timers: Timers;
  /** `ws://host:port` */
  readonly url: string;
  readonly clientId: string | null;
  /** The version of the catalogue to speak; the newest by default. */
  readonly catalogueVersion?: number;
  /** Opening the connection and agreeing on versions. */
  readonly connectTimeoutMs?: number;
  /** How long a call waits for its answer, where it does not say; queueing and connecting included. */
  readonly requestTimeoutMs?: number;
  readonly responseBytesMax?: number;
  /** Requests sent and not answered; more of them queue up. */
  readonly inFlightRequestsMax?: number;
  readonly queuedRequestsMax?: number;
  /** Nothing is sent while the connection buffers more than this. */
  readonly bufferedBytesMax?: number;
  /** The node that has to answer there: a connection to any other is closed. Unset: whoever answers. */
  readonly serverId?: number;
  /** A connection stands, and versions are agreed on. */
  readonly onOpen?: () => void;
  /** A connection that stood (`wasOpen`), or was being opened, ended. The next call opens another. */
  readonly onClose?: (reason: CloseReason, wasOpen: boolean) => void;
}

const DEFAULTS = {
  catalogueVersion: CATALOGUE_VERSION,
  connectTimeoutMs: 5000,
  requestTimeoutMs: 30_000,
  responseBytesMax: 128 * 2 ** 20,
  inFlightRequestsMax: 64,
  queuedRequestsMax: 10_000,
  bufferedBytesMax: 8 * 2 ** 20,
};

const SOFTWARE_NAME = 'odradek';
/** Of the question what the server serves: the first one of a connection, and any that only asks for a sign of life. */
const HELLO_CORRELATION_ID = 0;
/** Silent intervals after which a connection counts as half-open: one to ask in, the others to answer in. */
const SILENT_INTERVALS_MAX = 3;
const CORRELATION_ID_MAX = 2 ** 31 - 1;

/** A call on its way: queued, or sent and waiting for its answer. */
interface Call {
  readonly api: AnyApi;
  readonly request: unknown;
  readonly answered: boolean;
  readonly deadline: Deadline;
  readonly resolve: (response: unknown) => void;
  readonly reject: (error: Error) => void;
  correlationId: number | undefined;
}

interface Session {
  readonly connection: Connection;
  /** What the server serves; until that is known, calls queue up. */
  served: ReadonlyMap<number, { readonly minVersion: number; readonly maxVersion: number }> | undefined;
  /** What both ends speak. */
  catalogueVersion: number;
  /** Something was received since the last look. */
  heard: boolean;
  /** What the connection buffered at the last look. */
  bufferedBytes: number;
  silentIntervals: number;
}

/**
 * Calls to one address over one connection. It connects at the first call and again at the first call after the
 * connection was lost; when to retry, and where, is for the caller to decide. Requests are sent in the order of the
 * calls, and answers come as they are ready.
 */
export class RpcClient {
  readonly url: string;
  readonly #options: RpcClientOptions & typeof DEFAULTS;
  readonly #queue: Call[] = [];
  readonly #inFlight = new Map<number, Call>();
  readonly #deadlines: Deadlines;
  #session: Session | undefined;
  #nextCorrelationId = 1;
  #closed = false;

  constructor(options: RpcClientOptions) {
    this.url = options.url;
    this.#options = { ...DEFAULTS, ...options };
    this.#deadlines = new Deadlines(options.clock, options.timers);
  }

  /** The connection stands and versions are agreed on. */
  get connected(): boolean {
    return this.#session?.served !== undefined;
  }

  /** Calls that are queued or wait for their answers. */
  get pendingRequests(): number {
    return this.#queue.length + this.#inFlight.size;
  }

  /** Sends a request and waits for its answer. Rejects with `RpcError`, `KafkaError` or `ProtocolError`. */
  call<Request, Response>(
    api: Api<Request, Response>,
    request: Request,
    options?: { readonly timeoutMs?: number },
  ): Promise<Response> {
    return this.#enqueue(api, request, true, options?.timeoutMs) as Promise<Response>;
  }

  /** Sends a request that gets no answer (`acks=0`); resolves once the connection took it. */
  async send<Request>(
    api: Api<Request, unknown>,
    request: Request,
    options?: { readonly timeoutMs?: number },
  ): Promise<void> {
    await this.#enqueue(api, request, false, options?.timeoutMs);
  }

  /** Ends the connection; every call under way rejects. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#session?.connection.close('the client is closing');
    this.#session = undefined;
    this.#failAll((sent) => new RpcError('closed', `the client of ${this.url} was closed`, sent));
  }

  #enqueue(api: AnyApi, request: unknown, answered: boolean, timeoutMs = this.#options.requestTimeoutMs) {
    return new Promise<unknown>((resolve, reject) => {
      if (this.#closed) throw new RpcError('closed', `the client of ${this.url} is closed`);
      if (this.#queue.length >= this.#options.queuedRequestsMax) {
        throw new RpcError('overloaded', `${this.#queue.length} calls wait for ${this.url} already`);
      }
      const deadline = this.#deadlines.set(timeoutMs, () => this.#expire(call, timeoutMs));
      const call: Call = { api, request, answered, deadline, resolve, reject, correlationId: undefined };
      this.#queue.push(call);
      if (this.#session === undefined) this.#connect();
      this.#pump();
    });
  }

  #connect(): void {
    const { timers, connectTimeoutMs } = this.#options;
    let session: Session | undefined;
    const deadline = timers.set(connectTimeoutMs, () => session && this.#abandon(session));
    const handlers: ConnectionHandlers = {
      onMessage: (parts) => {
        if (session !== undefined && session === this.#session) this.#receive(session, parts, deadline);
      },
      onDrain: () => this.#pump(),
      onClose: (reason) => {
        timers.clear(deadline);
        if (session === this.#session) this.#disconnected(reason);
      },
    };
    try {
      const connection = this.#dial(handlers);
      const { catalogueVersion } = this.#options;
      const quiet = { heard: false, bufferedBytes: 0, silentIntervals: 0 };
      session = { connection, served: undefined, catalogueVersion, ...quiet };
    } catch (error) {
      // Not an address: no dialer would ever connect to it.
      handlers.onClose({ code: 'unreachable', message: (error as Error).message });
      return;
    }
    this.#session = session;
    this.#sayHello(session);
  }

  #sayHello({ connection }: Session): void {
    const { clientId, catalogueVersion } = this.#options;
    const hello = {
      clientSoftwareName: SOFTWARE_NAME,
      clientSoftwareVersion: String(catalogueVersion),
      catalogueVersion,
    };
    const { maxVersion } = ApiVersions;
    // In the words of the oldest: whom it reaches is not known yet.
    const version = OLDEST_CATALOGUE_VERSION;
    connection.send(encodeRequest(ApiVersions, maxVersion, HELLO_CORRELATION_ID, clientId, hello, version));
  }

  /** Looks for signs of life while answers are awaited; without any it asks for one, and then gives up. */
  #watch(session: Session, silenceMsMax: number): void {
    this.#options.timers.set(silenceMsMax, () => {
      if (session !== this.#session) return;
      // A queue that shrinks proves life as well as an answer does.
      const { bufferedBytes } = session.connection;
      const alive = session.heard || bufferedBytes < session.bufferedBytes || this.#inFlight.size === 0;
      session.silentIntervals = alive ? 0 : session.silentIntervals + 1;
      session.heard = false;
      session.bufferedBytes = bufferedBytes;
      if (session.silentIntervals >= SILENT_INTERVALS_MAX) {
        const silentMs = session.silentIntervals * silenceMsMax;
        this.#drop(session, { code: 'timeout', message: `nothing heard from it for ${silentMs} ms` });
        return;
      }
      if (session.silentIntervals === 1) this.#sayHello(session);
      this.#watch(session, silenceMsMax);
    });
  }

  #dial(handlers: ConnectionHandlers): Connection {
    const { dialer, connectTimeoutMs, responseBytesMax } = this.#options;
    return dialer.connect(this.url, { messageBytesMax: responseBytesMax, connectTimeoutMs }, handlers);
  }

  /** Sends what may be sent now. */
  #pump(): void {
    const { inFlightRequestsMax, bufferedBytesMax } = this.#options;
    const session = this.#session;
    while (session?.served !== undefined && session === this.#session) {
      if (this.#inFlight.size >= inFlightRequestsMax || session.connection.bufferedBytes > bufferedBytesMax)
        return;
      const call = this.#queue.shift();
      if (call === undefined) return;
      this.#transmit(session, session.served, call);
    }
  }

  #transmit(session: Session, served: NonNullable<Session['served']>, call: Call): void {
    const { api } = call;
    const range = served.get(api.key);
    const version = Math.min(api.maxVersion, range?.maxVersion ?? -1);
    if (range === undefined || version < Math.max(api.minVersion, range.minVersion)) {
      this.#fail(
        call,
        new RpcError('unsupported-version', `${this.url} serves no version of ${api.name} that we know`),
      );
      return;
    }
    const correlationId = this.#nextCorrelationId;
    this.#nextCorrelationId = correlationId === CORRELATION_ID_MAX ? 1 : correlationId + 1;
    let parts: Uint8Array[];
    try {
      const { clientId } = this.#options;
      parts = encodeRequest(api, version, correlationId, clientId, call.request, session.catalogueVersion);
    } catch (error) {
      this.#fail(call, error as Error);
      return;
    }
    if (call.answered) {
      call.correlationId = correlationId;
      this.#inFlight.set(correlationId, call);
    }
    session.connection.send(parts);
    if (!call.answered) this.#complete(call, undefined);
  }

  #receive(session: Session, parts: Uint8Array[], deadline: Timer): void {
    session.heard = true;
    try {
      const frame = decodeResponseHeader(parts);
      if (session.served === undefined) {
        this.#options.timers.clear(deadline);
        this.#agree(session, frame);
      } else if (frame.correlationId < 0) {
        const call = this.#take(~frame.correlationId);
        const { errorCode, errorMessage } = decodeResponseBody(RpcFailure, frame);
        if (call !== undefined) this.#fail(call, errorFor(errorCode, errorMessage));
      } else {
        this.#answer(frame);
      }
    } catch (error) {
      this.#drop(session, {
        code: 'protocol',
        message: `${this.url} answered nonsense: ${(error as Error).message}`,
      });
      return;
    }
    this.#pump();
  }

  /** The answer to `ApiVersions` opens the session. */
  #agree(session: Session, frame: ResponseFrame): void {
    if (frame.correlationId !== HELLO_CORRELATION_ID)
      throw new Error('the first answer is not the one to ApiVersions');
    const answer: ApiVersionsResponse = decodeResponseBody(ApiVersions, frame);
    if (answer.errorCode !== 0) throw errorFor(answer.errorCode);
    this.#checkServer(answer.nodeId);
    session.served = new Map(answer.apiKeys.map((range) => [range.apiKey, range]));
    session.catalogueVersion = agreedVersion(this.#options.catalogueVersion, answer.catalogueVersion);
    const { silenceMsMax } = this.#options.dialer;
    if (silenceMsMax !== undefined) this.#watch(session, silenceMsMax);
    this.#options.onOpen?.();
  }

  /** An address may have been given to another node since. */
  #checkServer(nodeId = -1): void {
    const { serverId } = this.#options;
    if (serverId === undefined || nodeId < 0 || nodeId === serverId) return;
    throw new Error(`node ${nodeId} is there, not node ${serverId}`);
  }

  #answer(frame: ResponseFrame): void {
    const call = this.#take(frame.correlationId);
    // An answer to a call that timed out; its schema went with the call.
    if (call === undefined) return;
    try {
      this.#complete(call, decodeResponseBody(call.api, frame));
    } catch (error) {
      this.#fail(call, error as Error);
      throw error;
    }
  }

  #take(correlationId: number): Call | undefined {
    const call = this.#inFlight.get(correlationId);
    this.#inFlight.delete(correlationId);
    return call;
  }

  #expire(call: Call, timeoutMs: number): void {
    const sent = call.correlationId !== undefined;
    if (call.correlationId !== undefined) this.#inFlight.delete(call.correlationId);
    else this.#queue.splice(this.#queue.indexOf(call), 1);
    call.reject(
      new RpcError('timeout', `${call.api.name} to ${this.url} took longer than ${timeoutMs} ms`, sent),
    );
    this.#pump();
  }

  /** The connection stands, yet nobody answered `ApiVersions`. */
  #abandon(session: Session): void {
    if (session === this.#session && session.served === undefined) {
      this.#drop(session, { code: 'timeout', message: 'the server did not say what it serves in time' });
    }
  }

  #drop(session: Session, reason: CloseReason): void {
    session.connection.close(reason.message);
    if (session === this.#session) this.#disconnected(reason);
  }

  #disconnected(reason: CloseReason): void {
    const wasOpen = this.connected;
    this.#session = undefined;
    const message = `no connection to ${this.url}: ${reason.message} (${reason.code})`;
    this.#failAll((sent) => new RpcError('disconnected', message, sent, reason));
    if (!this.#closed) this.#options.onClose?.(reason, wasOpen);
  }

  #failAll(errorOf: (sent: boolean) => RpcError): void {
    this.#deadlines.clear();
    const sent = [...this.#inFlight.values()];
    this.#inFlight.clear();
    for (const call of sent) call.reject(errorOf(true));
    for (const call of this.#queue.splice(0)) call.reject(errorOf(false));
  }

  #complete(call: Call, response: unknown): void {
    this.#deadlines.lift(call.deadline);
    call.resolve(response);
  }

  #fail(call: Call, error: Error): void {
    this.#deadlines.lift(call.deadline);
    call.reject(error);
  }
}
