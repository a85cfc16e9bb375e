/** What changed between two images. Unchanged parts are shared, so comparing references finds all changes. */

import type { Map as ImmutableMap } from 'immutable';
import type { BrokerImage, MetadataImage, TopicImage } from './image.ts';

export interface MetadataDelta {
  /** New topics, and those with any other partition or config, by ascending id. */
  readonly topicsChanged: readonly TopicImage[];
  readonly topicsRemoved: readonly TopicImage[];
  readonly brokersChanged: readonly BrokerImage[];
}

/** The changes that lead from `before` to `after`. */
export function deltaOf(before: MetadataImage, after: MetadataImage): MetadataDelta {
  return {
    topicsChanged: differing(before.topics, after.topics, (a, b) => (a.id < b.id ? -1 : 1)),
    topicsRemoved: removed(before.topics, after.topics, (a, b) => (a.id < b.id ? -1 : 1)),
    brokersChanged: differing(before.brokers, after.brokers, (a, b) => a.id - b.id),
  };
}

function differing<K, V>(
  before: ImmutableMap<K, V>,
  after: ImmutableMap<K, V>,
  order: (a: V, b: V) => number,
): V[] {
  if (before === after) return [];
  return [...after.entries()]
    .filter(([key, value]) => before.get(key) !== value)
    .map(([, value]) => value)
    .sort(order);
}

function removed<K, V>(
  before: ImmutableMap<K, V>,
  after: ImmutableMap<K, V>,
  order: (a: V, b: V) => number,
): V[] {
  if (before === after) return [];
  return [...before.entries()]
    .filter(([key]) => !after.has(key))
    .map(([, value]) => value)
    .sort(order);
}
