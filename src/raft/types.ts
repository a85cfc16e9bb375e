/** What goes into and comes out of the Raft core. Everything here is plain data; nothing refers to the wire. */

/** One replica of the log: a node on one particular disk. A node whose disk was wiped is another replica. */
export interface ReplicaKey {
  readonly id: number;
  readonly directoryId: string;
}

/** Are both the same replica? */
export const isSame = (one: ReplicaKey, other: ReplicaKey): boolean =>
  one.id === other.id && one.directoryId === other.directoryId;

/** A replica key as a map key. */
export const keyOf = (replica: ReplicaKey): string => `${replica.id}:${replica.directoryId}`;

/** A replica that votes, and where the others reach it (KIP-853). */
export interface Voter extends ReplicaKey {
  readonly endpoint?: Endpoint | undefined;
}

export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

/** Who votes. It is part of the log, and its last value in the log counts, committed or not (thesis 4.1). */
export interface VoterSet {
  readonly voters: readonly Voter[];
  /** Seats of wiped voters that were taken out on their own account: the same node with its new disk takes them. */
  readonly vacant: readonly Voter[];
}

/** One change of the voter set: one voter at a time. */
export type VoterChange =
  | { readonly kind: 'add'; readonly voter: Voter }
  | { readonly kind: 'remove'; readonly voter: ReplicaKey }
  /** The voter moved to another address. */
  | { readonly kind: 'update'; readonly voter: Voter };

/** Why a leader does not change the voter set (now). */
export type VoterRefusal =
  | 'notLeader'
  | 'levelTooLow'
  | 'epochOpen'
  | 'handingOver'
  | 'changePending'
  | 'duplicateVoter'
  | 'unknownVoter'
  | 'otherDirectory'
  | 'notObserving'
  | 'notCaughtUp'
  | 'lastVoter'
  | 'majoritySilent'
  | 'tooManyVoters';

/**
 * One log entry. Indexes start at 1, epochs at 1. An empty payload means nothing to the state machine: it is the no-op
 * that opens an epoch, or a change of the voters. Both name the voter set that holds from here on.
 */
export interface Entry {
  readonly index: number;
  readonly epoch: number;
  readonly payload: Uint8Array;
  readonly voterSet?: VoterSet | undefined;
}

/** What must be on disk before any reply that promises it (Raft figure 2, "persistent state"). */
export interface HardState {
  readonly epoch: number;
  readonly votedFor: ReplicaKey | undefined;
}

/** A durable snapshot: it holds the effect of every entry up to and including `index`. */
export interface SnapshotMeta {
  readonly index: number;
  readonly epoch: number;
  readonly sizeBytes: number;
  /** CRC32C of the snapshot's bytes. */
  readonly crc: number;
  /** Who votes as of `index`. */
  readonly voterSet: VoterSet;
}

// --- Messages between cores -----------------------------------------------------------------------------------

/** Raft 5.2; with `preVote` Raft thesis 9.6: `epoch` is then the sender's present epoch, which it has not left. */
export interface VoteRequest {
  readonly type: 'vote';
  readonly preVote: boolean;
  readonly epoch: number;
  readonly lastIndex: number;
  readonly lastEpoch: number;
  /** The leader itself asked for this election (thesis 3.10). */
  readonly transfer: boolean;
}
export interface VoteResponse {
  readonly type: 'vote';
  readonly epoch: number;
  readonly granted: boolean;
}

/** Raft 5.3. Without entries: a heartbeat. */
export interface AppendRequest {
  readonly type: 'append';
  readonly epoch: number;
  readonly prevIndex: number;
  readonly prevEpoch: number;
  readonly entries: readonly Entry[];
  readonly commitIndex: number;
}
export interface AppendResponse {
  readonly type: 'append';
  readonly epoch: number;
  readonly success: boolean;
  /** On success: everything up to here matches the leader's log and is on the sender's disk. */
  readonly matchIndex: number;
  /** On a mismatch: the sender's last entry that may match, see `LogView.lastAtOrBefore`. */
  readonly conflictIndex: number;
  readonly conflictEpoch: number;
}

/** Raft 7. The core names a chunk by its position; the driver reads the bytes from the snapshot file. */
export interface SnapshotRequest {
  readonly type: 'snapshot';
  readonly epoch: number;
  readonly snapshot: SnapshotMeta;
  readonly position: number;
  readonly lengthBytes: number;
  /** Absent in an effect (the driver fills it in), present in an input. */
  readonly chunk?: Uint8Array;
}
export interface SnapshotResponse {
  readonly type: 'snapshot';
  readonly epoch: number;
  /** Where the sender wants the transfer to go on. */
  readonly nextPosition: number;
  readonly installed: boolean;
}

/** An observer asks any node for the leader, and the leader for its entries. */
export interface HelloRequest {
  readonly type: 'hello';
  readonly lastIndex: number;
}
export interface HelloResponse {
  readonly type: 'hello';
  readonly epoch: number;
  readonly leaderId: number | undefined;
}

/** A leader that steps down asks its most caught-up voter to campaign at once (thesis 3.10, KIP-595). */
export interface EndEpochRequest {
  readonly type: 'endEpoch';
  readonly epoch: number;
}
interface EndEpochResponse {
  readonly type: 'endEpoch';
  readonly epoch: number;
}

export type Request = VoteRequest | AppendRequest | SnapshotRequest | HelloRequest | EndEpochRequest;
export type Response = VoteResponse | AppendResponse | SnapshotResponse | HelloResponse | EndEpochResponse;

// --- Inputs ---------------------------------------------------------------------------------------------------

