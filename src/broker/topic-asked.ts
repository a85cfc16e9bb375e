import type { MetadataImage, TopicImage } from '../metadata/image.ts';
import { ZERO_UUID } from '../protocol/uuid.ts';

/** The topic that a request means: by its id, or by its name where the id is zero. */
export function topicAsked(image: MetadataImage, topicId: string, name: string): TopicImage | undefined {
  return topicId === ZERO_UUID ? image.topicByName(name) : image.topics.get(topicId);
}

/** What to answer where there is no such topic. */
export function unknownTopic(topicId: string): 'UNKNOWN_TOPIC_ID' | 'UNKNOWN_TOPIC_OR_PARTITION' {
  return topicId === ZERO_UUID ? 'UNKNOWN_TOPIC_OR_PARTITION' : 'UNKNOWN_TOPIC_ID';
}
