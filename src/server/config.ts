/**
 * The schema of a node's configuration: the only place that knows its keys. A key is one line with its type, its limits,
 * its default and a description for whoever runs a node. The environment variables, `--set`, the table in
 * docs/operations.md, `odradek config` and the messages about wrong values all follow from it.
 */
import { z } from 'zod';
import { CATALOGUE_VERSION, OLDEST_CATALOGUE_VERSION } from '../protocol/catalogue-version.ts';

const integer = (low: number, high: number) => z.int().min(low).max(high);
const count = integer;
const port = integer(0, 65_535);
/** The key's name ends in `Ms`; a text may say it with a unit (`10s`). */
const ms = integer;
/** The key's name contains `Bytes`; a text may say it with a unit (`16MiB`). */
const bytes = (low: number) => integer(low, 2_000_000_000);
const text = z.string().min(1).max(1000);
const flag = z.boolean();

/** `1@127.0.0.1:7001`: the id of a voter and where the others reach it. */
const voter = z.string().transform((written, context) => {
  const match = /^(\d{1,10})@(.+):(\d{1,5})$/.exec(written);
  if (!match?.[1] || !match[2] || !match[3]) {
    const message = `"${written}" is no voter; write id@host:port, such as 1@127.0.0.1:7001`;
    context.addIssue({ code: 'custom', message });
    return z.NEVER;
  }
  return { id: Number(match[1]), host: match[2], port: Number(match[3]) };
});

/** A name or an address; what else stands in an address of a service has a key of its own. */
const host = text.refine((written) => /^([^\s/:@]+|[\da-f]*:[\da-f]*:[\da-f:.%\w]*)$/i.test(written), {
  error: ({ input }) => `"${input}" is no host; write a name or an IP address, without a scheme or a port`,
});

/** What a browser sends along as the origin of a page. */
const origin = z.string().refine(isOrigin, {
  error: ({ input }) =>
    `"${input}" is no origin; write scheme://host:port and nothing behind it, such as https://app.example.org, or *`,
});

