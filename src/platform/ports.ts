/**
 * The ports: everything a node or a client asks of the world outside it. Each has a Node.js implementation in
 * this folder (or, for the network, in `transport/`) and a simulated twin in `chaos/sim/`. Nothing else in
 * `src/` reads a clock, sets a timer, draws a random number, opens a file or a socket.
 */

export interface Clock {
  /** Milliseconds since the Unix epoch. May jump; use it for record timestamps and logs alone. */
  wallMs(): number;
  /** Milliseconds since an arbitrary start. Never goes back; use it for every timeout and interval. */
  monotonicMs(): number;
}

/** An opaque handle of one pending timer. */
export type Timer = { readonly timer: unknown };

export interface Timers {
  /** Runs `fn` once, `delayMs` (>= 0) from now. */
  set(delayMs: number, fn: () => void): Timer;
  /** Cancels a timer; a timer that already fired is ignored. */
  clear(timer: Timer): void;
  /** Runs `fn` in a later turn of the event loop, after pending I/O had its chance (`setImmediate`). */
  soon(fn: () => void): void;
}

export interface Random {
  /** A float in [0, 1). */
  float(): number;
  /** `length` random bytes, fit for identifiers. */
  bytes(length: number): Uint8Array;
}

/** Why a connection ended. `code` is stable: `refused`, `timeout`, `closed`, `reset`, `protocol`, `unreachable`. */
export interface CloseReason {
  readonly code: 'refused' | 'timeout' | 'closed' | 'reset' | 'protocol' | 'unreachable';
  readonly message: string;
}

/**
 * One message-oriented, ordered, reliable connection (a WebSocket). A message is a list of parts; the receiver may
 * see other part boundaries than the sender wrote, so decode by lengths, never by part.
 */
export interface Connection {
  /** The address of the other side, for logs. */
  readonly remote: string;
  /** Bytes accepted by `send` that the kernel has not taken yet. */
  readonly bufferedBytes: number;
  /** Queues one message. The parts are not copied: do not change them afterwards. A closed connection drops it. */
  send(parts: readonly Uint8Array[]): void;
  /** Stops (or resumes) delivering messages, so that the kernel pushes back on the sender. */
  setReading(reading: boolean): void;
  close(reason?: string): void;
}

/** Callbacks of one connection. `onClose` is called exactly once, also when connecting failed; nothing follows it. */
export interface ConnectionHandlers {
  /** The dialed connection stands. Not called on the accepting side, where it stands from the start. */
  onOpen?(): void;
  onMessage(parts: Uint8Array[]): void;
  /** `bufferedBytes` fell back to (almost) nothing after it had been above it. */
  onDrain?(): void;
  onClose(reason: CloseReason): void;
}

export interface HttpAnswer {
  readonly status: number;
  readonly body: string;
  /** Plain text unless set. */
  readonly contentType?: string;
}

export interface ListenOptions {
  readonly host: string;
  /** 0 picks a free port; read it back from `Listener.port`. */
  readonly port: number;
  readonly messageBytesMax: number;
  readonly connectionsMax: number;
  /** Answers plain HTTP GET requests (health checks, metrics); `undefined` is 404. */
  onHttp?(path: string): HttpAnswer | undefined | Promise<HttpAnswer | undefined>;
  /** A connection was refused before it stood. */
  onRefused?(reason: 'connectionsMax' | 'origin'): void;
  /** A peer or client connected; returns the handlers of its connection. */
  onConnection(connection: Connection): ConnectionHandlers;
}

export interface Listener {
  readonly port: number;
  /** Stops accepting and closes every accepted connection. */
  close(): Promise<void>;
}

/** What a client needs: it opens connections (`ws://host:port`) and never accepts any. */
export interface Dialer {
  /**
   * Set where connections cannot find out by themselves that their peer vanished (in browsers): whoever has waited for
   * answers this long without any sign of life then asks for one.
   */
  readonly silenceMsMax?: number;
  connect(
    url: string,
    options: { readonly messageBytesMax: number; readonly connectTimeoutMs: number },
    handlers: ConnectionHandlers,
  ): Connection;
}

