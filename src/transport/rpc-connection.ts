import type { Connection, ConnectionHandlers, Logger, Timers } from '../platform/ports.ts';
import { agreedVersion } from '../protocol/catalogue-version.ts';
import { codeOf, ERROR_CODE, KafkaError } from '../protocol/errors.ts';
import { ProtocolError } from '../protocol/protocol-error.ts';
import type { AnyApi } from '../protocol/schema.ts';
import type { ApiEvents, RpcEvents } from './rpc-events.ts';
import type { Caller, Route } from './rpc-route.ts';
import type { Wire, WireRequest } from './wire.ts';

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
  readonly wire: Wire;
  /** What is served on this wire. */
  readonly routes: ReadonlyMap<number, Route>;
  /** The version of the catalogue that this server speaks. */
  readonly catalogueVersion: number;
  readonly limits: RpcLimits;
  readonly events: RpcEvents;
  readonly logger: Logger;
  readonly timers: Timers;
  readonly onClose: () => void;
}

interface Waiting {
  readonly request: WireRequest;
  readonly bytes: number;
  /** On the meter's clock. */
  readonly receivedAt: number;
}

/** What becomes of a request: nothing is sent (`acks=0`), or the connection ends because of it. */
type Outcome = Uint8Array[] | 'nothing' | 'close';

/** A request that was started. */
interface Started {
  outcome: Outcome | undefined;
  /** Undefined where the API is not served. */
  events: ApiEvents | undefined;
  /** When the handler was through, on the meter's clock. */
  answeredAt: number;
  reservedBytes: number;
}

/** The server's side of one connection: from frames to handlers and back. */
export class RpcConnection implements Caller {
  readonly connectionId: number;
  readonly remote: string;
  readonly listener: Wire['name'];
  readonly handlers: ConnectionHandlers;
  readonly #options: RpcConnectionOptions;
  readonly #connection: Connection;
  readonly #logger: Logger;
  readonly #closeListeners: (() => void)[] = [];
  /** Received, and not started because of a limit. */
  readonly #waiting: Waiting[] = [];
  /** On an ordered wire: started, in the order of the requests, and not sent. */
  readonly #unsent: Started[] = [];
  /** Bytes of answers that wait for those before them. */
  #unsentBytes = 0;
  /** What answers under way may come to, as far as their handlers said. */
  #reservedBytes = 0;
  /** The request in flight wants to be alone. */
  #isExclusive = false;
  #startsLeft = STARTS_PER_TURN;
  #inFlightRequests = 0;
  #inFlightBytes = 0;
  #reading = true;
  #closed = false;
  #catalogueVersion: number;

  constructor(options: RpcConnectionOptions) {
    this.#options = options;
    this.#connection = options.connection;
    this.connectionId = options.id;
    this.remote = options.connection.remote;
    this.listener = options.wire.name;
    this.#logger = options.logger;
    this.#catalogueVersion = options.catalogueVersion;
    this.handlers = {
      onMessage: (parts) => this.#receive(parts),
      onDrain: () => this.#pump(),
      onClose: () => this.#ended(),
    };
  }

  get closed(): boolean {
    return this.#closed;
  }

  get catalogueVersion(): number {
    return this.#catalogueVersion;
  }

  agreeOn(catalogueVersion: number): void {
    this.#catalogueVersion = agreedVersion(this.#options.catalogueVersion, catalogueVersion);
  }

  /** Received, and not started because of a limit. */
  get waitingRequests(): number {
    return this.#waiting.length;
  }

  get inFlightRequests(): number {
    return this.#inFlightRequests;
  }

  /** Bytes of answers that the caller has not read. */
  get bufferedBytes(): number {
    return this.#connection.bufferedBytes + this.#unsentBytes;
  }

  onClose(fn: () => void): void {
    if (this.#closed) fn();
    else this.#closeListeners.push(fn);
  }

  close(reason: string): void {
    this.#connection.close(reason);
  }

  #receive(parts: Uint8Array[]): void {
    try {
      const bytes = parts.reduce((sum, part) => sum + part.length, 0);
      const { events, wire } = this.#options;
      events.bytesReceived.add(bytes);
      this.#waiting.push({ request: wire.open(parts), bytes, receivedAt: events.meter.now() });
    } catch (error) {
      this.#reject(error as Error);
      return;
    }
    this.#pump();
  }

  /** Starts what the limits let start. */
  #pump(): void {
    while (this.#startsLeft > 0 && !this.#closed && this.#belowLimits()) {
      const next = this.#waiting[0];
      if (next === undefined || !this.#mayStart(next.request)) break;
      this.#waiting.shift();
      this.#startsLeft -= 1;
      if (this.#startsLeft === 0) this.#options.timers.soon(() => this.#nextTurn());
      this.#start(next);
    }
    const reading = this.#waiting.length === 0 && this.#belowLimits();
    if (reading === this.#reading || this.#closed) return;
    this.#reading = reading;
    this.#connection.setReading(reading);
    if (!reading) this.#options.events.throttles.add();
  }

  #nextTurn(): void {
    this.#startsLeft = STARTS_PER_TURN;
    this.#pump();
  }

  #mayStart(request: WireRequest): boolean {
    return this.#inFlightRequests === 0 || (!this.#isExclusive && request.mayOverlap());
  }

