import { connect as tcpConnect } from 'node:net';
import fc from 'fast-check';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { createLogger } from '../../src/platform/logger.ts';
import type { CloseReason, Connection, Logger } from '../../src/platform/ports.ts';
import { FrameError, FrameReader } from '../../src/transport/kafka-frames.ts';
import { KafkaNetwork } from '../../src/transport/kafka-network.ts';

const MESSAGE_BYTES_MAX = 1 << 20;

const cleanups: (() => Promise<unknown> | unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup();
});

function framed(body: Uint8Array): Buffer {
  const size = Buffer.alloc(4);
  size.writeInt32BE(body.length);
  return Buffer.concat([size, body]);
}

/** A body of so many bytes that no other one equals. */
function body(bytes: number, seed = bytes): Uint8Array {
  return Uint8Array.from({ length: bytes }, (_, index) => (index * 31 + seed) & 0xff);
}

describe('FrameReader', () => {
  test('cuts any chunking of a stream into the same frames', () => {
    const bodies = fc.array(fc.uint8Array({ minLength: 8, maxLength: 300 }), { maxLength: 12 });
    const cuts = fc.array(fc.integer({ min: 1, max: 70 }), { minLength: 1 });
    fc.assert(
      fc.property(bodies, cuts, (expected, lengths) => {
        const stream = Buffer.concat(expected.map(framed));
        const reader = new FrameReader(300);
        const read: Buffer[] = [];
        for (let at = 0, turn = 0; at < stream.length; turn++) {
          const length = lengths[turn % lengths.length] ?? 1;
          reader.push(stream.subarray(at, at + length));
          at += length;
          for (let frame = reader.next(); frame; frame = reader.next()) read.push(Buffer.from(frame));
        }
        expect(read).toEqual(expected.map((each) => Buffer.from(each)));
      }),
    );
  });

  test('a large frame, byte by byte', () => {
    const expected = body(200_000);
    const reader = new FrameReader(MESSAGE_BYTES_MAX);
    const stream = framed(expected);
    const frames: Uint8Array[] = [];
    for (let at = 0; at < stream.length; at++) {
      reader.push(stream.subarray(at, at + 1));
      const frame = reader.next();
      if (frame) frames.push(frame);
    }
    expect(frames.map((frame) => Buffer.compare(frame, expected))).toEqual([0]);
  });

  test('a frame within one chunk is not copied', () => {
    const stream = framed(body(100));
    const reader = new FrameReader(MESSAGE_BYTES_MAX);
    reader.push(stream);
    expect(reader.next()?.buffer).toBe(stream.buffer);
  });

  test.each([
    ['a negative size', Buffer.from([0xff, 0xff, 0xff, 0xff]), 'its size is -1'],
    ['a size of 0', Buffer.from([0, 0, 0, 0]), 'its size is 0'],
    ['a size above the limit', Buffer.from([0x7f, 0xff, 0xff, 0xff]), 'its size is 2147483647'],
    ['HTTP', Buffer.from('GET / HTTP/1.1\r\n\r\n'), 'looks like HTTP'],
    ['TLS', Buffer.from([0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00]), 'looks like TLS'],
    ['SSH', Buffer.from('SSH-2.0-OpenSSH_9.2\r\n'), 'looks like SSH'],
  ])('%s is refused before anything is kept', (_, bytes, message) => {
    const reader = new FrameReader(MESSAGE_BYTES_MAX);
    reader.push(bytes);
    expect(() => reader.next()).toThrow(FrameError);
    const again = new FrameReader(MESSAGE_BYTES_MAX);
    again.push(bytes);
    expect(() => again.next()).toThrow(message);
  });

  test('random bytes end in frames within the limit or in a refusal, never in anything else', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 64 }), { maxLength: 50 }), (chunks) => {
        const reader = new FrameReader(64);
        try {
          for (const chunk of chunks) {
            reader.push(chunk);
            for (let frame = reader.next(); frame; frame = reader.next())
              expect(frame.length).toBeLessThanOrEqual(64);
          }
        } catch (error) {
          expect(error).toBeInstanceOf(FrameError);
        }
      }),
    );
  });
});

/** A server that answers each frame with itself. */
async function echoServer(
  options: {
    readonly logger?: Logger;
    readonly idleTimeoutMs?: number;
    readonly connectionsMax?: number;
    readonly onMessage?: (connection: Connection, frame: Uint8Array) => void;
    readonly onDrain?: () => void;
  } = {},
) {
  const { logger = createLogger({ level: 'silent' }), idleTimeoutMs, connectionsMax = 10 } = options;
  const network = new KafkaNetwork({ logger, ...(idleTimeoutMs !== undefined && { idleTimeoutMs }) });
  const closes: CloseReason[] = [];
  const accepted: Connection[] = [];
  const listener = await network.listen({
    host: '127.0.0.1',
    port: 0,
    messageBytesMax: MESSAGE_BYTES_MAX,
    connectionsMax,
    onConnection: (connection) => {
      accepted.push(connection);
      return {
        onMessage: ([frame = new Uint8Array(0)]) => {
          if (options.onMessage) options.onMessage(connection, frame);
          else connection.send([framed(frame)]);
        },
        onDrain: () => options.onDrain?.(),
        onClose: (reason) => closes.push(reason),
      };
    },
  });
  cleanups.push(() => listener.close());
  return { listener, closes, accepted };
}

