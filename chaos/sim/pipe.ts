import type { CloseReason, Connection } from '../../src/platform/ports.ts';
import type { SimNetwork } from './network.ts';
import { End, type SideName, type SimSide } from './pipe-end.ts';
import type { Prng } from './prng.ts';
import { checksum, concatenate } from './trace.ts';
import type { SimWorld } from './world.ts';

export interface SimPipeOptions {
  readonly id: number;
  readonly world: SimWorld;
  readonly network: SimNetwork;
  readonly random: Prng;
  readonly caller: SimSide;
  readonly remote: string;
  readonly targetName: string;
  /** Whether messages may arrive twice. */
  readonly mayRepeat: boolean;
}

/** One message in so many is looked at again on arrival, for a sender that changed what it had sent. */
const SENDS_PER_CHECK = 8;

/** One simulated connection: end `a` dialed, end `b` accepted. Each direction is a queue that cuts can stall. */
export class SimPipe {
  readonly id: number;
  readonly #options: SimPipeOptions;
  readonly #world: SimWorld;
  readonly #a: End;
  readonly #b: End;
  /** A reset is on its way, or one side has forgotten: nothing sent from now on arrives. */
  #broken = false;
  #sent = 0;
  #hasRepeated = false;
  #isForgotten = false;

  constructor(options: SimPipeOptions) {
    this.id = options.id;
    this.#options = options;
    this.#world = options.world;
    this.#a = new End('a', options.caller.owner.node.name);
    this.#b = new End('b', options.targetName);
    for (const end of [this.#a, this.#b]) {
      end.route = `${end.nodeName}>${this.#peer(end).nodeName} ${options.id}`;
      end.pump = () => this.#pump(end);
    }
    this.#a.side = options.caller;
    this.#a.handlers = options.caller.handlers;
    this.#watchSilence();
  }

  get closed(): boolean {
    return this.#a.state === 'closed' && this.#b.state === 'closed';
  }

  touches(nodeName: string): boolean {
    return this.#a.nodeName === nodeName || this.#b.nodeName === nodeName;
  }

  connects(left: string, right: string): boolean {
    return this.touches(left) && this.touches(right);
  }

  connection(name: SideName, remote = this.#options.remote): Connection {
    const end = this.#end(name);
    const pipe = this;
    return {
      remote,
      get bufferedBytes() {
        return pipe.#bufferedBytes(end);
      },
      send: (parts) => pipe.#send(end, parts),
      setReading: (reading) => {
        end.reading = reading;
        if (reading) pipe.#schedulePump(pipe.#peer(end), 0);
      },
      close: (reason) => pipe.close(name, reason),
    };
  }

  /** Dialing: the request travels, is accepted or refused, and the answer travels back. */
  handshake(accept: () => { side: SimSide } | { refusal: CloseReason } | undefined): void {
    const [a, b] = [this.#a, this.#b];
    this.#transmit(a, 'syn', 100, () => {
      const answer = accept();
      if (answer === undefined) return;
      if ('refusal' in answer) {
        b.state = 'closed';
        // The caller gave up before its request arrived.
        if (this.closed) this.#options.network.forget(this);
        this.#transmit(b, 'refuse', 0, () => this.#finish(a, answer.refusal));
        return;
      }
      b.side = answer.side;
      b.state = 'open';
      b.handlers = answer.side.accept?.();
      this.#watchSilence();
      this.#transmit(b, 'accept', 100, () => this.#opened(a));
    });
  }