  #start({ request, bytes, receivedAt }: Waiting): void {
    this.#inFlightRequests += 1;
    this.#inFlightBytes += bytes;
    this.#isExclusive = !request.mayOverlap();
    const started: Started = { outcome: undefined, events: undefined, answeredAt: 0, reservedBytes: 0 };
    if (this.#options.wire.isOrdered) this.#unsent.push(started);
    void this.#serve(request, receivedAt, started).then((outcome) => {
      this.#inFlightRequests -= 1;
      this.#inFlightBytes -= bytes;
      if (this.#options.wire.isOrdered) this.#finishInOrder(started, outcome);
      else this.#finish(started, outcome);
      // The answer is with the connection by now, or counted among those that wait.
      this.#reserve(started, 0);
      this.#pump();
    });
  }

  #reserve(started: Started, bytesMax: number): number {
    const others = this.#reservedBytes - started.reservedBytes;
    const free = this.#options.limits.bufferedBytesMax - this.bufferedBytes - others;
    started.reservedBytes = Math.max(0, Math.min(bytesMax, free));
    this.#reservedBytes = others + started.reservedBytes;
    return started.reservedBytes;
  }

  #finishInOrder(started: Started, outcome: Outcome): void {
    started.outcome = outcome;
    this.#unsentBytes += bytesOf(outcome);
    for (let first = this.#unsent[0]; first?.outcome !== undefined; first = this.#unsent[0]) {
      this.#unsent.shift();
      this.#unsentBytes -= bytesOf(first.outcome);
      this.#finish(first, first.outcome);
    }
  }

  #finish({ events: seen, answeredAt }: Started, outcome: Outcome): void {
    if (this.#closed || outcome === 'nothing') return;
    if (outcome === 'close') {
      this.#connection.close('a request could not be answered');
      return;
    }
    this.#connection.send(outcome);
    const { events } = this.#options;
    events.bytesSent.add(bytesOf(outcome));
    seen?.sendSeconds.observe(events.meter.now() - answeredAt);
  }

  #belowLimits(): boolean {
    const { inFlightRequestsMax, inFlightBytesMax, bufferedBytesMax } = this.#options.limits;
    return (
      this.#inFlightRequests < inFlightRequestsMax &&
      this.#inFlightBytes < inFlightBytesMax &&
      this.bufferedBytes + this.#reservedBytes < bufferedBytesMax
    );
  }

  /** Starts the handler before it returns, so that requests start in order. Never rejects. */
  async #serve(request: WireRequest, receivedAt: number, started: Started): Promise<Outcome> {
    const { events, routes } = this.#options;
    const { meter } = events;
    const startedAt = meter.now();
    const route = routes.get(request.apiKey);
    try {
      const { api, handler } = this.#checkServed(route, request);
      const seen = events.of(api);
      started.events = seen;
      seen.requests.add();
      seen.queueSeconds.observe(startedAt - receivedAt);
      const { clientId, apiVersion } = request;
      const reserveAnswer = (bytesMax: number) => this.#reserve(started, bytesMax);
      const context = { caller: this, clientId, apiVersion, reserveAnswer };
      const response = await handler(request.decode(api), context);
      started.answeredAt = meter.now();
      seen.handleSeconds.observe(started.answeredAt - startedAt);
      if (response === undefined) return 'nothing';
      events.answered(api, response);
      return request.encode(api, response, this.#catalogueVersion);
    } catch (error) {
      started.answeredAt = meter.now();
      return this.#failure(request, error as Error, route?.api);
    }
  }

  #failure(request: WireRequest, error: Error, api: AnyApi | undefined): Outcome {
    const { apiKey, apiVersion, clientId } = request;
    const code = codeOf(error);
    this.#options.events.failed(api, code);
    const message = error.message.slice(0, ERROR_MESSAGE_CHARS_MAX);
    const answer = request.encodeRefusal({ code, message }, api, this.#catalogueVersion);
    const fields = { remote: this.remote, clientId, apiKey, apiVersion };
    if (code === ERROR_CODE.UNKNOWN_SERVER_ERROR)
      this.#logger.error({ ...fields, err: error }, 'A request handler failed');
    else if (error instanceof ProtocolError)
      this.#logger.warn({ ...fields, err: error }, 'A message breaks the protocol');
    else if (answer === undefined)
      this.#logger.warn(
        { ...fields, reason: message },
        'A connection is closed for a request without answer',
      );
    else this.#logger.debug({ ...fields, err: error }, 'A request was refused');
    return answer ?? 'close';
  }

  #checkServed(route: Route | undefined, { apiKey, apiVersion }: WireRequest): Route {
    const range = route && this.#options.wire.servedVersions(route.api);
    if (route === undefined || range === undefined)
      throw new KafkaError('UNSUPPORTED_VERSION', `API ${apiKey} is not served`);
    const [min, max] = range;
    if (apiVersion < min || apiVersion > max) {
      const { name } = route.api;
      throw new KafkaError(
        'UNSUPPORTED_VERSION',
        `${name} is served in versions ${min} to ${max}, not ${apiVersion}`,
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
    this.#unsent.length = 0;
    this.#options.onClose();
    for (const fn of this.#closeListeners.splice(0)) fn();
  }
}

function bytesOf(outcome: Outcome): number {
  return typeof outcome === 'string' ? 0 : outcome.reduce((sum, part) => sum + part.length, 0);
}
