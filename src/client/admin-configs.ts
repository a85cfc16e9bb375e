/** Configs of topics and brokers, in an administrator's terms. */

import { DescribeConfigs } from '../protocol/messages/describe-configs.ts';
import { IncrementalAlterConfigs } from '../protocol/messages/incremental-alter-configs.ts';
import { configDescription } from './admin-answers.ts';
import { check, only } from './admin-retry.ts';
import type { ConfigDescription } from './admin-types.ts';
import type { Cluster } from './cluster.ts';

const TOPIC_RESOURCE = 2;
const BROKER_RESOURCE = 4;
const SET_CONFIG = 0;
const DELETE_CONFIG = 1;

/** Sets configs of a topic; `null` takes one back to its default. One attempt. */
export async function alterTopicConfigs(
  cluster: Cluster,
  topic: string,
  configs: Readonly<Record<string, string | null>>,
  attempt: number,
): Promise<void> {
  const operations = Object.entries(configs).map(([name, value]) => ({
    name,
    configOperation: value === null ? DELETE_CONFIG : SET_CONFIG,
    value,
  }));
  const resource = { resourceType: TOPIC_RESOURCE, resourceName: topic, configs: operations };
  const request = { resources: [resource], validateOnly: false };
  check(only((await cluster.sendAny(IncrementalAlterConfigs, request, attempt)).responses));
}

/** All configs of a topic, which any broker knows, or of a broker, which it knows itself. One attempt. */
export async function describeConfigs(
  cluster: Cluster,
  of: { topic: string } | { broker: number },
): Promise<ConfigDescription[]> {
  const isTopic = 'topic' in of;
  const resource = {
    resourceType: isTopic ? TOPIC_RESOURCE : BROKER_RESOURCE,
    resourceName: isTopic ? of.topic : String(of.broker),
    configurationKeys: null,
  };
  const request = { resources: [resource], includeSynonyms: false, includeDocumentation: true };
  const response = await (isTopic
    ? cluster.askAny(DescribeConfigs, request)
    : cluster.send(of.broker, DescribeConfigs, request));
  const answer = only(response.results);
  check(answer);
  return answer.configs.map(configDescription);
}
