import type { Model } from './linearizability.ts';

export type OffsetCall = { readonly committed: number } | { readonly fetched: number };

export const NOTHING_COMMITTED = -1;

/** The committed offset of a group in a partition: a register. */
export const offsetModel: Model<number, OffsetCall> = {
  initial: NOTHING_COMMITTED,
  step(state, call) {
    if ('committed' in call) return call.committed;
    return call.fetched === state ? state : undefined;
  },
  keyOf: String,
};
