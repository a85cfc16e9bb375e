import type { NewTopic } from '../client/index.ts';
import { silentLogger } from '../client/rpc.ts';
import { installNativeCrc32c } from '../platform/crc32c.ts';
import type { Logger } from '../platform/ports.ts';
import { nodeCodecs } from '../protocol/codecs/node.ts';
import { setCodecLoader } from '../protocol/compression.ts';
import { crc32cJs, setCrc32c } from '../protocol/crc32c.ts';
import type { NodeConfig } from '../server/config.ts';
import { nodeConfig } from '../server/config-check.ts';
import { TestCluster } from './cluster.ts';
import { ClusterNode } from './cluster-node.ts';
import type { ClusterOptions } from './cluster-options.ts';
import { type HeldPort, holdFreePort } from './node-sockets.ts';
import { type ClusterStorage, openStorage } from './node-storage.ts';

const HOST = '127.0.0.1';
const START_TIMEOUT_MS = 10_000;

interface NodePorts {
  readonly ws: HeldPort;
  readonly kafka: HeldPort;
}

/**
 * Starts a cluster in this process, on free ports; resolves once every node serves.
 *
 *     await using cluster = await startCluster({ nodes: 3, topics: ['orders'] });
 *     await cluster.client().producer().send({ topic: 'orders', value: 'one' });
 *
 * @throws Error when it does not serve in time; nothing is left behind then. ConfigError for a config that can't be used
 */
export async function startCluster(options: ClusterOptions = {}): Promise<TestCluster> {
  const { storage: kind = 'memory', topics = [] } = options;
  checkNames(options);
  await useNativeParts();
  const storage = await openStorage(kind);
  let cluster: TestCluster | undefined;
  try {
    cluster = new TestCluster(await createNodes(options, storage), storage);
    await Promise.all(cluster.nodes.map((node) => node.launch()));
    await cluster.untilReady();
    if (topics.length > 0) await createTopics(cluster, topics);
    return cluster;
  } catch (error) {
    // The failure of a node is the cause of this error already.
    await cluster?.stop().catch(() => {});
    await storage.remove();
    throw error;
  }
}

/** For tests in JavaScript, where no compiler tells: a misspelt option would quietly do nothing. */
function checkNames(options: ClusterOptions): void {
  const known: Record<keyof ClusterOptions, true> = {
    nodes: true,
    storage: true,
    topics: true,
    config: true,
    logger: true,
    startTimeoutMs: true,
  };
  for (const name of Object.keys(options)) {
    if (!Object.hasOwn(known, name))
      throw new Error(`startCluster takes no ${name}, only ${Object.keys(known).join(', ')}`);
  }
}

async function createNodes(options: ClusterOptions, storage: ClusterStorage): Promise<ClusterNode[]> {
  const { nodes: count = 1, startTimeoutMs = START_TIMEOUT_MS } = options;
  if (count !== 1 && count !== 3) throw new Error(`nodes: a cluster here has 1 or 3, not ${count}`);
  const logger = await loggerOf(options.logger);
  const held: NodePorts[] = [];
  try {
    for (let id = 1; id <= count; id += 1)
      held.push({ ws: await holdFreePort(HOST), kafka: await holdFreePort(HOST) });
    return held.map(({ ws, kafka }, index) => {
      const nodeStorage = storage.of(index + 1);
      const config = configOf(index + 1, held, nodeStorage.dir, options);
      return new ClusterNode({ config, ports: [ws, kafka], storage: nodeStorage, logger, startTimeoutMs });
    });
  } catch (error) {
    for (const { ws, kafka } of held) for (const { server } of [ws, kafka]) server.close();
    throw error;
  }
}

function configOf(
  nodeId: number,
  held: readonly NodePorts[],
  dataDir: string,
  { config }: ClusterOptions,
): NodeConfig {
  return nodeConfig({
    ...config,
    topicDefaults: {
      replicationFactor: held.length,
      minInsyncReplicas: held.length === 1 ? 1 : 2,
      ...config?.topicDefaults,
    },
    nodeId,
    dataDir,
    host: HOST,
    port: held[nodeId - 1]?.ws.port,
    kafka: { port: held[nodeId - 1]?.kafka.port },
    voters: held.map(({ ws }, index) => `${index + 1}@${HOST}:${ws.port}`),
  });
}

async function createTopics(cluster: TestCluster, topics: readonly (string | NewTopic)[]): Promise<void> {
  const client = cluster.client();
  await client.admin().createTopics(topics.map((each) => (typeof each === 'string' ? { name: each } : each)));
  await client.close();
  await cluster.untilHealthy();
}

async function loggerOf(logger: ClusterOptions['logger']): Promise<Logger> {
  if (logger === undefined) return silentLogger;
  if (logger !== 'pretty') return logger;
  const { createLogger, prettyStream } = await import('../platform/logger.ts');
  return createLogger({ level: 'info', stream: await prettyStream() });
}

let nativeCrc32c: Promise<void> | undefined;

function useNativeParts(): Promise<void> {
  setCodecLoader(nodeCodecs(silentLogger));
  nativeCrc32c ??= installNativeCrc32c({ js: crc32cJs, install: setCrc32c }, silentLogger);
  return nativeCrc32c;
}
