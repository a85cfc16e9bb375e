import type { Model } from './linearizability.ts';

/** What was done to one topic name, or learned of it. */
export type TopicCall =
  /** Without an id: no answer came. */
  | { readonly did: 'create' | 'delete'; readonly id?: string }
  | { readonly found: 'exists' | 'missing' }
  | { readonly found: 'id'; readonly id: string };

const MISSING = 'missing';
/** It exists, by an attempt that nobody had an answer to. */
const SOME_ID = 'some id';

/** A topic name: nothing, or a topic with an id, in turn. */
export const topicModel: Model<string, TopicCall> = {
  initial: MISSING,
  step(state, call) {
    if ('found' in call) {
      if ((call.found === 'missing') !== (state === MISSING)) return undefined;
      return call.found === 'id' ? bound(state, call.id) : state;
    }
    if (call.did === 'create') return state === MISSING ? (call.id ?? SOME_ID) : undefined;
    if (state === MISSING) return undefined;
    return call.id === undefined || bound(state, call.id) !== undefined ? MISSING : undefined;
  },
  keyOf: (state) => state,
};

/** The id that somebody saw becomes that of a topic whose id nobody knew. */
const bound = (state: string, id: string) => (state === SOME_ID || state === id ? id : undefined);