/** What a server needs: it accepts connections. */
export interface Acceptor {
  listen(options: ListenOptions): Promise<Listener>;
}

export interface Network extends Dialer, Acceptor {}

/** One open file. Concurrent reads are fine; writes and truncations of one file are the caller's to order. */
export interface DiskFile {
  /** Up to `length` bytes at `position`; shorter only at the end of the file. */
  read(position: number, length: number): Promise<Uint8Array>;
  /** Writes all parts one after the other at `position` (short writes are completed). Not durable until `sync`. */
  write(position: number, parts: readonly Uint8Array[]): Promise<void>;
  /** fdatasync. After a failure the state of the file is unknown: the caller must end the process, never retry. */
  sync(): Promise<void>;
  truncate(length: number): Promise<void>;
  size(): Promise<number>;
  close(): Promise<void>;
}

/** Paths are absolute or relative to the process, with `/`. Errors are `DiskError`. */
export interface Disk {
  /** Opens for reading and writing; creates an empty file when there is none and `create` is set. */
  open(path: string, options?: { readonly create?: boolean }): Promise<DiskFile>;
  /** Creates the folder and its parents. */
  mkdir(path: string): Promise<void>;
  /** Names in a folder, sorted; a missing folder is a `DiskError` with code `ENOENT`. */
  readDir(path: string): Promise<string[]>;
  exists(path: string): Promise<boolean>;
  rename(from: string, to: string): Promise<void>;
  /** Removes a file or a folder with all in it; a missing one is fine. */
  remove(path: string): Promise<void>;
  /** Makes created, renamed and removed entries of a folder durable. */
  syncDir(path: string): Promise<void>;
  /** Identifies this boot of the machine: what the page cache held is gone exactly when it changed. */
  bootId(): Promise<string>;
}

/** A disk operation failed. `code` is the errno name (`ENOENT`, `ENOSPC`, `EIO`, ...). */
export class DiskError extends Error {
  override readonly name = 'DiskError';
  readonly code: string;
  readonly path: string;
  constructor(code: string, path: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.path = path;
  }
}

/** The structured log, shaped like pino's: an object of ids first, then one fixed sentence. */
export interface Logger {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
  child(fields: object): Logger;
}

/** One metric, as the layer that records it declares it: the data behind the table in docs/operations.md. */
export interface Metric {
  /** `odradek_..._<unit>`; counters end in `_total` (Prometheus' naming conventions). */
  readonly name: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  /** What it tells, in one line. */
  readonly help: string;
  /** When an operator should look closer. */
  readonly worry?: string;
  /** Label names; values are given in this order. */
  readonly labels?: readonly string[];
  /** Upper bounds of a histogram's buckets, ascending. */
  readonly buckets?: readonly number[];
}

export interface Counter {
  add(amount?: number): void;
}

export interface Histogram {
  observe(value: number): void;
}

/** Reports one series at a scrape: a counter's total or a gauge's value, of these label values. */
export type Sample = (metric: Metric, value: number, ...labels: readonly string[]) => void;

/**
 * Where shells count what they do. Ask for a counter or histogram once and keep it: recording is then a few additions.
 * What can be read from state that exists anyway is read at each scrape, and costs nothing between two of them.
 */
export interface Meter {
  counter(metric: Metric, ...labels: readonly string[]): Counter;
  histogram(metric: Metric, ...labels: readonly string[]): Histogram;
  /** `collect` runs at each scrape, and reports what there is to see then. */
  onScrape(collect: (sample: Sample) => void | Promise<void>): void;
  /** All there is to see now, in Prometheus' text format. */
  scrape(): Promise<{ readonly contentType: string; readonly body: string }>;
  /** Seconds since an arbitrary start, for durations to observe. 0 where nobody looks: never decide by it. */
  now(): number;
}

export interface Platform {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  readonly network: Network;
  /** Accepts Kafka's own clients, over TCP; left out where nobody needs it (simulations). */
  readonly kafkaNetwork?: Acceptor;
  readonly disk: Disk;
  readonly logger: Logger;
  /** Without one nothing is measured. */
  readonly meter?: Meter;
  /** A broken invariant or a disk that lies: report and end the process at once, without a graceful stop. */
  crash(error: Error): never;
}