function isOrigin(written: string): boolean {
  if (written.includes('*')) return written === '*';
  const url = URL.canParse(written) ? new URL(written) : undefined;
  // Schemes that only browsers have, such as that of an extension, have no origin to the URL standard.
  return url?.origin === 'null' ? /^[^:/]+:\/\/[^/?#]+$/.test(written) : url?.origin === written;
}

const kafka = z.strictObject({
  port: port.optional().describe("For Kafka's own clients; 0 takes a free one. Unset: they can't connect."),
  host: host.optional().describe("The address to listen on for Kafka's clients; `host` unless set."),
  advertisedHost: host
    .optional()
    .describe("The name under which Kafka's clients reach this node; `advertisedHost`, else `kafka.host`."),
  advertisedPort: port.optional().describe('The port under which they do; `kafka.port` unless set.'),
});

const topicDefaults = z.strictObject({
  partitions: count(1, 10_000).default(1).describe('Partitions of a topic.'),
  replicationFactor: count(1, 100).default(3).describe('Replicas of each partition.'),
  minInsyncReplicas: count(1, 100).default(1).describe('Its `min.insync.replicas`.'),
});

const limits = z.strictObject({
  requestBytesMax: bytes(1024)
    .default(16 * 1024 * 1024)
    .describe('The largest request that is read; the connection of a larger one is closed.'),
  connectionsMax: count(1, 1_000_000).default(10_000).describe('Open connections; further ones are refused.'),
  inFlightRequestsMax: count(1, 10_000)
    .default(100)
    .describe('Requests of one connection that are being handled; reading from it pauses meanwhile.'),
  connectionIdleTimeoutMs: ms(60_000, 24 * 3600 * 1000)
    .default(10 * 60 * 1000)
    .describe('A connection without a message in either direction for this time is closed.'),
  connectionBuffersBytesMax: bytes(1024 * 1024)
    .default(256 * 1024 * 1024)
    .describe(
      'What all connections hold together of unread answers and unfinished messages; beyond it the largest is closed.',
    ),
  tailCacheBytesMax: bytes(0)
    .default(32 * 1024 * 1024)
    .describe('Memory for the newest batches, from which followers and consumers at the end are served.'),
  fetchBytesMax: bytes(1024)
    .default(8 * 1024 * 1024)
    .describe('Records in one fetch of a follower.'),
  retentionCheckMs: ms(100, 24 * 3600 * 1000)
    .default(60_000)
    .describe('How often `retention.ms` and `retention.bytes` of the topics are applied to the logs.'),
  electionTimeoutMs: ms(50, 60_000)
    .default(1000)
    .describe(
      'A voter that hears no leader of the quorum for this time, or up to twice as long, runs for it.',
    ),
  raftHeartbeatMs: ms(10, 10_000)
    .default(250)
    .describe('How often the leader of the quorum is heard. At most a third of `limits.electionTimeoutMs`.'),
  raftSnapshotEntries: count(10, 10_000_000)
    .default(20_000)
    .describe('A snapshot of the metadata replaces the log behind it after so many entries.'),
  wipedVoterTimeoutMs: ms(1000, 24 * 3600 * 1000)
    .default(10_000)
    .describe(
      'A voter that is silent for this time, while its node is back with a new disk, gives its seat up to that disk.',
    ),
  brokerSessionTimeoutMs: ms(100, 600_000)
    .default(1800)
    .describe(
      'A broker that the controller does not hear for this time is fenced: others lead its partitions.',
    ),
  brokerHeartbeatMs: ms(10, 60_000)
    .default(300)
    .describe('How often a broker is heard. At most a third of `limits.brokerSessionTimeoutMs`.'),
  replicaLagTimeMaxMs: ms(100, 600_000)
    .default(10_000)
    .describe('A follower that has not caught up for this time leaves the in-sync replicas.'),
  controlledShutdownTimeoutMs: ms(0, 600_000)
    .default(10_000)
    .describe(
      'How long a stopping node waits for others to lead its partitions. Keep it below the grace period.',
    ),
  offsetsRetentionMs: ms(60_000, 400 * 24 * 3600 * 1000)
    .default(7 * 24 * 3600 * 1000)
    .describe("A group's committed offsets are forgotten after it was empty for this time."),
});

const isWildcard = (host: string | undefined) => host === '0.0.0.0' || host === '::';

export const configSchema = z
  .strictObject({
    nodeId: count(0, 2 ** 31 - 1).describe('Unique in the cluster, and never given to another node.'),
    dataDir: text.describe('The folder of all that this node must not lose.'),
    host: host
      .default('127.0.0.1')
      .describe('The address to listen on; `0.0.0.0` or `::` for all, then with `advertisedHost`.'),
    port: port
      .default(7001)
      .describe('For WebSocket clients, other nodes and health checks; 0 takes a free one.'),
    advertisedHost: host
      .optional()
      .describe('The name under which clients and other nodes reach this one; `host` unless set.'),
    allowedOrigins: z
      .array(origin)
      .max(1000)
      .default([])
      .describe(
        'Pages that may connect, by exact origin (`https://app.example.org`), or `*`. Only browsers need permission.',
      ),
    kafka: kafka.prefault({}).describe("The listener for Kafka's own clients."),
    rack: text
      .optional()
      .describe('The failure domain of this node; the replicas of a partition are spread over racks.'),
    voters: z
      .array(voter)
      .min(1)
      .max(15)
      .describe(
        'The voters that found the cluster, as `id@host:port`, the same on every node; later, where to find it. Who votes by then is in its log.',
      ),
    bootstrapAlone: flag
      .default(false)
      .describe(
        'Found the cluster without waiting for the other voters. Only where a quorum is lost for good.',
      ),
    catalogueVersion: count(OLDEST_CATALOGUE_VERSION, CATALOGUE_VERSION)
      .default(CATALOGUE_VERSION)
      .describe(
        'Speak and write like the release with this version of the catalogue, so that a rolling upgrade can be taken back.',
      ),
    replaceWipedVoters: flag
      .default(true)
      .describe(
        'Give the seat of a voter to the same node with a new disk, once its old disk was silent for `limits.wipedVoterTimeoutMs`.',
      ),
    logLevel: z
      .enum(['trace', 'debug', 'info', 'warn', 'error', 'silent'])
      .default('info')
      .describe('The least level that is logged.'),
    logPretty: flag.default(false).describe('Log lines for people instead of JSON.'),
    autoCreateTopics: flag
      .default(true)
      .describe('Create a topic when a client asks for its metadata, unless the client says not to.'),
    topicDefaults: topicDefaults.prefault({}).describe('What a topic gets whose creator does not say.'),
    limits: limits.prefault({}).describe('Bounds of time, memory and number.'),
  })
  .superRefine((config, context) => {
    const refuse = (path: string[], message: string) => context.addIssue({ code: 'custom', path, message });
    const ids = config.voters.map((each) => each.id);
    if (new Set(ids).size < ids.length) refuse(['voters'], `an id stands twice in ${ids.join(', ')}`);
    if (isWildcard(config.host) && config.advertisedHost === undefined) {
      refuse(
        ['advertisedHost'],
        `nobody can connect to ${config.host}; set the name under which others reach this node`,
      );
    }
    const { kafka, advertisedHost } = config;
    if (isWildcard(kafka.host) && kafka.advertisedHost === undefined && advertisedHost === undefined) {
      refuse(
        ['kafka', 'advertisedHost'],
        `nobody can connect to ${kafka.host}; set the name under which Kafka's clients reach this node`,
      );
    }
    const { electionTimeoutMs, raftHeartbeatMs, brokerSessionTimeoutMs, brokerHeartbeatMs } = config.limits;
    if (raftHeartbeatMs * 3 > electionTimeoutMs) {
      refuse(
        ['limits', 'raftHeartbeatMs'],
        `must be at most a third of limits.electionTimeoutMs, ${electionTimeoutMs}`,
      );
    }
    if (brokerHeartbeatMs * 3 > brokerSessionTimeoutMs) {
      refuse(
        ['limits', 'brokerHeartbeatMs'],
        `must be at most a third of limits.brokerSessionTimeoutMs, ${brokerSessionTimeoutMs}`,
      );
    }
  });

/** The whole configuration of one node, with every default filled in. Times are ms, sizes bytes. */
export type NodeConfig = z.output<typeof configSchema>;
/** What a caller writes: everything with a default may be left out. */
export type NodeConfigInput = z.input<typeof configSchema>;