export type Input =
  /** `deadlineMs()` has come. */
  | { readonly kind: 'tick' }
  /** A request from another replica; exactly one reply effect with this token follows. */
  | {
      readonly kind: 'request';
      readonly from: ReplicaKey;
      readonly request: Request;
      readonly token: number;
    }
  /** The reply to a request that this core sent: the very object of the send effect. */
  | {
      readonly kind: 'response';
      readonly from: ReplicaKey;
      readonly request: Request;
      readonly response: Response;
    }
  /** A request that got no reply: refused, timed out, or answered with an error. */
  | { readonly kind: 'failed'; readonly to: ReplicaKey; readonly request: Request }
  /** A persist effect is durable; the three numbers are the effect's. */
  | {
      readonly kind: 'persisted';
      readonly epoch: number;
      readonly index: number;
      readonly generation: number;
    }
  /** The state machine proposes an entry; allowed while `canPropose`. */
  | { readonly kind: 'propose'; readonly payload: Uint8Array }
  /** An operator changes the voters; allowed while `refuseVoterChange` has nothing against it. */
  | { readonly kind: 'changeVoters'; readonly change: VoterChange }
  /** The applied entries say that all replicas can read this version of the catalogue. */
  | { readonly kind: 'catalogueLevel'; readonly level: number }
  /** Sends what was proposed since the last flush: all of one turn of the event loop shares its appends. */
  | { readonly kind: 'flush' }
  /** The driver made a snapshot of the applied state durable. */
  | { readonly kind: 'snapshotSaved'; readonly snapshot: SnapshotMeta }
  /** A hint that this node's process is gone. A wrong guess is harmless. */
  | { readonly kind: 'unreachable'; readonly id: number }
  /** This node wants to stop: a leader hands over first. */
  | { readonly kind: 'resign' };

// --- Effects --------------------------------------------------------------------------------------------------

/**
 * Write these to the disk in order, then feed `persisted` back with the same three numbers. An entry at or before
 * the last one written replaces it and everything behind it. A `snapshot` replaces the whole log before it.
 */
export interface PersistEffect {
  readonly kind: 'persist';
  readonly hardState: HardState | undefined;
  readonly snapshot: { readonly meta: SnapshotMeta; readonly bytes: Uint8Array } | undefined;
  readonly entries: readonly Entry[];
  readonly epoch: number;
  readonly index: number;
  readonly generation: number;
}

export type Effect =
  | PersistEffect
  /** `afterSync`: only once every persist effect emitted so far is durable. */
  | { readonly kind: 'send'; readonly to: ReplicaKey; readonly request: Request; readonly afterSync: boolean }
  | {
      readonly kind: 'reply';
      readonly token: number;
      readonly response: Response;
      readonly afterSync: boolean;
    }
  /** Replace the state machine's state. */
  | { readonly kind: 'restore'; readonly snapshot: SnapshotMeta; readonly bytes: Uint8Array }
  /** Apply these committed entries, in order. */
  | { readonly kind: 'apply'; readonly entries: readonly Entry[] }
  /** The no-op of this epoch is committed and applied: this node may decide from now on. */
  | { readonly kind: 'leading'; readonly epoch: number; readonly index: number }
  | { readonly kind: 'notLeading' }
  /** The log in memory was cut at the front: files that hold nothing above `index` may go. */
  | { readonly kind: 'compacted'; readonly index: number }
  /** Worth a line in the log. */
  | { readonly kind: 'note'; readonly fields: object; readonly message: string };

export type Role =
  | 'follower'
  | 'prospective'
  | 'candidate'
  | 'leader'
  | 'observer'
  | 'resigned'
  | 'unattached';

export interface RaftLimits {
  /** A follower that hears no leader for a random time from here to `electionTimeoutMsMax` asks for pre-votes. */
  readonly electionTimeoutMs: number;
  readonly electionTimeoutMsMax: number;
  readonly heartbeatMs: number;
  /** A leader that hears no majority for this long resigns (check-quorum, thesis 6.2). */
  readonly checkQuorumMs: number;
  /** The first retry of a failed election comes after about this; it doubles up to the election timeout. */
  readonly electionRetryMs: number;
  /** After this an unanswered request no longer counts as in flight. */
  readonly requestTimeoutMs: number;
  readonly appendBytesMax: number;
  readonly appendsInFlightMax: number;
  readonly snapshotChunkBytes: number;
  readonly snapshotBytesMax: number;
  /** Entries kept in memory behind a snapshot, for followers that are a little late. */
  readonly trailingEntries: number;
  readonly observersMax: number;
  /** A leader forgets an observer that has answered nothing for this long. */
  readonly observerTimeoutMs: number;
  /** A stopping leader gives up handing over after this. */
  readonly handoverTimeoutMs: number;
  readonly votersMax: number;
  /** An observer that lacks no more entries than this may become a voter. */
  readonly voterLagEntriesMax: number;
  /**
   * A voter that is silent for so long, while its node observes with another disk, gives its seat up to that disk.
   * Infinity: an operator replaces it.
   */
  readonly wipedVoterTimeoutMs: number;
}

export const DEFAULT_RAFT_LIMITS: RaftLimits = {
  electionTimeoutMs: 1000,
  electionTimeoutMsMax: 2000,
  heartbeatMs: 250,
  checkQuorumMs: 1000,
  electionRetryMs: 100,
  requestTimeoutMs: 1000,
  appendBytesMax: 1024 * 1024,
  appendsInFlightMax: 8,
  snapshotChunkBytes: 1024 * 1024,
  snapshotBytesMax: 256 * 1024 * 1024,
  trailingEntries: 1000,
  observersMax: 1000,
  observerTimeoutMs: 3000,
  handoverTimeoutMs: 1000,
  votersMax: 15,
  voterLagEntriesMax: 100,
  wipedVoterTimeoutMs: Number.POSITIVE_INFINITY,
};
