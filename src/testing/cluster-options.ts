import type { NewTopic } from '../client/index.ts';
import type { Logger } from '../platform/ports.ts';
import type { NodeConfigInput } from '../server/config.ts';

/** Keys of a node's config that the cluster sets itself. */
type OwnKeys =
  | 'nodeId'
  | 'dataDir'
  | 'host'
  | 'port'
  | 'kafka'
  | 'advertisedHost'
  | 'rack'
  | 'voters'
  | 'bootstrapAlone'
  | 'logLevel'
  | 'logPretty';

/** How a throw-away cluster is made. Everything may be left out. */
export interface ClusterOptions {
  /** One node (the default) starts fastest; three replicate, and survive the loss of one. */
  readonly nodes?: 1 | 3;
  /** Where the data is: in memory (the default), or in a folder of the system's for temporary files. Both are gone at the end. */
  readonly storage?: 'memory' | 'folder';
  /** Topics to create before the cluster is handed over: names, or what `admin.createTopic` takes. */
  readonly topics?: readonly (string | NewTopic)[];
  /**
   * Keys of the nodes' config (docs/operations.md). A topic has as many replicas as there are nodes, and of three two must
   * have a write, unless set here. Every other default is that of production.
   */
  readonly config?: Omit<NodeConfigInput, OwnKeys>;
  /** Where the nodes log: nowhere by default, `pretty` for people on the standard output, or a logger such as pino's. */
  readonly logger?: 'pretty' | Logger;
  /** How long the nodes (also a restarted one) may take until they serve; 10,000 ms by default. */
  readonly startTimeoutMs?: number;
}
