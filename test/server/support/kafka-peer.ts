import { connect, type Socket } from 'node:net';
import { decodeKafkaResponse, encodeKafkaRequest } from '../../../src/protocol/kafka-codec.ts';
import type { Api } from '../../../src/protocol/schema.ts';
import { FrameReader } from '../../../src/transport/kafka-frames.ts';

/** A Kafka client as thin as can be: it sends any frame, and gives back what comes, in order. */
export class KafkaPeer {
  readonly #socket: Socket;
  readonly #frames = new FrameReader(64 * 2 ** 20);
  readonly #arrived: Uint8Array[] = [];
  readonly #waiting: { resolve(frame: Uint8Array): void; reject(error: Error): void }[] = [];
  readonly closed: Promise<void>;
  #isClosed = false;
  #correlationId = 0;

  constructor(address: string) {
    const [host = '', port] = address.split(':');
    this.#socket = connect({ host, port: Number(port) });
    this.#socket.on('data', (chunk) => {
      this.#frames.push(chunk);
      for (let frame = this.#frames.next(); frame; frame = this.#frames.next()) this.#take(frame);
    });
    this.#socket.on('error', () => {});
    this.closed = new Promise((resolve) => {
      this.#socket.on('close', () => {
        this.#isClosed = true;
        for (const { reject } of this.#waiting.splice(0)) reject(new Error('closed by the broker'));
        resolve();
      });
    });
  }

  /** Sends a request and reads its answer. */
  async call<Request, Response>(
    api: Api<Request, Response>,
    version: number,
    request: Request,
  ): Promise<Response> {
    const correlationId = this.send(api, version, request);
    const answer = decodeKafkaResponse(api, version, await this.frame());
    if (answer.correlationId !== correlationId) throw new Error(`the answer to ${answer.correlationId}`);
    return answer.body;
  }

  /** Sends a request and reads no answer; returns its correlation id. */
  send<Request>(api: Api<Request, unknown>, version: number, request: Request): number {
    this.#correlationId += 1;
    this.raw(...encodeKafkaRequest(api, version, this.#correlationId, 'peer', request));
    return this.#correlationId;
  }

  raw(...parts: Uint8Array[]): void {
    for (const part of parts) this.#socket.write(part);
  }

  /** A frame of these bytes, its size in front. */
  rawFrame(body: Uint8Array): void {
    const size = Buffer.alloc(4);
    size.writeInt32BE(body.length);
    this.raw(size, body);
  }

  /** The next frame. Rejects when the connection ends first. */
  frame(): Promise<Uint8Array> {
    const arrived = this.#arrived.shift();
    if (arrived) return Promise.resolve(arrived);
    if (this.#isClosed) return Promise.reject(new Error('closed by the broker'));
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }));
  }

  /** Says goodbye behind what was sent. */
  end(): void {
    this.#socket.end();
  }

  close(): void {
    this.#socket.destroy();
  }

  #take(frame: Uint8Array): void {
    const waiting = this.#waiting.shift();
    if (waiting) waiting.resolve(frame);
    else this.#arrived.push(frame);
  }
}
