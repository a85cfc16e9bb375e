/** Soft state of members: when each must be heard again. It dies with the controller; the next one starts afresh. */

import type { GroupLimits } from './limits.ts';
import type { PartitionKey } from './partitions.ts';
import type { Holding } from './reconcile.ts';

export interface Overdue {
  readonly memberId: string;
  readonly reason: 'session expired' | 'rebalance timeout';
}

export interface Session {
  expiresAtMs: number;
  /** The connection by which the member was heard last. */
  connection: object | undefined;
  /** Until when the member may take to give up what it was told to; undefined when there is nothing. */
  revokeByMs: number | undefined;
  /** What the member reported to own, unless it was granted something since. */
  reported: ReadonlySet<PartitionKey> | undefined;
}

/** What is known of the coordinator before this one: `dead` only when its process is surely gone. */
export type Predecessor = 'dead' | 'unknown';

interface Groups {
  values(): Iterable<{ readonly id: string; readonly members: { keys(): Iterable<string> } }>;
}

export class Sessions {
  readonly #limits: GroupLimits;
  readonly #groups = new Map<string, Map<string, Session>>();
  #checkedAtMs: number | undefined;

  constructor(limits: GroupLimits) {
    this.#limits = limits;
  }

  /**
   * Gives every member of the image a whole session and some grace, since a deposed coordinator may still answer. One
   * that is dead answers nobody: its members' connections ended with it, and the grace is enough to find this one.
   */
  reset(groups: Groups, nowMs: number, predecessor: Predecessor): void {
    this.#groups.clear();
    this.#checkedAtMs = nowMs;
    const { groupTakeoverGraceMs, groupSessionTimeoutMs } = this.#limits;
    const patienceMs = groupTakeoverGraceMs + (predecessor === 'dead' ? 0 : groupSessionTimeoutMs);
    for (const { id, members } of groups.values()) {
      for (const memberId of [...members.keys()].sort()) {
        this.touch(id, memberId, nowMs).expiresAtMs = nowMs + patienceMs;
      }
    }
  }

  /** The member was heard. */
  touch(groupId: string, memberId: string, nowMs: number): Session {
    let members = this.#groups.get(groupId);
    if (!members) {
      members = new Map();
      this.#groups.set(groupId, members);
    }
    const expiresAtMs = nowMs + this.#limits.groupSessionTimeoutMs;
    const known = members.get(memberId);
    if (known) {
      known.expiresAtMs = expiresAtMs;
      return known;
    }
    const session: Session = {
      expiresAtMs,
      connection: undefined,
      revokeByMs: undefined,
      reported: undefined,
    };
    members.set(memberId, session);
    return session;
  }

  /** The member's connection ended: unless it was heard by another one since, it has little time to come back. */
  disconnected(groupId: string, memberId: string, connection: object, nowMs: number): void {
    const session = this.#groups.get(groupId)?.get(memberId);
    if (session?.connection !== connection) return;
    session.expiresAtMs = Math.min(session.expiresAtMs, nowMs + this.#limits.groupDisconnectGraceMs);
  }

  /** Starts the rebalance timer when the member has something to give up, and stops it when it has nothing. */
  awaitRevocation(
    session: Session,
    member: Holding & { readonly rebalanceTimeoutMs: number },
    nowMs: number,
  ): void {
    if (member.pendingRevocation.size === 0) session.revokeByMs = undefined;
    else session.revokeByMs ??= nowMs + member.rebalanceTimeoutMs;
  }

  /** The members whose time is up, by group. */
  overdue(nowMs: number): { groupId: string; members: Overdue[] }[] {
    this.#forgiveStall(nowMs);
    const found: { groupId: string; members: Overdue[] }[] = [];
    for (const [groupId, sessions] of this.#groups) {
      const members: Overdue[] = [];
      for (const [memberId, session] of sessions) {
        if (session.expiresAtMs <= nowMs) members.push({ memberId, reason: 'session expired' });
        else if (session.revokeByMs !== undefined && session.revokeByMs <= nowMs)
          members.push({ memberId, reason: 'rebalance timeout' });
      }
      if (members.length > 0) found.push({ groupId, members });
    }
    return found;
  }

  drop(groupId: string, memberId: string): void {
    const members = this.#groups.get(groupId);
    members?.delete(memberId);
    if (members?.size === 0) this.#groups.delete(groupId);
  }

  /**
   * When this node itself stood still (a pause, an overload), heartbeats wait unread in its sockets: that is no
   * silence of the members (KAFKA-15019).
   */
  #forgiveStall(nowMs: number): void {
    const stalledMs = nowMs - (this.#checkedAtMs ?? nowMs);
    this.#checkedAtMs = nowMs;
    if (stalledMs < this.#limits.groupSessionTimeoutMs / 2) return;
    for (const sessions of this.#groups.values()) {
      for (const session of sessions.values()) {
        session.expiresAtMs += stalledMs;
        if (session.revokeByMs !== undefined) session.revokeByMs += stalledMs;
      }
    }
  }
}
