/**
 * What whoever meets an error can do about it. Most errors need only what their action says, which the client does by
 * itself; here stands what only a person can do.
 */

import type { ErrorAction, ErrorName } from './error-table.ts';

const BY_ACTION: Readonly<Record<ErrorAction, string>> = {
  none: 'Nothing: what was asked for is the case.',
  'refresh-metadata':
    'The client looks for the right broker and tries again; where this lasts, see whether brokers are down or unreachable.',
  rejoin: 'The consumer joins again by itself; what it had not committed is read again.',
  retry:
    "Try again later; the client does so within its time limits. Where this lasts, look at the broker's log.",
  'give-up': "Correct the request; the message says what is wrong with it, the broker's log may say more.",
};

const AUTHORIZE = 'Ask an administrator for the permission, or use another identity.';
const TRANSACTION =
  'Abort the transaction and begin a new one; a producer that was fenced must be made anew.';
const FENCED = 'Close this producer: another took its place. Give each running instance an id of its own.';
const ONE_MEMBER = 'Let each running member have a groupInstanceId of its own, or wait for the other to go.';

const SPECIFIC: { readonly [name in ErrorName]?: string } = {
  UNKNOWN_SERVER_ERROR: "Look into the broker's log: this is a defect of the server or of its environment.",
  OFFSET_OUT_OF_RANGE: 'Seek to an offset that exists, or set autoOffsetReset to earliest or latest.',
  CORRUPT_MESSAGE:
    'Try again: damage on the way heals. Where the same offset stays damaged, seek past it, and check the disk of the leader.',
  UNKNOWN_TOPIC_OR_PARTITION: 'Check the name and the number of the partition, or create the topic.',
  MESSAGE_TOO_LARGE: 'Send smaller records, or raise max.message.bytes of the topic.',
  OFFSET_METADATA_TOO_LARGE: 'Commit with a shorter metadata string.',
  NETWORK_EXCEPTION:
    'Check that the broker is up and reachable; what was asked may or may not have been done.',
  INVALID_TOPIC_EXCEPTION: 'Use letters, digits, dots, dashes and underscores, at most 249.',
  RECORD_LIST_TOO_LARGE: 'Send smaller batches, or raise segment.bytes of the topic.',
  NOT_ENOUGH_REPLICAS: 'Bring replicas back into sync, or lower min.insync.replicas of the topic.',
  NOT_ENOUGH_REPLICAS_AFTER_APPEND:
    'Bring replicas back into sync; the record is in the log, but not yet safe.',
  INCONSISTENT_GROUP_PROTOCOL: 'Let all members of the group use the same protocol and a common assignor.',
  INVALID_GROUP_ID: 'Give the group a name that is not empty.',
  TOPIC_AUTHORIZATION_FAILED: AUTHORIZE,
  GROUP_AUTHORIZATION_FAILED: AUTHORIZE,
  CLUSTER_AUTHORIZATION_FAILED: AUTHORIZE,
  TRANSACTIONAL_ID_AUTHORIZATION_FAILED: AUTHORIZE,
  DELEGATION_TOKEN_AUTHORIZATION_FAILED: AUTHORIZE,
  SASL_AUTHENTICATION_FAILED: 'Check the name and the secret.',
  INVALID_TIMESTAMP:
    'Send a timestamp near the present, or change message.timestamp.before.max.ms or .after.max.ms.',
  UNSUPPORTED_VERSION: 'Use a client and a cluster whose releases know each other; upgrade the older one.',
  TOPIC_ALREADY_EXISTS: 'Use the topic that is there, choose another name, or delete it first.',
  INVALID_PARTITIONS:
    'Ask for at least one partition, and for more than there are: their number never falls.',
  INVALID_REPLICATION_FACTOR: 'Ask for no more replicas than there are brokers alive, or start more brokers.',
  INVALID_CONFIG: 'Correct the name or the value; the message names it.',
  OUT_OF_ORDER_SEQUENCE_NUMBER:
    'The producer goes on with a new epoch by itself; records that failed may be sent again.',
  INVALID_PRODUCER_EPOCH: FENCED,
  PRODUCER_FENCED: FENCED,
  INVALID_TXN_STATE: TRANSACTION,
  INVALID_PRODUCER_ID_MAPPING: TRANSACTION,
  TRANSACTION_ABORTABLE: TRANSACTION,
  INVALID_TRANSACTION_TIMEOUT: 'Choose a shorter transaction timeout, or raise transaction.max.timeout.ms.',
  KAFKA_STORAGE_ERROR: "Check the broker's disk; its partitions move to other replicas meanwhile.",
  NON_EMPTY_GROUP: 'Stop the members of the group first.',
  GROUP_ID_NOT_FOUND: 'Check the name of the group; groups without members and offsets are forgotten.',
  UNSUPPORTED_COMPRESSION_TYPE:
    'Use gzip, snappy, lz4 or zstd, and check that its codec can be loaded on this platform.',
  GROUP_MAX_SIZE_REACHED: 'Stop members, or raise group.consumer.max.size.',
  FENCED_INSTANCE_ID: ONE_MEMBER,
  UNRELEASED_INSTANCE_ID: ONE_MEMBER,
  GROUP_SUBSCRIBED_TO_TOPIC: 'Unsubscribe the group from the topic first.',
  INVALID_RECORD: 'Correct the record: a compacted topic, for one, takes no records without a key.',
  THROTTLING_QUOTA_EXCEEDED: 'Send less, or ask an administrator for a higher quota.',
  INCONSISTENT_CLUSTER_ID: 'Check the addresses: they lead to another cluster.',
  DUPLICATE_BROKER_REGISTRATION: 'Give each broker an id of its own.',
  UNSUPPORTED_ASSIGNOR: 'Use uniform or range.',
  INVALID_REGULAR_EXPRESSION: 'Correct the regular expression; it is in the syntax of RE2.',
};

export function adviceFor(name: ErrorName, action: ErrorAction): string {
  return SPECIFIC[name] ?? BY_ACTION[action];
}
