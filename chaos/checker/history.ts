/**
 * What clients did and saw, in the order in which each operation ended. Partitions are named `topic-0`. All times are of
 * one clock, in milliseconds; operations that end and start at the same time overlap.
 *
 * Record attempts rather than calls: a client that tries again after an answer was lost may do a thing twice, so what is
 * checked for linearizability (topics, offsets with fetches) has to be one request each.
 *
 * A run of real processes for an hour has millions of records. The checker walks a history a few times and takes any
 * `Iterable`: `compact-history.ts`, which the recorder of both kinds of runs uses, keeps one in columns: 16 bytes for each
 * sighting of a record, and each value once, however many readers and nodes show it.
 * Values may be short (`p0-17`): they need only be unique.
 */

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

/** What one `poll` returned. A `final` reader began at the start of the log after everything was healed. */
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
  /** Where to, if that is known: then the next record is the first at or after it. */
  readonly offset?: number;
}

/**
 * A partition's log begins here now, and what was below has been deleted as it was asked for (by retention or by an
 * administrator). To be recorded whenever it moved, or now and then, and once at the end; of a topic whose records are
 * kept there is none, so that what is missing at the start is lost.
 */
export interface LogStart {
  readonly type: 'logStart';
  readonly partition: string;
  readonly offset: number;
  /** Of the node that said so, at that moment. */
  readonly highWatermark?: number;
}

interface Timed {
  readonly startedAt: number;
  /** When the answer came, or nobody waited for it any longer. */
  readonly endedAt: number;
}

export interface Commit extends Timed {
  readonly type: 'commit';
  readonly group: string;
  readonly member: string;
  readonly partition: string;
  /** That of the next record to read. */
  readonly offset: number;
  /** One that was refused because its member or its epoch is fenced is `failed`. */
  readonly outcome: Outcome;
  /** Meant to set the offset anywhere, also back: by an administrator, or a client that is no member. */
  readonly isReset?: boolean;
}

/** The answer to a request for a committed offset. Those without an answer say nothing and are not recorded. */
export interface FetchedOffset extends Timed {
  readonly type: 'fetchedOffset';
  readonly group: string;
  readonly process: string;
  readonly partition: string;
  /** None: nothing is committed. */
  readonly offset?: number;
}

/** One attempt to create or delete a topic. */
export interface TopicChange extends Timed {
  readonly type: 'createTopic' | 'deleteTopic';
  readonly process: string;
  readonly topic: string;
  readonly outcome: Outcome;
  /** Of what was created or deleted, when `ok`. */
  readonly topicId?: string;
  /** Why it failed, where that tells of the topic: there is one already, or there is none. */
  readonly refusal?: 'exists' | 'missing';
}

/** What one node told of a topic. */
export interface DescribedTopic extends Timed {
  readonly type: 'describedTopic';
  readonly process: string;
  readonly topic: string;
  /** None: there is no such topic. */
  readonly topicId?: string;
  /**
   * Whether it must be the newest: asked after everything was healed. Otherwise the node may lag behind, as any broker
   * does with its metadata, and only a topic that nobody made is wrong.
   */
  readonly isFinal?: boolean;
}

/** A member got partitions, or gave them up (`revoked`), or learned that they are others' already (`lost`). */
export interface Ownership {
  readonly type: 'assigned' | 'revoked' | 'lost';
  readonly group: string;
  readonly member: string;
  readonly partitions: readonly string[];
  readonly at: number;
  /** The generation of the group in which the member got them; of an assignment, where the client tells. */
  readonly generation?: number;
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

export type Operation =
  | Send
  | Poll
  | Reposition
  | LogStart
  | Commit
  | FetchedOffset
  | Ownership
  | TopicChange
  | DescribedTopic
  | NodeLog;

/** Walked through several times, always alike. */
export type History = Iterable<Operation>;

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
    | 'suffix loss'
    | 'log start beyond the high watermark'
    | 'topics not linearizable'
    | 'topic from nowhere'
    | 'offsets not linearizable'
    | 'too wide to decide';
  readonly message: string;
}