  expireConnect(connectTimeoutMs: number): void {
    const expire = () => {
      if (this.#a.state === 'connecting')
        this.#abort(this.#a, { code: 'timeout', message: 'connecting took too long' });
    };
    this.#world.schedule(connectTimeoutMs, 'connect timeout', expire, this.#options.caller.owner);
  }

  /** Closes in order: what was sent before still arrives. */
  close(name: SideName, reason = 'closed'): void {
    const end = this.#end(name);
    if (end.state === 'closing' || end.state === 'closed' || end.side?.owner.alive !== true) return;
    const peer = this.#peer(end);
    const wasOpen = end.state === 'open';
    end.state = 'closing';
    this.#later(end, () => this.#finish(end, { code: 'closed', message: 'closed by this side' }));
    if (wasOpen) this.#transmit(end, 'fin', 0, () => this.#finish(peer, { code: 'closed', message: reason }));
    else this.#abandon();
  }

  /** Both sides lose the connection at once. */
  reset(message: string): void {
    this.#broken = true;
    for (const end of [this.#a, this.#b]) {
      end.drop(0);
      this.#later(end, () => this.#finish(end, { code: 'reset', message }));
    }
  }

  /** One side loses the connection, and the other is not told. Returns whether it stood. */
  forgetSide(nodeName: string): boolean {
    const end = this.#a.nodeName === nodeName ? this.#a : this.#b;
    if (end.state !== 'open' || this.#broken) return false;
    this.#broken = true;
    this.#isForgotten = true;
    for (const each of [this.#a, this.#b]) each.drop(0);
    this.#later(end, () => this.#finish(end, { code: 'reset', message: 'forgotten by this side' }));
    this.#watchSilence();
    return true;
  }

  /** A node at one end stopped. Its kernel sends a reset, unless the power went too. */
  sideDied(nodeName: string, kind: 'process' | 'power'): void {
    const end = this.#a.nodeName === nodeName ? this.#a : this.#b;
    const peer = this.#peer(end);
    if (end.side === undefined && peer.nodeName !== nodeName) {
      // Nobody accepted yet: who is there when the request arrives will answer.
      this.cutsChanged();
      return;
    }
    end.state = 'closed';
    end.drop(this.#options.random.between(0, end.outgoing.length));
    if (kind === 'process') {
      this.#transmit(end, 'rst', 0, () =>
        this.#finish(peer, { code: 'reset', message: `${nodeName} is gone` }),
      );
    }
    if (peer.state === 'closed' || peer.nodeName === nodeName) this.#options.network.forget(this);
    this.cutsChanged();
  }

  /** Something between the two nodes was cut, healed, paused or resumed. */
  cutsChanged(): void {
    this.#watchSilence();
    for (const end of [this.#a, this.#b]) {
      if (end.outgoing.length > 0) this.#schedulePump(end, this.#delayMs(0));
    }
  }

  #opened(end: End): void {
    if (end.state !== 'connecting') return;
    end.state = 'open';
    this.#watchSilence();
    end.handlers?.onOpen?.();
    for (const parts of end.unsent.splice(0)) this.#send(end, parts);
  }

  #send(end: End, parts: readonly Uint8Array[]): void {
    if (end.side?.owner.alive !== true) return;
    if (end.state === 'connecting') end.unsent.push(parts);
    if (end.state !== 'open') return;
    const { lossRate, resetRate, duplicateRate } = this.#options.network.conditions;
    const random = this.#options.random;
    if (random.chance(resetRate)) this.reset('injected reset');
    if (this.#broken || random.chance(lossRate)) return;
    const sum = checksum(parts);
    const isChecked = this.#sent++ % SENDS_PER_CHECK === 0;
    const arrive = (bytes: Uint8Array) => {
      if (isChecked && checksum(parts) !== sum) {
        throw new Error(`${end.nodeName} changed a buffer that it had sent to ${this.#peer(end).nodeName}`);
      }
      this.#receive(this.#peer(end), bytes);
    };
    const isRepeated = this.#options.mayRepeat && random.chance(duplicateRate);
    this.#hasRepeated ||= isRepeated;
    for (let copies = isRepeated ? 2 : 1; copies > 0; copies -= 1) {
      // A copy each, since a receiver may write into what it got.
      const bytes = this.#corruptByChance(concatenate(parts));
      this.#transmit(end, 'message', bytes.length, () => arrive(bytes), sum);
    }
  }

  #corruptByChance(bytes: Uint8Array): Uint8Array {
    const random = this.#options.random;
    if (bytes.length > 0 && random.chance(this.#options.network.conditions.corruptRate)) {
      const position = random.between(0, bytes.length - 1);
      bytes[position] = (bytes[position] ?? 0) ^ random.between(1, 255);
    }
    return bytes;
  }

  #receive(end: End, bytes: Uint8Array): void {
    if (end.state !== 'open') return;
    if (bytes.length > (end.side?.messageBytesMax ?? 0)) {
      this.#abort(end, { code: 'protocol', message: `message of ${bytes.length} bytes is too large` });
      return;
    }
    end.handlers?.onMessage(this.#split(bytes));
  }

  /** Receivers may rely on no part boundary, so some messages arrive cut elsewhere. */
  #split(bytes: Uint8Array): Uint8Array[] {
    const random = this.#options.random;
    if (!random.chance(0.25)) return [bytes];
    const cuts = [random.between(0, bytes.length), random.between(0, bytes.length)].sort((x, y) => x - y);
    const [first = 0, second = 0] = cuts;
    return [bytes.subarray(0, first), bytes.subarray(first, second), bytes.subarray(second)];
  }

  /** Puts a frame on its way, behind all that this end sent before. */
  #transmit(end: End, label: string, bytes: number, arrive: () => void, checksum = 0): void {
    const { reorderRate } = this.#options.network.conditions;
    const random = this.#options.random;
    const linkMs = this.#options.network.links.delayMs(end.nodeName, this.#peer(end).nodeName);
    const dueMs = Math.max(this.#world.nowMs + this.#delayMs(bytes) + linkMs, end.lastDueMs);
    end.lastDueMs = dueMs;
    const frame = { label, checksum, bytes, dueMs, arrive };
    if (bytes > 0 && !this.#hasRepeated && random.chance(reorderRate))
      end.outgoing.splice(random.between(0, end.outgoing.length), 0, frame);
    else end.outgoing.push(frame);
    end.outgoingBytes += bytes;
    // Those before it see to it that it is looked at when they have arrived.
    if (end.outgoing[0] === frame) this.#schedulePump(end, dueMs - this.#world.nowMs);
  }

  #schedulePump(end: End, delayMs: number): void {
    const peer = this.#peer(end);
    const head = end.outgoing[0];
    if (head === undefined) return;
    const node = this.#world.findNode(peer.nodeName);
    const owner = peer.side?.owner ?? (node?.running === true ? node.incarnation : undefined);
    this.#world.schedule(delayMs, 'net', end.pump, owner, end.route);
  }

  /** Delivers the first frame, if it is due and nothing is in its way. */
  #pump(end: End): void {
    const peer = this.#peer(end);
    const frame = end.outgoing[0];
    if (frame === undefined || this.#options.network.isCut(end.nodeName, peer.nodeName)) return;
    if (!peer.reading && peer.state === 'open') return;
    if (this.#options.network.links.isStalled(end.nodeName, peer.nodeName)) return;
    if (frame.dueMs > this.#world.nowMs) {
      this.#schedulePump(end, frame.dueMs - this.#world.nowMs);
      return;
    }
    const wasBuffered = this.#bufferedBytes(end) > 0;
    end.outgoing.shift();
    end.outgoingBytes -= frame.bytes;
    this.#world.trace.add(frame.label, frame.bytes, frame.checksum);
    this.#schedulePump(end, Math.max(0, (end.outgoing[0]?.dueMs ?? 0) - this.#world.nowMs));
    if (wasBuffered && this.#bufferedBytes(end) === 0) this.#drained(end);
    frame.arrive();
  }

  #drained(end: End): void {
    const notify = () => {
      if (end.state === 'open') end.handlers?.onDrain?.();
    };
    this.#world.schedule(0, 'drain', notify, end.side?.owner);
  }

  #bufferedBytes(end: End): number {
    if (end.state === 'closed') return 0;
    const unsentBytes = end.unsent.reduce(
      (sum, parts) => sum + parts.reduce((all, part) => all + part.length, 0),
      0,
    );
    return Math.max(0, end.outgoingBytes + unsentBytes - this.#options.network.conditions.windowBytes);
  }

  /** This end gives up; its peer learns of it, if anything still reaches it. */
  #abort(end: End, reason: CloseReason): void {
    const peer = this.#peer(end);
    const told: CloseReason =
      reason.code === 'protocol' ? reason : { code: 'reset', message: 'reset by peer' };
    end.drop(0);
    this.#finish(end, reason);
    this.#transmit(end, 'rst', 0, () => this.#finish(peer, told));
  }

  /** The last thing that an end hears. */
  #finish(end: End, reason: CloseReason): void {
    if (end.state === 'closed') return;
    end.state = 'closed';
    end.unsent.length = 0;
    if (this.closed) this.#options.network.forget(this);
    end.handlers?.onClose(reason);
  }

  /** Closed while connecting: the accepting side, if there is one already, sees a reset. */
  #abandon(): void {
    const b = this.#b;
    this.#transmit(this.#a, 'rst', 0, () => {
      if (b.state === 'open') this.#finish(b, { code: 'reset', message: 'the caller gave up' });
      else b.state = 'closed';
      if (this.closed) this.#options.network.forget(this);
    });
  }

