import type { Socket } from 'node:net';
import { nextTick } from 'node:process';
import type { WebSocket } from 'ws';
import type { CloseReason, Connection, ConnectionHandlers } from '../platform/ports.ts';
import type { BudgetShare, BufferBudget } from './buffer-budget.ts';
import { closeText, reasonOfCode, reasonOfSocketError } from './close-reason.ts';
import { mergeSmallParts, totalBytes } from './ws-fragments.ts';
import type { Heartbeat, Watched } from './ws-heartbeat.ts';

/** The least that a frame takes besides its payload: the header, and the mask of what a client sends. */
const FRAME_HEADER_BYTES = 6;

/** `Connection` over one `WebSocket` of `ws`, dialed or accepted. */
export class WsConnection implements Connection, Watched {
  readonly remote: string;
  readonly #ws: WebSocket;
  readonly #heartbeat: Heartbeat;
  #handlers: ConnectionHandlers | undefined;
  #socket: Socket | undefined;
  #reading = true;
  #closing = false;
  #corked = false;
  /** Something was sent since the kernel last had everything; `onDrain` is owed. */
  #drainOwed = false;
  /** What ended the connection, when that was known before the socket closed. */
  #cause: CloseReason | undefined;
  /** Sent while connecting. */
  #unsent: (readonly Uint8Array[])[] = [];
  /** `ws` delivers everything it has parsed, even after a pause: such messages wait here. */
  readonly #undelivered: Uint8Array[][] = [];
  #stalledBytes = 0;
  #drainedBytes = 0;
  #messages = 0;
  #share: BudgetShare | undefined;
  /** How many of the bytes received belong to messages that arrived whole, or to pings and pongs. */
  #wholeBytes = 0;

