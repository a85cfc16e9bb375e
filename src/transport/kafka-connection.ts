import type { Socket } from 'node:net';
import { nextTick } from 'node:process';
import type { CloseReason, Connection, ConnectionHandlers, Logger } from '../platform/ports.ts';
import type { BudgetShare, BufferBudget } from './buffer-budget.ts';
import { reasonOfSocketError } from './close-reason.ts';
import { FrameReader } from './kafka-frames.ts';
import { mergeSmallParts } from './ws-fragments.ts';

/** After so long without a word the kernel asks whether the other side is still there. */
const KEEP_ALIVE_MS = 30_000;
/** How long a peer has to take the last bytes. */
const CLOSE_TIMEOUT_MS = 1_000;

export interface KafkaConnectionOptions {
  readonly frameBytesMax: number;
  readonly idleTimeoutMs: number;
  readonly logger: Logger;
  readonly budget?: BufferBudget;
}

/** `Connection` over one accepted TCP socket that carries Kafka's frames. `send` takes frames with their sizes. */
export class KafkaConnection implements Connection {
  readonly remote: string;
  readonly #socket: Socket;
  readonly #frames: FrameReader;
  readonly #logger: Logger;
  readonly #share: BudgetShare | undefined;
  #handlers: ConnectionHandlers | undefined;
  #reading = true;
  #closing = false;
  #corked = false;
  /** What ended the connection, when that was known before the socket closed. */
  #cause: CloseReason | undefined;

  constructor(socket: Socket, { frameBytesMax, idleTimeoutMs, logger, budget }: KafkaConnectionOptions) {
    this.#socket = socket;
    this.#frames = new FrameReader(frameBytesMax);
    this.#logger = logger;
    this.remote = `${socket.remoteAddress}:${socket.remotePort}`;
    this.#share = budget?.open(this.remote, (message) => this.#fail({ code: 'closed', message }));
    socket.setNoDelay(true);
    socket.setKeepAlive(true, KEEP_ALIVE_MS);
    socket.setTimeout(idleTimeoutMs, () => this.#idled(idleTimeoutMs));
    socket.on('error', (error) => {
      this.#cause ??= reasonOfSocketError(error);
    });
    socket.on('close', () => this.#closed());
  }

  /** Hands over the callbacks; messages come from now on. */
  attach(handlers: ConnectionHandlers): void {
    this.#handlers = handlers;
    this.#socket.on('data', (chunk) => this.#received(chunk));
    this.#socket.on('drain', () => {
      if (!this.#closing) handlers.onDrain?.();
    });
  }

  get bufferedBytes(): number {
    return this.#socket.writableLength;
  }

  send(parts: readonly Uint8Array[]): void {
    if (this.#closing) return;
    this.#cork();
    for (const part of mergeSmallParts(parts)) this.#socket.write(part, this.#account);
    this.#account();
  }

  setReading(reading: boolean): void {
    if (this.#reading === reading) return;
    this.#reading = reading;
    if (!reading) this.#socket.pause();
    else setImmediate(() => this.#deliver());
  }

  close(reason = 'closed by this side'): void {
    if (this.#closing) return;
    this.#closing = true;
    this.#cause ??= { code: 'closed', message: reason };
    // What was answered before still leaves, unless the peer does not take it.
    this.#socket.destroySoon();
    setTimeout(() => this.#socket.destroy(), CLOSE_TIMEOUT_MS).unref();
  }

  #received(chunk: Buffer): void {
    if (this.#closing) return;
    this.#frames.push(chunk);
    if (this.#reading) this.#deliver();
    this.#account();
  }

  /** Hands out whole frames while they are wanted; the rest of a chunk waits until reading is resumed. */
  #deliver(): void {
    try {
      while (this.#reading && !this.#closing) {
        const frame = this.#frames.next();
        if (frame === undefined) break;
        this.#handlers?.onMessage([frame]);
      }
    } catch (error) {
      this.#reject(error as Error);
      return;
    }
    if (this.#reading && !this.#closing) this.#socket.resume();
  }

  #reject(error: Error): void {
    this.#logger.warn(
      { remote: this.remote, reason: error.message },
      'A Kafka connection is closed for a malformed frame',
    );
    this.#fail({ code: 'protocol', message: error.message });
  }

  #idled(idleTimeoutMs: number): void {
    this.#logger.debug({ remote: this.remote, idleTimeoutMs }, 'An idle Kafka connection is closed');
    this.#fail({ code: 'timeout', message: `nothing sent or received for ${idleTimeoutMs} ms` });
  }

  /** Ends the connection at once, for a reason that this side found. */
  #fail(cause: CloseReason): void {
    this.#cause ??= cause;
    this.#closing = true;
    this.#socket.destroy();
  }

  /** Tells the budget what waits for the kernel, and what came and is not handed out. */
  readonly #account = (): void => {
    if (!this.#closing) this.#share?.hold(this.bufferedBytes + this.#frames.heldBytes);
  };

  /** All responses of one turn leave in one system call. */
  #cork(): void {
    if (this.#corked) return;
    this.#corked = true;
    this.#socket.cork();
    nextTick(() => {
      this.#corked = false;
      this.#socket.uncork();
    });
  }

  #closed(): void {
    this.#closing = true;
    this.#share?.close();
    this.#handlers?.onClose(this.#cause ?? { code: 'closed', message: 'closed by peer' });
  }
}
