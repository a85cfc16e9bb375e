import { parse } from 'yaml';
import { z } from 'zod';
import { asError } from '../platform/as-error.ts';

/** A config that can't be used. The message names the key, what is wrong with it and what would be right. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly code = 'INVALID_CONFIG';
}

const port = z.number().int().min(0).max(65_535);
const ms = (low: number, high: number) => z.number().int().min(low).max(high);
const bytes = (low: number) => z.number().int().min(low).max(2_000_000_000);
const count = (low: number, high: number) => z.number().int().min(low).max(high);

/** `1@127.0.0.1:7001`: the id of a voter and where the others reach it. */
const voter = z.string().transform((text, context) => {
  const match = /^(\d+)@(.+):(\d+)$/.exec(text);
  if (!match?.[1] || !match[2] || !match[3]) {
    context.addIssue({
      code: 'custom',
      message: `"${text}" is no voter; write id@host:port, such as 1@127.0.0.1:7001`,
    });
    return z.NEVER;
  }
  return { id: Number(match[1]), host: match[2], port: Number(match[3]) };
});

const schema = z.strictObject({
  /** Unique in the cluster, and never given to another node. */
  nodeId: count(0, 2 ** 31 - 1),
  /** The folder that holds all that this node must not lose. */
  dataDir: z.string().min(1),
  /** The address to listen on. */
  host: z.string().default('127.0.0.1'),
  /** One port for clients, peers and health checks; 0 picks a free one. */
  port: port.default(7001),
  /** What clients and peers are told to connect to; the listening host unless set. */
  advertisedHost: z.string().optional(),
  /** The failure domain of this node; replicas of a partition are spread over racks. */
  rack: z.string().optional(),
  /** The nodes that vote in the metadata quorum; the same list on every node. */
  voters: z.array(voter).min(1).max(15),
  /** Found the cluster without waiting for the other voters. Only to replace a quorum that is lost for good. */
  bootstrapAlone: z.boolean().default(false),
  logLevel: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'silent']).default('info'),
  logPretty: z.boolean().default(false),
  topicDefaults: z
    .strictObject({
      partitions: count(1, 10_000).default(1),
      replicationFactor: count(1, 100).default(3),
      minInsyncReplicas: count(1, 100).default(1),
    })
    .prefault({}),
  limits: z
    .strictObject({
      requestBytesMax: bytes(1024).default(16 * 1024 * 1024),
      connectionsMax: count(1, 1_000_000).default(10_000),
      inFlightRequestsMax: count(1, 10_000).default(100),
      tailCacheBytesMax: bytes(0).default(32 * 1024 * 1024),
      fetchBytesMax: bytes(1024).default(8 * 1024 * 1024),
      electionTimeoutMs: ms(50, 60_000).default(1000),
      raftHeartbeatMs: ms(10, 10_000).default(150),
      raftSnapshotEntries: count(10, 10_000_000).default(20_000),
      brokerSessionTimeoutMs: ms(100, 600_000).default(3000),
      brokerHeartbeatMs: ms(10, 60_000).default(500),
      replicaLagTimeMaxMs: ms(100, 600_000).default(10_000),
      controlledShutdownTimeoutMs: ms(0, 600_000).default(10_000),
      offsetsRetentionMs: ms(60_000, 4e10).default(7 * 24 * 3600 * 1000),
    })
    .prefault({}),
});

/** The whole configuration of one node, with every default filled in. Times are ms, sizes bytes. */
export type NodeConfig = z.infer<typeof schema>;
/** What a caller writes: everything with a default may be left out. */
export type NodeConfigInput = z.input<typeof schema>;

/** Checks a configuration and fills in the defaults. @throws ConfigError naming every key that is wrong. */
export function nodeConfig(input: unknown): NodeConfig {
  const result = schema.safeParse(input);
  if (!result.success) throw new ConfigError(describe(result.error));
  const config = result.data;
  const ids = config.voters.map((each) => each.id);
  if (new Set(ids).size < ids.length)
    throw new ConfigError(`voters: an id stands twice in ${ids.join(', ')}`);
  if (config.limits.raftHeartbeatMs * 3 > config.limits.electionTimeoutMs) {
    throw new ConfigError('limits.raftHeartbeatMs must be at most a third of limits.electionTimeoutMs');
  }
  if (config.limits.brokerHeartbeatMs * 3 > config.limits.brokerSessionTimeoutMs) {
    throw new ConfigError(
      'limits.brokerHeartbeatMs must be at most a third of limits.brokerSessionTimeoutMs',
    );
  }
  return config;
}

/**
 * Parses a YAML config file's text and applies `--set` overrides (`limits.requestBytesMax=1048576`; a list is
 * written with commas). @throws ConfigError
 */
export function parseNodeConfig(text: string, overrides: readonly string[] = []): NodeConfig {
  let input: unknown;
  try {
    input = parse(text) ?? {};
  } catch (cause) {
    throw new ConfigError(`not YAML: ${asError(cause).message}`, { cause });
  }
  if (typeof input !== 'object' || input === null || Array.isArray(input)) {
    throw new ConfigError('a config file is a YAML map, such as "nodeId: 1"');
  }
  const tree = new Map(Object.entries(input));
  for (const override of overrides) applyOverride(tree, override);
  return nodeConfig(plain(tree));
}

type Tree = Map<string, unknown>;

function applyOverride(tree: Tree, override: string): void {
  const at = override.indexOf('=');
  if (at < 1) throw new ConfigError(`--set ${override}: write key=value, such as port=7001`);
  const path = override.slice(0, at).split('.');
  const leaf = path.pop() ?? '';
  let node = tree;
  for (const key of path) {
    const child = node.get(key);
    const next: Tree =
      child instanceof Map ? child : new Map(typeof child === 'object' && child ? Object.entries(child) : []);
    node.set(key, next);
    node = next;
  }
  const text = override.slice(at + 1);
  node.set(leaf, leaf === 'voters' ? text.split(',') : parse(text));
}

/** A tree of maps as plain objects without a prototype, so that a key named `__proto__` stays a (refused) key. */
function plain(tree: Tree): object {
  const object = Object.create(null);
  for (const [key, value] of tree) object[key] = value instanceof Map ? plain(value) : value;
  return object;
}

function describe(error: z.ZodError): string {
  return error.issues
    .map((issue) => {
      const path = issue.path.join('.');
      if (issue.code === 'unrecognized_keys') {
        const known = knownKeys(issue.path);
        return issue.keys
          .map((key) => `${path ? `${path}.` : ''}${key}: unknown key; the keys here are ${known.join(', ')}`)
          .join('; ');
      }
      return `${path || 'config'}: ${issue.message}`;
    })
    .join('; ');
}

function knownKeys(path: readonly PropertyKey[]): string[] {
  if (path[0] === 'limits') return Object.keys(schema.shape.limits.unwrap().shape);
  if (path[0] === 'topicDefaults') return Object.keys(schema.shape.topicDefaults.unwrap().shape);
  return Object.keys(schema.shape);
}