  constructor(ws: WebSocket, remote: string, heartbeat: Heartbeat) {
    this.#ws = ws;
    this.remote = remote;
    this.#heartbeat = heartbeat;
    ws.binaryType = 'fragments';
    ws.on('message', (data, isBinary) => this.#received(data as Buffer[], isBinary));
    ws.on('error', (error) => {
      this.#cause ??= reasonOf(error);
    });
    ws.on('close', (code, reason) => this.#closed(code, reason.toString()));
  }

  /** Hands over the callbacks; for a dialed connection before it stands, for an accepted one at once. */
  attach(handlers: ConnectionHandlers): void {
    this.#handlers = handlers;
  }

  /** The handshake is done; `socket` is the one underneath. */
  opened(socket: Socket): void {
    this.#socket = socket;
    if (this.#closing) return;
    if (!this.#reading) this.#ws.pause();
    this.#heartbeat.add(this);
    this.#handlers?.onOpen?.();
    for (const parts of this.#unsent.splice(0)) this.send(parts);
  }

  /** From now on a budget knows what this connection holds, in either direction. Call it before `opened`. */
  charge(budget: BufferBudget, socket: Socket): void {
    const share = budget.open(this.remote, (message) => this.fail({ code: 'closed', message }));
    this.#share = share;
    this.#wholeBytes = socket.bytesRead;
    const control = (data: Buffer) => {
      this.#wholeBytes += FRAME_HEADER_BYTES + data.length;
    };
    this.#ws.on('ping', control);
    this.#ws.on('pong', control);
    // Behind the listener of `ws`, which has taken by then what it could make of the chunk.
    socket.on('data', () => this.#account());
  }

  get bufferedBytes(): number {
    let bytes = this.#ws.bufferedAmount;
    for (const parts of this.#unsent) bytes += totalBytes(parts);
    return bytes;
  }

  get messages(): number {
    return this.#messages;
  }

  get reading(): boolean {
    return this.#reading;
  }

  send(parts: readonly Uint8Array[]): void {
    const socket = this.#socket;
    if (this.#closing) return;
    if (socket === undefined) {
      this.#unsent.push(parts);
      return;
    }
    if (this.#ws.readyState !== this.#ws.OPEN) return;
    this.#cork(socket);
    this.#drainOwed = true;
    this.#messages += 1;
    const fragments = mergeSmallParts(parts);
    const last = fragments.length - 1;
    for (const [index, fragment] of fragments.entries()) {
      const options = { binary: true, fin: index === last };
      if (index === last) this.#ws.send(fragment, options, this.#sent);
      else this.#ws.send(fragment, options);
    }
    this.#account();
  }

  setReading(reading: boolean): void {
    if (this.#reading === reading) return;
    this.#reading = reading;
    if (!reading) this.#ws.pause();
    else setImmediate(() => this.#deliver());
  }

  close(reason = 'closed'): void {
    if (this.#closing) return;
    this.#closing = true;
    this.#cause ??= { code: 'closed', message: 'closed by this side' };
    this.#unsent = [];
    this.#undelivered.length = 0;
    this.#ws.close(1000, closeText(reason));
    // One that never opened has nothing to resume, and ws fails over that.
    if (this.#socket !== undefined) this.#ws.resume();
  }

  /** Ends the connection at once, for a reason that this side found. */
  fail(cause: CloseReason): void {
    this.#cause ??= cause;
    this.#ws.terminate();
  }

  ping(): void {
    if (this.#ws.readyState === this.#ws.OPEN) this.#ws.ping();
  }

  receivedBytes(): number {
    return this.#socket?.bytesRead ?? 0;
  }

  drainedBytes(): number {
    const buffered = this.#ws.bufferedAmount;
    const written = (this.#socket?.bytesWritten ?? 0) - buffered;
    // With nothing buffered the kernel may hold the bytes for a dead peer: only a queue that moves proves life.
    if (this.#stalledBytes > 0) this.#drainedBytes = written;
    this.#stalledBytes = buffered;
    return this.#drainedBytes;
  }

  timedOut(message: string): void {
    this.fail({ code: 'timeout', message });
  }

  /** Tells the budget what waits for the kernel, and what came of a message that is not whole. */
  #account(): void {
    if (this.#share === undefined || this.#closing) return;
    const unfinishedBytes = Math.max(0, this.receivedBytes() - this.#wholeBytes);
    this.#share.hold(this.#ws.bufferedAmount + unfinishedBytes);
  }

  #received(fragments: Buffer[], isBinary: boolean): void {
    if (this.#closing) return;
    this.#messages += 1;
    // What came in the same chunk behind this message counts as whole too: too little by one chunk at most.
    this.#wholeBytes = this.receivedBytes();
    if (!isBinary) {
      this.#cause = { code: 'protocol', message: 'a text message, where only binary ones are spoken' };
      this.#ws.close(1003, 'binary messages only');
    } else if (!this.#reading || this.#undelivered.length > 0) {
      this.#undelivered.push(fragments);
    } else {
      this.#handlers?.onMessage(fragments);
    }
  }

  #deliver(): void {
    while (this.#reading && !this.#closing) {
      const message = this.#undelivered.shift();
      if (message === undefined) break;
      this.#handlers?.onMessage(message);
    }
    if (this.#reading) this.#ws.resume();
  }

  /** All frames of one turn leave in one system call. */
  #cork(socket: Socket): void {
    if (this.#corked) return;
    this.#corked = true;
    socket.cork();
    nextTick(() => {
      this.#corked = false;
      socket.uncork();
      this.#sent();
    });
  }

  readonly #sent = (): void => {
    this.#account();
    if (!this.#drainOwed || this.#corked || this.#ws.bufferedAmount > 0) return;
    this.#drainOwed = false;
    if (!this.#closing && this.#ws.readyState === this.#ws.OPEN) this.#handlers?.onDrain?.();
  };

  #closed(code: number, message: string): void {
    this.#closing = true;
    this.#heartbeat.remove(this);
    this.#share?.close();
    this.#undelivered.length = 0;
    this.#handlers?.onClose(this.#cause ?? reasonOfCode(code, message));
  }
}

function reasonOf(error: Error & { code?: string; errors?: (Error & { code?: string })[] }): CloseReason {
  // A name with several addresses fails with one error per address.
  const { message } = error.errors?.[0] ?? error;
  if (message === 'Opening handshake has timed out') return { code: 'timeout', message };
  if (message === 'Unexpected server response: 503') return { code: 'closed', message: 'the server is full' };
  // The peer went away during the handshake.
  if (message === 'socket hang up') return { code: 'reset', message };
  return reasonOfSocketError(error.errors?.[0] ?? error);
}
