/** Answers that wait until the entry that they promise is committed and applied; first come, first answered. */

import { KafkaError } from '../protocol/errors.ts';

/**
 * The leadership was lost with the change: the next controller may have it or not. Whoever asked must not take it for
 * refused, as any other NOT_CONTROLLER is.
 */
export class UndecidedChange extends KafkaError {
  constructor() {
    super(
      'NOT_CONTROLLER',
      'the leadership was lost before the change was committed; it may be nevertheless',
    );
  }
}

export interface PendingReply {
  readonly index: number;
  /** Whether it tells of a change that it asked for itself. */
  readonly isChange: boolean;
  readonly deadlineMs: number;
  /** Answers. */
  readonly run: () => void;
  readonly reject: (error: KafkaError) => void;
}

export class PendingReplies {
  #replies: PendingReply[] = [];

  get size(): number {
    return this.#replies.length;
  }

  add(reply: PendingReply): void {
    this.#replies.push(reply);
  }

  /** Answers what waited for entries up to `index`. */
  applied(index: number): void {
    let done = 0;
    while (done < this.#replies.length && (this.#replies[done]?.index ?? 0) <= index) done++;
    for (const reply of this.#replies.splice(0, done)) reply.run();
  }

  /** Tells those who waited too long. The entry may still commit, so the reply stays, to be run then. */
  expire(nowMs: number): void {
    for (const reply of this.#replies) {
      if (reply.deadlineMs > nowMs) break;
      reply.reject(new KafkaError('REQUEST_TIMED_OUT', 'the change is not committed yet; it may be later'));
    }
  }

  /** The leadership is lost: nobody knows here whether the entries will commit. */
  rejectAll(): void {
    for (const { isChange, reject } of this.#replies.splice(0))
      reject(isChange ? new UndecidedChange() : new KafkaError('NOT_CONTROLLER'));
  }
}
