import { connect } from 'node:net';

const LOOK_AGAIN_MS = 15;
const LOOK_TIMEOUT_MS = 1000;

/** What a kernel answers to a connection attempt; silence says neither. */
type Answer = 'listens' | 'refuses' | 'silent';

/**
 * Whether a node's process listens. The proxies in front of it listen only while it does: who dials a dead process must be
 * refused through a proxy as he is by the kernel, since the product draws conclusions from that.
 */
export class Presence {
  readonly host: string;
  readonly port: number;
  isUp = true;
  readonly #onChange = new Set<() => void>();
  #looking: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(host: string, port: number) {
    this.host = host;
    this.port = port;
  }

  onChange(listener: () => void): void {
    this.#onChange.add(listener);
  }

  /** Somebody has lost a connection, or made none: looks whether it is still there. */
  look(): Promise<void> {
    this.#looking ??= this.#look().finally(() => {
      this.#looking = undefined;
    });
    return this.#looking;
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
  }

  async #look(): Promise<void> {
    const answer = await this.#ask();
    if (this.#closed) return;
    clearTimeout(this.#timer);
    if (answer !== 'silent' && this.isUp !== (answer === 'listens')) {
      this.isUp = answer === 'listens';
      for (const listener of this.#onChange) listener();
    }
    if (!this.isUp) this.#timer = setTimeout(() => void this.look(), LOOK_AGAIN_MS);
  }

  #ask(): Promise<Answer> {
    return new Promise((resolve) => {
      const socket = connect({ host: this.host, port: this.port, timeout: LOOK_TIMEOUT_MS });
      const answer = (what: Answer) => {
        socket.destroy();
        resolve(what);
      };
      socket.once('connect', () => answer('listens'));
      socket.once('timeout', () => answer('silent'));
      socket.once('error', ({ code }: NodeJS.ErrnoException) =>
        answer(code === 'ECONNREFUSED' ? 'refuses' : 'silent'),
      );
    });
  }
}
