/** What the active controller is told at start. Every limit has its unit in its name. */

export interface ControllerConfig {
  /** A broker that was not heard for so long (of the controller's own running time) is fenced. */
  readonly brokerSessionTimeoutMs: number;
  /** How often sessions are judged. */
  readonly tickMs: number;
  /** How often leaders are moved back to the preferred replicas. */
  readonly leaderRebalanceIntervalMs: number;
  /** Partitions moved back at once. */
  readonly leaderRebalancePartitionsMax: number;
  /** Partitions of a topic that is created with -1. */
  readonly defaultPartitions: number;
  /** Replicas of a partition that is created with -1. */
  readonly defaultReplicationFactor: number;
  /** `min.insync.replicas` of a topic that is created without it; Kafka's own default of 1 is not written down. */
  readonly defaultMinInsyncReplicas: number;
  /** Partitions created by one request. */
  readonly partitionsPerRequestMax: number;
  /** Partitions of the whole cluster: fencing a broker may change them all, in one Raft entry. */
  readonly partitionsMax: number;
  /** Producer ids handed to a broker at once. */
  readonly producerIdBlockLength: number;
  /** Requests that wait for their entry to commit. */
  readonly pendingRequestsMax: number;
  /** A request whose entry is not committed by then is answered with REQUEST_TIMED_OUT. */
  readonly requestTimeoutMs: number;
}

export const CONTROLLER_DEFAULTS: ControllerConfig = {
  brokerSessionTimeoutMs: 1_800,
  tickMs: 100,
  leaderRebalanceIntervalMs: 5_000,
  leaderRebalancePartitionsMax: 1_000,
  defaultPartitions: 1,
  defaultReplicationFactor: 1,
  defaultMinInsyncReplicas: 1,
  partitionsPerRequestMax: 10_000,
  partitionsMax: 40_000,
  producerIdBlockLength: 1_000,
  pendingRequestsMax: 10_000,
  requestTimeoutMs: 30_000,
};
