import { TOPIC_CONFIGS, type TopicConfigDefinition } from '../../src/metadata/topic-config.ts';
import { markdownTable } from './markdown.ts';

/** The configs of a topic, under Kafka's names. */
export function topicConfigTable(): string {
  const rows = Array.from(TOPIC_CONFIGS.values(), (definition) => [
    `\`${definition.name}\``,
    `\`${definition.default}\``,
    valuesOf(definition),
    definition.doc,
  ]);
  return markdownTable(['config', 'default', 'values', 'meaning'], rows);
}

function valuesOf(definition: TopicConfigDefinition): string {
  if ('values' in definition) return definition.values.map((value) => `\`${value}\``).join(', ');
  const { min, max } = definition;
  return max === Number.MAX_SAFE_INTEGER ? `${min} or more` : `${min} to ${max}`;
}
