import type { ShownConfig } from '../broker/context.ts';
import { TOPIC_CONFIGS } from '../metadata/topic-config.ts';

/** Kafka's names of broker configs, and our keys that say the same. */
const OF_NODES: Readonly<Record<string, string>> = {
  'node.id': 'nodeId',
  'broker.id': 'nodeId',
  'broker.rack': 'rack',
  'num.partitions': 'topicDefaults.partitions',
  'default.replication.factor': 'topicDefaults.replicationFactor',
  'min.insync.replicas': 'topicDefaults.minInsyncReplicas',
  'auto.create.topics.enable': 'autoCreateTopics',
  'socket.request.max.bytes': 'limits.requestBytesMax',
  'max.connections': 'limits.connectionsMax',
  'replica.lag.time.max.ms': 'limits.replicaLagTimeMaxMs',
  'broker.session.timeout.ms': 'limits.brokerSessionTimeoutMs',
  'broker.heartbeat.interval.ms': 'limits.brokerHeartbeatMs',
  'log.retention.check.interval.ms': 'limits.retentionCheckMs',
};

/** And of those that are the default of a topic config. */
const OF_TOPICS: Readonly<Record<string, string>> = {
  'log.retention.ms': 'retention.ms',
  'log.retention.bytes': 'retention.bytes',
  'log.segment.bytes': 'segment.bytes',
  'log.roll.ms': 'segment.ms',
  'log.cleanup.policy': 'cleanup.policy',
  'log.message.timestamp.type': 'message.timestamp.type',
  'message.max.bytes': 'max.message.bytes',
  'unclean.leader.election.enable': 'unclean.leader.election.enable',
};

/** What Kafka's tools look for in the configs of a broker, under the names that they know; `shown` is ours. */
export function kafkaNamed(shown: readonly ShownConfig[]): ShownConfig[] {
  const byName = new Map(shown.map((config) => [config.name, config]));
  const ofNodes = Object.entries(OF_NODES).flatMap(([name, key]): ShownConfig[] => {
    const config = byName.get(key);
    return config ? [{ ...config, name }] : [];
  });
  const ofTopics = Object.entries(OF_TOPICS).flatMap(([name, topicConfig]): ShownConfig[] => {
    const definition = TOPIC_CONFIGS.get(topicConfig);
    if (!definition) return [];
    const { type, default: value, doc } = definition;
    return [{ name, type, value, isDefault: true, documentation: doc }];
  });
  return [...ofNodes, ...ofTopics];
}
