import type { Anomaly, DescribedTopic, History, TopicChange } from './history.ts';

/**
 * A node may lag behind with its metadata, but what it tells of must have been made: by a creation that had begun before
 * the node told of it, or by one without an answer, each of which may explain a single id.
 */
export function topicsFromNowhere(history: History): Anomaly[] {
  const creations: TopicChange[] = [];
  const described: DescribedTopic[] = [];
  for (const operation of history) {
    if (operation.type === 'createTopic') creations.push(operation);
    if (operation.type === 'describedTopic') described.push(operation);
  }
  const madeAt = new Map<string, number>();
  for (const { topic, topicId, startedAt, outcome } of creations) {
    if (outcome === 'ok' && topicId !== undefined) madeAt.set(`${topic} ${topicId}`, startedAt);
  }
  const unexplained = new Map<string, Set<string>>();
  return described.flatMap(({ topic, topicId, endedAt, process }): Anomaly[] => {
    if (topicId === undefined) return [];
    const startedAt = madeAt.get(`${topic} ${topicId}`);
    if (startedAt !== undefined && startedAt <= endedAt) return [];
    const ids = (unexplained.get(topic) ?? new Set()).add(topicId);
    unexplained.set(topic, ids);
    const maybeMade = creations.filter(
      (each) => each.topic === topic && each.outcome === 'unknown' && each.startedAt <= endedAt,
    );
    if (startedAt === undefined && ids.size <= maybeMade.length) return [];
    return [{ rule: 'topic from nowhere', message: `${process} saw ${topic} with the id ${topicId}` }];
  });
}
