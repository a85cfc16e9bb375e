/** Cuts a byte stream into Kafka's frames: a 4-byte big-endian size, then so many bytes. Pure: no sockets. */

const SIZE_BYTES = 4;
/** A frame begins with API key and version, correlation id and client id: no request is smaller. */
const FRAME_BYTES_MIN = 8;
/** The first buffer of a frame that does not come in one piece; it grows as bytes really arrive. */
const FIRST_BUFFER_BYTES = 64 * 1024;
const BUFFER_GROWTH = 4;

/** A size that no frame of this protocol can have. The stream is lost from here on. */
export class FrameError extends Error {
  override readonly name = 'FrameError';
}

/**
 * Bytes in, whole frames out. A frame that lies in one chunk is handed out as a view of it; one that straddles
 * chunks is put together in a buffer of its own, so many tiny chunks cost no more than their bytes. Memory follows
 * what was received, never what a size promises.
 */
export class FrameReader {
  readonly #frameBytesMax: number;
  /** Received, and not looked at yet. */
  #chunks: Uint8Array[] = [];
  #size = new Uint8Array(SIZE_BYTES);
  #sizeFilled = 0;
  /** The frame being put together, of `#frameBytes`; -1 while its size is not known. */
  #frameBytes = -1;
  #frame: Uint8Array | undefined;
  #frameFilled = 0;

  constructor(frameBytesMax: number) {
    this.#frameBytesMax = frameBytesMax;
  }

  /** Bytes received and not handed out. */
  get heldBytes(): number {
    return this.#chunks.reduce((sum, chunk) => sum + chunk.length, this.#frameFilled);
  }

  push(chunk: Uint8Array): void {
    if (chunk.length > 0) this.#chunks.push(chunk);
  }

  /** The next frame without its size; undefined until all of it is there. @throws FrameError */
  next(): Uint8Array | undefined {
    for (let chunk = this.#chunks[0]; chunk !== undefined; chunk = this.#chunks[0]) {
      const rest = this.#frameBytes < 0 ? this.#readSize(chunk) : chunk;
      const frame = this.#frameBytes < 0 ? undefined : this.#readFrame(rest);
      if (frame !== undefined) return frame;
    }
    return undefined;
  }

  /** Reads of the size what the chunk has of it; returns the chunk's rest. */
  #readSize(chunk: Uint8Array): Uint8Array {
    const taken = Math.min(SIZE_BYTES - this.#sizeFilled, chunk.length);
    this.#size.set(chunk.subarray(0, taken), this.#sizeFilled);
    this.#sizeFilled += taken;
    const rest = this.#advance(chunk, taken);
    if (this.#sizeFilled < SIZE_BYTES) return rest;
    const size = new DataView(this.#size.buffer).getInt32(0);
    if (size < FRAME_BYTES_MIN || size > this.#frameBytesMax) throw this.#badSize(size, rest);
    this.#sizeFilled = 0;
    this.#frameBytes = size;
    return rest;
  }

  #readFrame(chunk: Uint8Array): Uint8Array | undefined {
    const missing = this.#frameBytes - this.#frameFilled;
    const taken = Math.min(missing, chunk.length);
    const isWhole = taken === missing;
    if (this.#frame === undefined && isWhole) {
      this.#advance(chunk, taken);
      this.#frameBytes = -1;
      return chunk.subarray(0, taken);
    }
    if (taken === 0) return undefined;
    const buffer = this.#bufferFor(this.#frameFilled + taken);
    buffer.set(chunk.subarray(0, taken), this.#frameFilled);
    this.#frameFilled += taken;
    this.#advance(chunk, taken);
    if (!isWhole) return undefined;
    this.#frame = undefined;
    this.#frameFilled = 0;
    const frame = buffer.subarray(0, this.#frameBytes);
    this.#frameBytes = -1;
    return frame;
  }

  #bufferFor(bytes: number): Uint8Array {
    const before = this.#frame;
    if (before !== undefined && before.length >= bytes) return before;
    const wanted = Math.max(bytes, before === undefined ? FIRST_BUFFER_BYTES : before.length * BUFFER_GROWTH);
    const buffer = Buffer.allocUnsafeSlow(Math.min(wanted, this.#frameBytes));
    if (before !== undefined) buffer.set(before.subarray(0, this.#frameFilled));
    this.#frame = buffer;
    return buffer;
  }

  /** Drops what was taken of the first chunk; returns its rest. */
  #advance(chunk: Uint8Array, taken: number): Uint8Array {
    const rest = chunk.subarray(taken);
    if (rest.length === 0) this.#chunks.shift();
    else this.#chunks[0] = rest;
    return rest;
  }

  #badSize(size: number, rest: Uint8Array): FrameError {
    const start = new Uint8Array([...this.#size, ...rest.subarray(0, 4)]);
    const guess = guessProtocol(start);
    const what = guess ? `this looks like ${guess}, not like Kafka's protocol` : `its size is ${size}`;
    return new FrameError(`${what}; a frame has ${FRAME_BYTES_MIN} to ${this.#frameBytesMax} bytes`);
  }
}

/** What a stream that begins like this probably is. */
function guessProtocol(start: Uint8Array): string | undefined {
  const text = String.fromCharCode(...start);
  if (/^(GET|POST|PUT|HEAD|OPTIONS|DELETE|PATCH|CONNECT) ?\/?/.test(text)) return 'HTTP (or a WebSocket)';
  if (text.startsWith('SSH-')) return 'SSH';
  // RFC 8446 section 5.1: a handshake record, of a version 3.x.
  if (start[0] === 0x16 && start[1] === 0x03) return 'TLS';
  return undefined;
}
