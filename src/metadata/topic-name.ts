/** Kafka's rules for topic names. Names are never file names or object keys here, but other tools use them so. */

const TOPIC_NAME_CHARS_MAX = 249;
const LEGAL_CHARS = /^[a-zA-Z0-9._-]+$/;
/** Names of topics that the cluster itself presents. */
const RESERVED: ReadonlySet<string> = new Set(['__consumer_offsets', '__transaction_state']);

/** Why a name is refused, or `undefined` when it is fine. */
export function topicNameProblem(name: string): string | undefined {
  if (name === '') return 'the topic name is empty';
  if (name === '.' || name === '..') return `the topic name cannot be "${name}"`;
  if (name.length > TOPIC_NAME_CHARS_MAX)
    return `the topic name has ${name.length} characters; at most ${TOPIC_NAME_CHARS_MAX} are allowed`;
  if (!LEGAL_CHARS.test(name))
    return `the topic name ${JSON.stringify(name)} has characters other than a-z, A-Z, 0-9, '.', '_' and '-'`;
  if (RESERVED.has(name)) return `the topic name ${name} is reserved for the cluster`;
  return undefined;
}
