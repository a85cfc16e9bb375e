import { createServer, type Server, type Socket } from 'node:net';
import { nodeRandom } from '../platform/random.ts';
import type { ListenAddress, Sockets } from '../transport/sockets.ts';

/**
 * Ports are drawn from below the range from which systems draw those that nobody names: so nobody comes across the port of a
 * node that is down, while it is due to return there.
 */
const PORT_MIN = 10_000;
const PORT_MAX = 32_000;
const DRAWS_MAX = 100;
/** How long a port that a node had is waited for, should another process have taken it meanwhile. */
const PORT_TIMEOUT_MS = 2000;
const PORT_RETRY_MS = 20;

/** What a server needs that is bound to a port and not yet spoken for. */
export interface HeldPort {
  readonly port: number;
  readonly server: Server;
}

/**
 * Binds to some free port and holds it until a listener takes it over: so the address of every node is known before the
 * first one starts, and nobody else can take a port in between. @throws Error when there is none
 */
export async function holdFreePort(host: string): Promise<HeldPort> {
  for (let draw = 1; ; draw += 1) {
    const port = PORT_MIN + Math.floor(nodeRandom.float() * (PORT_MAX - PORT_MIN));
    try {
      return await bind(host, port);
    } catch (error) {
      if (draw === DRAWS_MAX) throw error;
    }
  }
}

/** The same with the ports that a node had before. @throws Error when one of them stays in use */
export async function holdPorts(host: string, ports: readonly number[]): Promise<HeldPort[]> {
  const held: HeldPort[] = [];
  try {
    for (const port of ports) held.push(await holdPort(host, port));
    return held;
  } catch (error) {
    for (const { server } of held) server.close();
    throw error;
  }
}

async function holdPort(host: string, port: number): Promise<HeldPort> {
  for (let waitedMs = 0; ; waitedMs += PORT_RETRY_MS) {
    try {
      return await bind(host, port);
    } catch (error) {
      if (waitedMs >= PORT_TIMEOUT_MS) throw error;
      await new Promise((resolve) => {
        setTimeout(resolve, PORT_RETRY_MS);
      });
    }
  }
}

function bind(host: string, port: number): Promise<HeldPort> {
  return new Promise((resolve, reject) => {
    // Whoever connects to a node that has not started is turned away.
    const server = createServer((socket) => socket.destroy());
    server.once('error', reject);
    server.listen({ host, port, exclusive: true }, () => {
      server.off('error', reject);
      resolve({ port, server });
    });
  });
}

/** The sockets of one node in this process: what the kernel would do to those of a process that is killed or stopped. */
export class NodeSockets implements Sockets {
  readonly #held = new Map<number, Server>();
  readonly #sockets = new Set<Socket>();
  readonly #frozen = new Map<Socket, { wasReading: boolean; readonly onResume: () => void }>();
  /** Connections that the kernel took for a node that is frozen, in its queue. */
  readonly #accepts: (() => void)[] = [];
  #state: 'running' | 'frozen' | 'gone' = 'running';

  /** Ports for `listen` to take over. */
  take(held: readonly HeldPort[]): void {
    for (const { port, server } of held) {
      if (this.#state === 'gone') server.close();
      else this.#held.set(port, server);
    }
  }

  listen(server: Server, { host, port, backlog }: ListenAddress): void {
    this.#acceptThrough(server);
    const held = this.#held.get(port);
    this.#held.delete(port);
    if (held === undefined) server.listen({ host, port, backlog });
    else server.listen(held, backlog);
  }

  dialed(socket: Socket): void {
    this.#add(socket);
    if (this.#state === 'frozen') this.#freeze(socket);
  }

  /** Nothing is read, and nothing that is written leaves, though every socket stays open. */
  freeze(): void {
    if (this.#state !== 'running') return;
    this.#state = 'frozen';
    for (const socket of this.#sockets) this.#freeze(socket);
  }

  thaw(): void {
    if (this.#state !== 'frozen') return;
    this.#state = 'running';
    for (const [socket, { wasReading, onResume }] of this.#frozen) {
      socket.off('resume', onResume);
      socket.uncork();
      if (wasReading) socket.resume();
    }
    this.#frozen.clear();
    for (const accept of this.#accepts.splice(0)) accept();
  }

  /** Ends every socket without a goodbye, and lets go of the ports that are still held. */
  destroy(): void {
    this.#state = 'gone';
    this.#frozen.clear();
    this.#accepts.length = 0;
    for (const socket of this.#sockets) socket.destroy();
    for (const server of this.#held.values()) server.close();
    this.#held.clear();
  }

  /** A frozen node does not even see that somebody connects. */
  #acceptThrough(server: Server): void {
    const listeners = server.listeners('connection');
    server.removeAllListeners('connection');
    server.on('connection', (socket: Socket) => {
      this.#add(socket);
      const accept = () => {
        for (const listener of listeners) listener.call(server, socket);
      };
      if (this.#state === 'frozen') this.#accepts.push(accept);
      else if (this.#state === 'running') accept();
    });
  }

  #add(socket: Socket): void {
    if (this.#state === 'gone') {
      socket.destroy();
      return;
    }
    this.#sockets.add(socket);
    socket.once('close', () => {
      this.#sockets.delete(socket);
      this.#frozen.delete(socket);
    });
  }

  #freeze(socket: Socket): void {
    const state = {
      wasReading: socket.readableFlowing !== false,
      // Something in flight when it was frozen may set it going again.
      onResume: () => {
        state.wasReading = true;
        socket.pause();
      },
    };
    this.#frozen.set(socket, state);
    socket.cork();
    socket.pause();
    socket.on('resume', state.onResume);
  }
}
