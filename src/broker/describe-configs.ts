import type { TopicImage } from '../metadata/image.ts';
import { CONFIG_SOURCE, topicConfigsInForce } from '../metadata/topic-config.ts';
import { ERROR_CODE, type ErrorName } from '../protocol/errors.ts';
import type {
  DescribeConfigsRequest,
  DescribeConfigsResponse,
} from '../protocol/messages/describe-configs.ts';
import type { BrokerContext, Handler } from './context.ts';

/** Kafka's ConfigResource.Type. */
const TOPIC_RESOURCE = 2;
const BROKER_RESOURCE = 4;
/** Kafka's ConfigType. */
const CONFIG_TYPE = { boolean: 1, enum: 2, string: 2, int: 3, long: 5, list: 7 } as const;

type Resource = DescribeConfigsRequest['resources'][number];
type Result = DescribeConfigsResponse['results'][number];
type Entry = Result['configs'][number];

/** Every config of topics and of this broker, each with where its value comes from. */
export const describeConfigs: Handler<DescribeConfigsRequest, DescribeConfigsResponse> = (
  context,
  request,
) => {
  const results = request.resources.map((resource) => describe(context, resource, request));
  return { throttleTimeMs: 0, results };
};

function describe(context: BrokerContext, resource: Resource, request: DescribeConfigsRequest): Result {
  const { resourceType, resourceName, configurationKeys } = resource;
  const answer = (code: ErrorName, errorMessage: string | null, configs: Entry[] = []): Result => ({
    errorCode: ERROR_CODE[code],
    errorMessage,
    resourceType,
    resourceName,
    configs: configs
      .filter(({ name }) => !configurationKeys?.length || configurationKeys.includes(name))
      .map((entry) => ({
        ...entry,
        synonyms: request.includeSynonyms ? entry.synonyms : [],
        documentation: request.includeDocumentation ? entry.documentation : null,
      })),
  });
  switch (resourceType) {
    case TOPIC_RESOURCE: {
      const topic = context.image().topicByName(resourceName);
      if (!topic)
        return answer('UNKNOWN_TOPIC_OR_PARTITION', `there is no topic ${JSON.stringify(resourceName)}`);
      return answer('NONE', null, topicEntries(topic));
    }
    case BROKER_RESOURCE:
      // Each broker knows its own alone; the empty name asks for cluster-wide ones, of which there are none.
      if (resourceName === '') return answer('NONE', null);
      if (resourceName !== String(context.nodeId))
        return answer(
          'INVALID_REQUEST',
          `ask broker ${resourceName} itself; this is broker ${context.nodeId}`,
        );
      return answer('NONE', null, brokerEntries(context));
    default:
      return answer(
        'INVALID_REQUEST',
        `resource type ${resourceType} has no configs; topics are 2, brokers 4`,
      );
  }
}

function topicEntries(topic: TopicImage): Entry[] {
  return topicConfigsInForce(topic.configs).map(({ definition, value, source }) => {
    const { name } = definition;
    const fallback = { name, value: definition.default, source: CONFIG_SOURCE.default as number };
    const isOwn = source === CONFIG_SOURCE.topic;
    return {
      ...{ name, value },
      readOnly: false,
      configSource: source,
      isSensitive: false,
      synonyms: isOwn ? [{ name, value, source }, fallback] : [fallback],
      configType: CONFIG_TYPE[definition.type],
      documentation: definition.doc,
    };
  });
}

function brokerEntries({ config }: BrokerContext): Entry[] {
  return config.shown.map(({ name, value, isDefault, type, documentation }) => {
    const source = isDefault ? CONFIG_SOURCE.default : CONFIG_SOURCE.staticBroker;
    return {
      name,
      value,
      readOnly: true,
      configSource: source,
      isSensitive: false,
      synonyms: [{ name, value, source }],
      configType: CONFIG_TYPE[type],
      documentation,
    };
  });
}