  /** Pings are not simulated; what they bring about is: an end that hears nothing for long gives up. */
  #watchSilence(): void {
    for (const end of [this.#a, this.#b]) {
      const peer = this.#peer(end);
      const node = this.#world.findNode(peer.nodeName);
      const cut = this.#options.network.isCut(peer.nodeName, end.nodeName);
      const silent = this.#isForgotten || cut || node?.powered === false || node?.paused === true;
      if (silent === end.silent && end.silence > 0) continue;
      end.silent = silent;
      end.silence += 1;
      if (silent) this.#expireSilence(end, end.silence);
    }
  }

  #expireSilence(end: End, silence: number): void {
    const expire = () => {
      if (end.silence !== silence || end.state !== 'open') return;
      this.#abort(end, { code: 'timeout', message: 'nothing heard from the other side' });
    };
    const { halfOpenTimeoutMs } = this.#options.network.conditions;
    this.#world.schedule(halfOpenTimeoutMs, 'half-open', expire, end.side?.owner);
  }

  #later(end: End, act: () => void): void {
    const owner = end.side?.owner;
    if (owner !== undefined) this.#world.schedule(this.#delayMs(0), 'close', act, owner);
    else if (end.state !== 'connecting') end.state = 'closed';
  }

  #delayMs(bytes: number): number {
    const { latencyMs, jitterMs, bytesPerMs } = this.#options.network.conditions;
    return latencyMs + this.#options.random.exponential(jitterMs) + bytes / bytesPerMs;
  }

  #end(name: SideName): End {
    return name === 'a' ? this.#a : this.#b;
  }

  #peer(end: End): End {
    return end === this.#a ? this.#b : this.#a;
  }
}
