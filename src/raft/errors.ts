/** Why a node refuses to take part. Each of these ends the start; an operator has to act. */
export type RaftErrorCode =
  /** Files of the quorum's log are damaged in a way that no crash explains. */
  | 'RAFT_LOG_CORRUPT'
  /** This node belongs to a cluster (it knows the id), but the files of the quorum are gone. */
  | 'RAFT_STATE_MISSING'
  /** The peers, or the files, belong to another cluster. */
  | 'FOREIGN_CLUSTER'
  /** `stop()` came before the start was through. */
  | 'STOPPED';

export class RaftError extends Error {
  override readonly name = 'RaftError';
  readonly code: RaftErrorCode;
  constructor(code: RaftErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
