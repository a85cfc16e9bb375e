/** Adds to the list under a key: requests carry their partitions by topic, or go out by node. */
export function addTo<K, V>(lists: Map<K, V[]>, key: K, value: V): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [value]);
  else list.push(value);
}

/** Partitions as most requests list them: under their topics. */
export function byTopic(
  partitions: readonly { readonly topic: string; readonly partition: number }[],
): { topic: string; partitions: number[] }[] {
  const lists = new Map<string, number[]>();
  for (const { topic, partition } of partitions) addTo(lists, topic, partition);
  return [...lists].map(([topic, indexes]) => ({ topic, partitions: indexes }));
}
