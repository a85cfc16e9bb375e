import type * as fc from 'fast-check';
import type { MetadataImage } from '../../src/metadata/image.ts';
import type { ClusterNode, SimCluster } from '../cluster/sim-cluster.ts';
import type { Coverage } from '../coverage.ts';
import type { Prng } from '../sim/prng.ts';
import type { SimWorld } from '../sim/world.ts';
import type { Workloads } from '../workloads/workloads.ts';
import type { Target } from './target.ts';

/** What a fault strikes. */
export interface FaultContext {
  readonly world: SimWorld;
  readonly cluster: SimCluster;
  readonly workloads: Workloads;
  readonly random: Prng;
  readonly coverage: Coverage;
  /** The newest committed metadata, whoever knows of it. */
  image(): MetadataImage;
  /** Whom a target means at this moment. */
  resolve(target: Target): ClusterNode;
  /** Ends a node's process at once; the function returned starts it again, unless somebody else did. */
  kill(member: ClusterNode, how: 'process' | 'power'): () => void;
  /** Starts every node that is down. */
  restartAll(): void;
}

/** Takes a fault back; may be called when it is over already. */
export type TakeBack = () => void;

/** It did nothing: it would take more than the replicas can repair, or there was nothing to strike. */
export const HELD_BACK = Symbol('held back');

/**
 * One kind of fault: what there is to draw, and how it is done. Every fault ends by itself or when it is taken back, and
 * never takes more than the replicas can repair, so that a failed run is a bug. To add one: a file like its neighbours,
 * and its line in `index.ts`.
 */
export interface FaultKind<K extends string = string, P extends object = object> {
  readonly kind: K;
  /** How often plans have it, beside the others, where they have it at all. */
  readonly weight: number;
  readonly params: fc.Arbitrary<P>;
  strike(params: P, on: FaultContext): TakeBack | undefined | typeof HELD_BACK;
}

/** Infers the names and types of a kind. */
export const faultKind = <const K extends string, P extends object>(kind: FaultKind<K, P>): FaultKind<K, P> =>
  kind;

/** The plain data of a fault of one kind, as it stands in a plan. */
export type FaultOf<Kind> = Kind extends FaultKind<infer K, infer P> ? { readonly kind: K } & P : never;
