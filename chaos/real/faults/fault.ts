import type { Prng } from '../../sim/prng.ts';
import type { Namespaces } from '../nemesis/namespaces.ts';
import type { RealCluster } from '../nemesis/real-cluster.ts';
import type { RealNode } from '../nemesis/real-node.ts';

/** What a fault may look at and act on. */
export interface FaultContext {
  readonly cluster: RealCluster;
  readonly random: Prng;
  /** The machines of the clients. */
  readonly clients: readonly string[];
  /** The leader of a partition drawn by chance; any node where that is not known. */
  leader(): Promise<RealNode>;
  /** The active controller; any node where that is not known. */
  controller(): Promise<RealNode>;
}

/** A fault that lasts. */
export interface Ongoing {
  /** For people: to whom it happens. */
  readonly what: string;
  end(): Promise<void>;
}

/** One way in which the world fails. */
export interface Fault {
  readonly name: string;
  readonly kind: 'process' | 'disk' | 'network';
  /** How long it lasts, from and to. */
  readonly lastsMs: readonly [number, number];
  /** Ends processes, whether gracefully or not. */
  readonly endsNodes?: boolean;
  /** Takes away what one node has stored. Until it was repaired nobody else may end: others may have the last copies. */
  readonly destroys?: boolean;
  /** Why it cannot happen on this machine, if so. */
  missing?(context: FaultContext): string | undefined;
  begin(context: FaultContext): Promise<Ongoing>;
}

export const anyNode = ({ cluster, random }: FaultContext): RealNode => random.pick(cluster.nodes);

export const nothing = async (): Promise<void> => {};

/** For a fault of packets: why there can be none. */
export const missingNamespaces = ({ cluster: { namespaces } }: FaultContext): string | undefined =>
  typeof namespaces === 'string' ? namespaces : undefined;

/** @throws Error where there are none */
export function namespacesOf({ cluster: { namespaces } }: FaultContext): Namespaces {
  if (typeof namespaces === 'string') throw new Error(namespaces);
  return namespaces;
}
