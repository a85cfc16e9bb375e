/**
 * The configs of topics, under Kafka's keys: type, default, what is valid, what each means. The table is the only
 * place that knows them; the documentation is made from it.
 */
import { nearest } from '../platform/nearest.ts';

interface ConfigCommon {
  readonly name: string;
  readonly default: string;
  readonly doc: string;
}
/** One config. `type` says how its text is read. */
export type TopicConfigDefinition = ConfigCommon &
  (
    | { readonly type: 'long' | 'int'; readonly min: number; readonly max: number }
    | { readonly type: 'enum' | 'boolean'; readonly values: readonly string[] }
  );

const LONG_MAX = Number.MAX_SAFE_INTEGER;
const INT_MAX = 2 ** 31 - 1;
const BOOLEANS = ['true', 'false'] as const;

const TABLE = {
  'retention.ms': {
    type: 'long',
    default: '604800000',
    min: -1,
    max: LONG_MAX,
    doc: 'Whole segments are deleted once their newest record is older than this; -1 keeps them forever.',
  },
  'retention.bytes': {
    type: 'long',
    default: '-1',
    min: -1,
    max: LONG_MAX,
    doc: 'The oldest segments of a partition are deleted while it is larger than this; -1 means no limit.',
  },
  'segment.bytes': {
    type: 'int',
    default: '1073741824',
    min: 1024,
    max: INT_MAX,
    doc: 'A segment is closed, and a new one begun, before it grows beyond this.',
  },
  'segment.ms': {
    type: 'long',
    default: '604800000',
    min: 1,
    max: LONG_MAX,
    doc: 'A segment is closed at the latest after this time, so that retention can delete it.',
  },
  'max.message.bytes': {
    type: 'int',
    default: '1048588',
    min: 0,
    max: INT_MAX,
    doc: 'The largest record batch, compressed, that is accepted.',
  },
  'min.insync.replicas': {
    type: 'int',
    default: '1',
    min: 1,
    max: INT_MAX,
    doc: 'With acks=all, a record is acknowledged only while at least so many replicas are in sync and hold it.',
  },
  flush: {
    type: 'enum',
    default: 'sync',
    values: ['sync', 'os'],
    doc: "sync: a replica counts what it has fdatasynced. os: what the operating system took (Kafka's own way).",
  },
  'index.interval.bytes': {
    type: 'int',
    default: '4096',
    min: 1,
    max: INT_MAX,
    doc: 'An entry of the offset index is written about once in so many bytes.',
  },
  'message.timestamp.type': {
    type: 'enum',
    default: 'CreateTime',
    values: ['CreateTime', 'LogAppendTime'],
    doc: "Whether a record carries the producer's time or that of the append.",
  },
  'unclean.leader.election.enable': {
    type: 'boolean',
    default: 'false',
    values: BOOLEANS,
    doc: 'Whether a replica that may miss acknowledged records can lead when no other is left. Loses records.',
  },
  'cleanup.policy': {
    type: 'enum',
    default: 'delete',
    values: ['delete'],
    doc: 'What happens to old segments.',
  },
} as const satisfies Record<
  string,
  { type: string; default: string; doc: string } & (
    | { min: number; max: number }
    | { values: readonly string[] }
  )
>;

/** The name of a topic config. */
type TopicConfigName = keyof typeof TABLE;

/** Every definition, by name. */
export const TOPIC_CONFIGS: ReadonlyMap<string, TopicConfigDefinition> = new Map(
  Object.entries(TABLE).map(([name, row]): [string, TopicConfigDefinition] => [name, { name, ...row }]),
);

/** The configs of one topic, typed, with defaults for what it does not set. */
export interface TopicConfig {
  readonly retentionMs: number;
  readonly retentionBytes: number;
  readonly segmentBytes: number;
  readonly segmentMs: number;
  readonly maxMessageBytes: number;
  readonly minInsyncReplicas: number;
  readonly flush: 'sync' | 'os';
  readonly indexIntervalBytes: number;
  readonly timestampType: 'CreateTime' | 'LogAppendTime';
  readonly uncleanLeaderElection: boolean;
}

/** Where a config's value comes from: Kafka's ConfigSource. */
export const CONFIG_SOURCE = { topic: 1, staticBroker: 4, default: 5 } as const;

/** One config of a topic as it is in force. */
export interface TopicConfigInForce {
  readonly definition: TopicConfigDefinition;
  readonly value: string;
  /** The topic's own; else it is the default. */
  readonly source: typeof CONFIG_SOURCE.topic | typeof CONFIG_SOURCE.default;
}

/** Every config of a topic, whether it sets it or not. */
export function topicConfigsInForce(configs: {
  get(name: string): string | undefined;
}): TopicConfigInForce[] {
  return Array.from(TOPIC_CONFIGS.values(), (definition) => {
    const own = configs.get(definition.name);
    const source = own === undefined ? CONFIG_SOURCE.default : CONFIG_SOURCE.topic;
    return { definition, value: own ?? definition.default, source };
  });
}

/** What is wrong with setting `name` to `value`, or `undefined`. */
export function topicConfigProblem(name: string, value: string | null): string | undefined {
  const definition = TOPIC_CONFIGS.get(name);
  if (!definition)
    return `unknown topic config ${JSON.stringify(name)}; did you mean ${nearest(name, TOPIC_CONFIGS.keys())}?`;
  if (value === null) return `the topic config ${name} needs a value`;
  if ('values' in definition) {
    if (definition.values.includes(value)) return undefined;
    const meant = definition.type === 'enum' ? `; did you mean ${nearest(value, definition.values)}?` : '';
    return `the topic config ${name} is ${definition.values.join(' or ')}, not ${JSON.stringify(value)}${meant}`;
  }
  const { min, max } = definition;
  const number = /^-?\d{1,16}$/.test(value) ? Number(value) : Number.NaN;
  if (number >= min && number <= max) return undefined;
  const meant = Number.isNaN(number) ? '' : `; did you mean ${number < min ? min : max}?`;
  return `the topic config ${name} is a whole number from ${min} to ${max}, not ${JSON.stringify(value)}${meant}`;
}

/** The typed configs of a topic from what it sets. */
export function topicConfigOf(configs: { get(name: string): string | undefined }): TopicConfig {
  const text = (name: TopicConfigName) => configs.get(name) ?? TABLE[name].default;
  const number = (name: TopicConfigName) => Number(text(name));
  return {
    retentionMs: number('retention.ms'),
    retentionBytes: number('retention.bytes'),
    segmentBytes: number('segment.bytes'),
    segmentMs: number('segment.ms'),
    maxMessageBytes: number('max.message.bytes'),
    minInsyncReplicas: number('min.insync.replicas'),
    flush: text('flush') === 'os' ? 'os' : 'sync',
    indexIntervalBytes: number('index.interval.bytes'),
    timestampType: text('message.timestamp.type') === 'LogAppendTime' ? 'LogAppendTime' : 'CreateTime',
    uncleanLeaderElection: text('unclean.leader.election.enable') === 'true',
  };
}
