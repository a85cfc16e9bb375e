/** Why a node refuses to take part. Each of these ends the start; an operator has to act. */
export type RaftErrorCode =
  /** Files of the quorum's log are damaged in a way that no crash explains. */
  | 'RAFT_LOG_CORRUPT'
  /** This node belongs to a cluster (it knows the id), but the files of the quorum are gone. */
  | 'RAFT_STATE_MISSING'
  /** The peers, or the files, belong to another cluster. */
  | 'FOREIGN_CLUSTER'
  /** The log, or the cluster, is at a newer level of the catalogue than this node may read. */
  | 'CATALOGUE_TOO_OLD'
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

/** The cluster refused this node. */
export function tooOld(catalogueVersion: number): RaftError {
  return new RaftError(
    'CATALOGUE_TOO_OLD',
    `the cluster has reached a newer level of the catalogue than ${catalogueVersion}, which this node can read at most; ` +
      'upgrade it, or raise catalogueVersion in its config',
  );
}
