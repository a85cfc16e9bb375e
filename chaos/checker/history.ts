/** What clients did and saw, in the order in which each operation ended. Partitions are named `topic-0`. */

export interface SeenRecord {
  readonly partition: string;
  readonly offset: number;
  readonly value: string;
}

/** `failed`: surely without effect; `unknown`: an answer was lost. */
export type Outcome = 'ok' | 'failed' | 'unknown';

export interface Send {
  readonly type: 'send';
  readonly process: string;
  /** Counts the sends of one process, in the order in which it called. */
  readonly sequence: number;
  readonly partition: string;
  /** Unique in the history. */
  readonly value: string;
  readonly outcome: Outcome;
  /** Only when `ok`. */
  readonly offset?: number;
}

/** What one `poll` returned. A `final` reader began at offset 0 after everything was healed. */
export interface Poll {
  readonly type: 'poll';
  readonly reader: string;
  readonly isFinal?: boolean;
  readonly records: readonly SeenRecord[];
}

/** A reader's position was set: by an assignment, a seek or a rebalance. What it reads next need not follow. */
interface Reposition {
  readonly type: 'reposition';
  readonly reader: string;
  readonly partitions: readonly string[];
}

export interface Commit {
  readonly type: 'commit';
  readonly group: string;
  readonly member: string;
  readonly partition: string;
  /** That of the next record to read. */
  readonly offset: number;
  readonly outcome: Outcome;
  /** When it was called; it ended where it stands in the history. */
  readonly startedAt: number;
  readonly endedAt: number;
}

/** A member got partitions, or gave them up (`revoked`), or learned that they are others' already (`lost`). */
export interface Ownership {
  readonly type: 'assigned' | 'revoked' | 'lost';
  readonly group: string;
  readonly member: string;
  readonly partitions: readonly string[];
  readonly at: number;
}

/** What one node holds of a partition below its high watermark, read from its own log at the end. */
export interface NodeLog {
  readonly type: 'nodeLog';
  readonly node: string;
  readonly partition: string;
  readonly startOffset: number;
  readonly highWatermark: number;
  readonly records: readonly { readonly offset: number; readonly value: string }[];
}

export type Operation = Send | Poll | Reposition | Commit | Ownership | NodeLog;
export type History = readonly Operation[];

/** A history that no correct system could have produced. */
export interface Anomaly {
  readonly rule:
    | 'inconsistent offsets'
    | 'duplicate'
    | 'lost write'
    | 'failed write seen'
    | 'poll skip'
    | 'non-monotonic poll'
    | 'non-monotonic send'
    | 'unseen'
    | 'committed offset goes back'
    | 'owner starts elsewhere'
    | 'two owners'
    | 'prefix loss'
    | 'middle loss'
    | 'suffix loss';
  readonly message: string;
}
