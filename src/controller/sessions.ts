/**
 * Which brokers are alive: soft state of the active controller, made of heartbeats. A new controller gives every
 * registered broker a fresh session, so that one that died together with the old controller is fenced in time
 * (KAFKA-18138). Only of the old controller itself it knows more: its silence was why there is a new one.
 *
 * Sessions are judged by the time that the controller itself was running. After a pause of its own (a stall, a frozen
 * process) it cannot know who sent heartbeats meanwhile, so a late tick counts only for so much (KAFKA-15019, 19586).
 */

interface Session {
  brokerEpoch: number;
  /** In running time. */
  heardAtMs: number;
  /** The last metadata entry that the broker applied. */
  metadataIndex: number;
  /** Heartbeats that wait for their answer: meanwhile the broker cannot send another. */
  heldHeartbeats: number;
}

/** What is left of the session of an old controller: if it lives, it hears at once of the new one, and turns to it. */
const SUCCESSION_MS = 300;
/** A tick that comes later than this many intervals after the one before counts as a stall. */
const TICKS_PER_STALL = 2;

export class BrokerSessions {
  readonly #sessionTimeoutMs: number;
  readonly #tickMsMax: number;
  readonly #sessions = new Map<number, Session>();
  #tickedAtMs: number;
  #runningMs = 0;

  constructor(options: { sessionTimeoutMs: number; tickMs: number; nowMs: number }) {
    this.#sessionTimeoutMs = options.sessionTimeoutMs;
    this.#tickMsMax = options.tickMs * TICKS_PER_STALL;
    this.#tickedAtMs = options.nowMs;
  }

  /** Lets time pass; returns how much of it the controller was surely running. */
  tick(nowMs: number): number {
    const elapsedMs = Math.min(Math.max(0, nowMs - this.#tickedAtMs), this.#tickMsMax);
    this.#tickedAtMs = nowMs;
    this.#runningMs += elapsedMs;
    return elapsedMs;
  }

  /** A sign of life. */
  touch(brokerId: number, brokerEpoch: number, metadataIndex = -1): void {
    const session = this.#sessions.get(brokerId);
    if (session?.brokerEpoch === brokerEpoch) {
      session.heardAtMs = this.#runningMs;
      session.metadataIndex = Math.max(session.metadataIndex, metadataIndex);
      return;
    }
    this.#sessions.set(brokerId, {
      brokerEpoch,
      heardAtMs: this.#runningMs,
      metadataIndex,
      heldHeartbeats: 0,
    });
  }

  /** The controller holds a heartbeat until an entry commits; returns what to call when it answers. */
  hold(brokerId: number): () => void {
    const session = this.#sessions.get(brokerId);
    if (!session) return () => undefined;
    session.heldHeartbeats++;
    return () => {
      session.heldHeartbeats--;
      session.heardAtMs = this.#runningMs;
    };
  }

  /** The broker led the quorum before, and was last heard so long ago. It may have been the hearer that was paused. */
  wasSilent(brokerId: number, silentMs: number): void {
    const session = this.#sessions.get(brokerId);
    const spentMs = Math.max(0, Math.min(silentMs, this.#sessionTimeoutMs - SUCCESSION_MS));
    if (session) session.heardAtMs = this.#runningMs - spentMs;
  }

  end(brokerId: number): void {
    this.#sessions.delete(brokerId);
  }

  isLive(brokerId: number): boolean {
    const session = this.#sessions.get(brokerId);
    return session !== undefined && !this.#isOver(session);
  }

  /** The last metadata entry that the broker said it applied; -1 when it said nothing yet. */
  metadataIndex(brokerId: number): number {
    return this.#sessions.get(brokerId)?.metadataIndex ?? -1;
  }

  #isOver(session: Session): boolean {
    return session.heldHeartbeats === 0 && this.#runningMs - session.heardAtMs >= this.#sessionTimeoutMs;
  }
}
