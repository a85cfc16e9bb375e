import type { CloseReason, Connection, ConnectionHandlers, Dialer } from '../platform/ports.ts';
import { closeText, reasonOfCode } from './close-reason.ts';
import { concatenate, totalBytes } from './ws-fragments.ts';

/** How long whoever waits for answers bears silence. A browser sends no pings and tells of none that it answered. */
const SILENCE_MS_MAX = 3000;
/** A browser does not say when its buffer has drained; it is looked at this often while somebody waits for that. */
const DRAIN_CHECK_MS = 5;

/**
 * From this size on, a message is handed over as a Blob of its parts. Below, one copy is cheaper: a Blob takes a detour
 * over another process (measured in Chromium: 65 KiB in 0.25 ms by copy, 0.7 ms by Blob; 1 MiB in 20 and 5 ms).
 */
const BLOB_BYTES_MIN = 256 * 1024;

interface ConnectOptions {
  readonly messageBytesMax: number;
  readonly connectTimeoutMs: number;
}

/** Opens connections with the browser's own `WebSocket`, in pages and in workers. */
export class WebSocketDialer implements Dialer {
  readonly silenceMsMax = SILENCE_MS_MAX;

  connect(url: string, options: ConnectOptions, handlers: ConnectionHandlers): Connection {
    return new WebSocketConnection(url, options, handlers);
  }
}

class WebSocketConnection implements Connection {
  readonly remote: string;
  readonly #ws: WebSocket;
  readonly #handlers: ConnectionHandlers;
  readonly #messageBytesMax: number;
  readonly #deadline: ReturnType<typeof setTimeout>;
  /** Sent while connecting. */
  #unsent: (readonly Uint8Array[])[] = [];
  /** A browser cannot be told to stop receiving: what comes meanwhile waits here. */
  #undelivered: Uint8Array[] = [];
  #reading = true;
  #opened = false;
  #ended = false;
  #drainCheck: ReturnType<typeof setTimeout> | undefined;
  /** What ended the connection, when that was known before the socket closed. */
  #cause: CloseReason | undefined;

  constructor(url: string, options: ConnectOptions, handlers: ConnectionHandlers) {
    this.remote = url;
    this.#handlers = handlers;
    this.#messageBytesMax = options.messageBytesMax;
    const ws = new WebSocket(url);
    this.#ws = ws;
    ws.binaryType = 'arraybuffer';
    ws.addEventListener('open', () => this.#open());
    ws.addEventListener('message', ({ data }) => this.#receive(data));
    // It says nothing that the close after it does not.
    ws.addEventListener('error', () => {});
    ws.addEventListener('close', ({ code, reason }) => this.#closed(code, reason));
    const { connectTimeoutMs } = options;
    this.#deadline = setTimeout(() => {
      this.#fail({ code: 'timeout', message: `no connection within ${connectTimeoutMs} ms` });
    }, connectTimeoutMs);
  }

  get bufferedBytes(): number {
    let bytes = this.#ws.bufferedAmount;
    for (const parts of this.#unsent) bytes += totalBytes(parts);
    return bytes;
  }

  send(parts: readonly Uint8Array[]): void {
    if (this.#ended) return;
    if (!this.#opened) {
      this.#unsent.push(parts);
      return;
    }
    this.#ws.send(wholeMessage(parts));
    if (this.#ws.bufferedAmount > 0) this.#drainCheck ??= setTimeout(this.#checkDrain, DRAIN_CHECK_MS);
  }

  setReading(reading: boolean): void {
    this.#reading = reading;
    if (reading && this.#undelivered.length > 0) setTimeout(() => this.#deliver());
  }

  close(reason = 'closed'): void {
    this.#end({ code: 'closed', message: 'closed by this side' }, 1000, reason);
  }

  #fail(cause: CloseReason): void {
    // 1002, a protocol error, is not among the codes that a page may send.
    this.#end(cause, 4002, cause.message);
  }

  #end(cause: CloseReason, code: number, text: string): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#cause = cause;
    this.#unsent = [];
    this.#undelivered = [];
    clearTimeout(this.#deadline);
    clearTimeout(this.#drainCheck);
    this.#ws.close(code, closeText(text));
  }

  #open(): void {
    clearTimeout(this.#deadline);
    if (this.#ended) return;
    this.#opened = true;
    this.#handlers.onOpen?.();
    for (const parts of this.#unsent.splice(0)) this.send(parts);
  }

  #receive(data: unknown): void {
    if (this.#ended) return;
    if (!(data instanceof ArrayBuffer)) {
      this.#fail({ code: 'protocol', message: 'a text message, where only binary ones are spoken' });
    } else if (data.byteLength > this.#messageBytesMax) {
      const message = `a message of ${data.byteLength} bytes, above the limit of ${this.#messageBytesMax}`;
      this.#fail({ code: 'protocol', message });
    } else {
      this.#undelivered.push(new Uint8Array(data));
      this.#deliver();
    }
  }

  #deliver(): void {
    while (this.#reading) {
      const message = this.#undelivered.shift();
      if (message === undefined) return;
      this.#handlers.onMessage([message]);
    }
  }

  readonly #checkDrain = (): void => {
    const drained = this.#ws.bufferedAmount === 0;
    this.#drainCheck = drained ? undefined : setTimeout(this.#checkDrain, DRAIN_CHECK_MS);
    if (drained) this.#handlers.onDrain?.();
  };

  #closed(code: number, text: string): void {
    this.#ended = true;
    this.#undelivered = [];
    clearTimeout(this.#deadline);
    clearTimeout(this.#drainCheck);
    this.#handlers.onClose(this.#cause ?? (this.#opened ? reasonOfCode(code, text) : NEVER_OPENED));
  }
}

/** A page is not told why, so that it cannot explore the network around it. */
const NEVER_OPENED: CloseReason = {
  code: 'unreachable',
  message:
    "the browser could not connect and does not say why: the node is down, or it does not list this page's origin in allowedOrigins",
};

/** One message is one frame here, so its parts have to be joined. */
function wholeMessage(parts: readonly Uint8Array[]): Uint8Array | Blob {
  const [only] = parts;
  if (parts.length === 1 && only !== undefined) return only;
  const bytes = totalBytes(parts);
  return bytes < BLOB_BYTES_MIN ? concatenate(parts, bytes) : new Blob([...parts]);
}