function dial(port: number) {
  const socket = tcpConnect({ host: '127.0.0.1', port });
  const chunks: Buffer[] = [];
  socket.on('data', (chunk) => chunks.push(chunk));
  const closed = new Promise<void>((resolve) => {
    socket.on('error', () => {});
    socket.on('close', () => resolve());
  });
  cleanups.push(() => socket.destroy());
  return { socket, closed, received: () => Buffer.concat(chunks) };
}

function spyLogger() {
  const lines: { fields: object; message: string }[] = [];
  const log = (fields: object, message: string) => void lines.push({ fields, message });
  const logger: Logger = { debug: log, info: log, warn: log, error: log, child: () => logger };
  return { lines, logger };
}

describe('KafkaNetwork', () => {
  test('frames come back whole and in order, whatever the chunks are', async () => {
    const { listener } = await echoServer();
    const { socket, received } = dial(listener.port);
    const stream = Buffer.concat([10, 1000, 70_000, 500_000, 8].map((bytes) => framed(body(bytes))));
    for (let at = 0; at < stream.length; at += 7_001) socket.write(stream.subarray(at, at + 7_001));
    await vi.waitFor(() => expect(received().length).toBe(stream.length));
    expect(received().equals(stream)).toBe(true);
  });

  test('a bad size closes the connection with a line that says what it looks like', async () => {
    const { lines, logger } = spyLogger();
    const { listener, closes } = await echoServer({ logger });
    const { socket, closed } = dial(listener.port);
    socket.write('GET /metrics HTTP/1.1\r\nhost: x\r\n\r\n');
    await closed;
    await vi.waitFor(() => expect(closes).toMatchObject([{ code: 'protocol' }]));
    expect(lines).toHaveLength(1);
    expect(lines[0]?.fields).toMatchObject({ reason: expect.stringContaining('looks like HTTP') });
  });

  test('while it does not read, nothing is delivered, and the kernel pushes back', async () => {
    const delivered: number[] = [];
    const { listener, accepted } = await echoServer({
      onMessage: (connection, frame) => {
        delivered.push(frame.length);
        connection.setReading(false);
      },
    });
    const { socket } = dial(listener.port);
    const frame = framed(body(100_000));
    let written = 0;
    const fill = () => {
      while (written < 1000 && socket.write(frame)) written += 1;
      if (written < 1000) socket.once('drain', fill);
    };
    fill();
    await vi.waitFor(() => expect(delivered).toHaveLength(1));
    let before = -1;
    await vi.waitFor(() => {
      const { bytesWritten } = socket;
      const moved = bytesWritten !== before;
      before = bytesWritten;
      expect(moved).toBe(false);
    });
    expect(socket.bytesWritten).toBeLessThan(50_000_000);
    expect(delivered).toHaveLength(1);
    accepted[0]?.setReading(true);
    await vi.waitFor(() => expect(delivered).toHaveLength(2));
  });

  test('what a slow reader has not taken is counted, and told once it has', async () => {
    let drained = 0;
    const { listener, accepted } = await echoServer({
      onMessage: (connection) => connection.send([new Uint8Array(30_000_000)]),
      onDrain: () => {
        drained += 1;
      },
    });
    const { socket, received } = dial(listener.port);
    socket.pause();
    socket.write(framed(body(20)));
    await vi.waitFor(() => expect(accepted[0]?.bufferedBytes).toBeGreaterThan(10_000_000));
    expect(drained).toBe(0);
    socket.resume();
    await vi.waitFor(() => expect(drained).toBe(1));
    expect(accepted[0]?.bufferedBytes).toBe(0);
    await vi.waitFor(() => expect(received().length).toBe(30_000_000));
  });

  test('what was sent before a close still arrives', async () => {
    const { listener } = await echoServer({
      onMessage: (connection, frame) => {
        connection.send([framed(frame)]);
        connection.close('enough');
      },
    });
    const { socket, closed, received } = dial(listener.port);
    const frame = framed(body(300_000));
    socket.write(frame);
    await closed;
    expect(received().equals(frame)).toBe(true);
  });

  test('a connection on which nothing moves is closed', async () => {
    const { listener, closes } = await echoServer({ idleTimeoutMs: 20 });
    const { closed } = dial(listener.port);
    await closed;
    await vi.waitFor(() => expect(closes).toMatchObject([{ code: 'timeout' }]));
  });

  test('beyond connectionsMax it accepts none', async () => {
    const { listener, accepted } = await echoServer({ connectionsMax: 1 });
    const first = dial(listener.port);
    await vi.waitFor(() => expect(accepted).toHaveLength(1));
    const second = dial(listener.port);
    await second.closed;
    expect(accepted).toHaveLength(1);
    first.socket.destroy();
  });

  test('closing the listener closes its connections', async () => {
    const { listener, closes, accepted } = await echoServer();
    const { closed } = dial(listener.port);
    await vi.waitFor(() => expect(accepted).toHaveLength(1));
    await listener.close();
    await closed;
    await vi.waitFor(() => {
      expect(closes).toMatchObject([{ code: 'closed', message: 'the server is closing' }]);
    });
  });
});
