import { connect, createServer, type Server, type Socket } from 'node:net';
import type { Presence } from './presence.ts';
import { CLEAR, type Conditions, Stream } from './stream.ts';

/** `forward`: from whoever dials to the node; `backward`: its answers. */
export type Direction = 'forward' | 'backward';

interface Carried {
  readonly dialer: Socket;
  readonly target: Socket;
  readonly forward: Stream;
  readonly backward: Stream;
}

/** Connections of one link: those that `from` (a node, a client) dials to one node. All of them pass here. */
export class LinkProxy {
  readonly from: string;
  readonly to: string;
  /** Where it listens. */
  readonly host: string;
  readonly port: number;
  readonly #dialsFrom: string | undefined;
  readonly #presence: Presence;
  readonly #random: () => number;
  #conditions: Record<Direction, Conditions> = { forward: CLEAR, backward: CLEAR };
  readonly #carried = new Set<Carried>();
  /** Accepted while cut: as good as a connection attempt that hears nothing. */
  readonly #waiting = new Set<Socket>();
  #server: Server | undefined;

  constructor(o: {
    readonly from: string;
    readonly to: string;
    readonly host: string;
    readonly port: number;
    /** Any of this machine by default. */
    readonly dialsFrom?: string | undefined;
    readonly presence: Presence;
    readonly random: () => number;
  }) {
    this.from = o.from;
    this.to = o.to;
    this.port = o.port;
    this.host = o.host;
    this.#dialsFrom = o.dialsFrom;
    this.#presence = o.presence;
    this.#random = o.random;
    o.presence.onChange(() => this.#listenOrNot());
  }

  get name(): string {
    return `${this.from}->${this.to}`;
  }

  /** Resolves once it listens, or knows that it must not. */
  async open(): Promise<void> {
    await this.#presence.look();
    await this.#listenOrNot();
  }

  close(): void {
    this.#server?.close();
    this.#server = undefined;
    for (const socket of this.#waiting) socket.destroy();
    for (const { dialer, target } of this.#carried) {
      dialer.destroy();
      target.destroy();
    }
  }

  /** Sets what holds for a direction from now on; what is not named stays. */
  set(direction: Direction | 'both', conditions: Partial<Conditions>): void {
    for (const each of directionsOf(direction)) {
      this.#conditions = { ...this.#conditions, [each]: { ...this.#conditions[each], ...conditions } };
    }
    for (const { forward, backward } of this.#carried) {
      forward.update();
      backward.update();
    }
    void this.#listenOrNot();
    if (!this.#isCut) for (const socket of this.#waiting) this.#admit(socket);
  }

  cut(direction: Direction | 'both' = 'both'): void {
    this.set(direction, { cut: true });
  }

  /** Everything passes again, at once. Half-open connections stay so. */
  heal(): void {
    this.set('both', CLEAR);
  }

  /** Resets every connection that there is. */
  drop(): void {
    for (const { dialer, target } of this.#carried) {
      dialer.resetAndDestroy();
      target.resetAndDestroy();
    }
  }

  /**
   * The connections that there are become half-open: nothing passes any more, nobody is told; new ones are not concerned. As
   * after a reboot of a machine, or of a firewall, between the two.
   */
  halfOpen(): void {
    for (const { forward, backward } of this.#carried) {
      forward.swallow();
      backward.swallow();
    }
  }

  /** Half-open connections whose dialer has not given them up yet. */
  get halfOpenConnections(): number {
    const isTrusted = ({ dialer }: Carried) => !dialer.readableEnded && !dialer.destroyed;
    return [...this.#carried].filter((carried) => carried.forward.swallows && isTrusted(carried)).length;
  }

  get #isCut(): boolean {
    return this.#conditions.forward.cut || this.#conditions.backward.cut;
  }

  /** A cut link is silent, even if the process behind it is dead. */
  async #listenOrNot(): Promise<void> {
    const shall = this.#isCut || this.#presence.isUp;
    if (!shall) {
      this.#server?.close();
      this.#server = undefined;
    } else if (this.#server === undefined) {
      const server = createServer({ allowHalfOpen: true }, (socket) => this.#accept(socket));
      this.#server = server;
      await new Promise<void>((resolve, reject) => {
        server.once('error', reject);
        server.listen({ host: this.host, port: this.port, backlog: 1024 }, resolve);
      });
    }
  }

  #accept(dialer: Socket): void {
    dialer.on('error', () => {});
    if (!this.#isCut) {
      this.#connect(dialer);
      return;
    }
    this.#waiting.add(dialer);
    dialer.on('close', () => this.#waiting.delete(dialer));
  }

  #admit(dialer: Socket): void {
    this.#waiting.delete(dialer);
    if (!dialer.destroyed) this.#connect(dialer);
  }

  #connect(dialer: Socket): void {
    const { host, port } = this.#presence;
    const from = this.#dialsFrom === undefined ? {} : { localAddress: this.#dialsFrom };
    const target = connect({ host, port, allowHalfOpen: true, ...from });
    for (const socket of [dialer, target]) socket.setNoDelay(true);
    const looked = () => this.#presence.look();
    const reset = () => {
      dialer.resetAndDestroy();
      target.resetAndDestroy();
    };
    const stream = (direction: Direction, from: Socket, to: Socket, beforeEnd: () => Promise<void>) =>
      new Stream({
        from,
        to,
        conditions: () => this.#conditions[direction],
        random: this.#random,
        beforeEnd,
        onReset: reset,
      });
    const carried: Carried = {
      dialer,
      target,
      forward: stream('forward', dialer, target, async () => {}),
      backward: stream('backward', target, dialer, looked),
    };
    this.#carried.add(carried);
    const forget = () => {
      if (dialer.destroyed && target.destroyed) this.#carried.delete(carried);
    };
    dialer.on('close', forget);
    target.on('close', forget);
  }
}

const directionsOf = (direction: Direction | 'both'): Direction[] =>
  direction === 'both' ? ['forward', 'backward'] : [direction];
