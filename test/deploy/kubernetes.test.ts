import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { z } from 'zod';
import { resolveConfig } from '../../src/server/config-sources.ts';
import { hasTool, imageEnvironment, lint, plant, readConfigFile, root } from './support.ts';

const files = readdirSync(join(root, 'config/kubernetes')).map((name) => `kubernetes/${name}`);
const noLinter = !hasTool('kubernetes-validate');
const linter = ['kubernetes-validate', '--strict', '--quiet'] as const;

test.skipIf(noLinter).each(files)('%s is valid (needs kubernetes-validate)', async (file) => {
  expect(await lint(linter, file)).toEqual({ status: 0, output: '' });
  expect(await lint([...linter, '--kubernetes-version', '1.28'], file)).toMatchObject({ status: 0 });
});

test.skipIf(noLinter).each([
  ['kubernetes/statefulset.yaml', plant('minReadySeconds: 5', 'minReadySeconds: soon')],
  ['kubernetes/statefulset.yaml', plant('livenessProbe:', 'livelinessProbe:')],
  ['kubernetes/services.yaml', plant('port: 7001', 'prot: 7001')],
  ['kubernetes/pod-disruption-budget.yaml', plant('policy/v1', 'policy/v1beta9')],
])('an error in %s is seen (needs kubernetes-validate)', async (file, error) => {
  expect(await lint(linter, file, error)).not.toEqual({ status: 0, output: '' });
});

const labels = z.record(z.string(), z.string());
const probe = z.object({ httpGet: z.object({ path: z.string(), port: z.string() }) });
const StatefulSet = z.object({
  spec: z.object({
    serviceName: z.string(),
    replicas: z.number(),
    podManagementPolicy: z.string(),
    selector: z.object({ matchLabels: labels }),
    template: z.object({
      metadata: z.object({ labels }),
      spec: z.object({
        enableServiceLinks: z.boolean(),
        terminationGracePeriodSeconds: z.number(),
        containers: z.tuple([
          z.object({
            ports: z.array(z.object({ name: z.string(), containerPort: z.number() })),
            env: z.array(z.object({ name: z.string(), value: z.string().optional() })),
            volumeMounts: z.array(z.object({ name: z.string(), mountPath: z.string() })),
            startupProbe: probe,
            readinessProbe: probe,
            livenessProbe: probe,
          }),
        ]),
      }),
    }),
    volumeClaimTemplates: z.array(z.object({ metadata: z.object({ name: z.string() }) })),
  }),
});
const Service = z.object({
  metadata: z.object({ name: z.string() }),
  spec: z.object({
    selector: labels,
    publishNotReadyAddresses: z.boolean().optional(),
    ports: z.array(z.object({ port: z.number(), targetPort: z.string() })),
  }),
});

const manifests = files.flatMap((file) =>
  parseAllDocuments(readConfigFile(file)).map((document): unknown => document.toJS()),
);
const ofKind = <T>(kind: string, shape: z.ZodType<T>): T[] =>
  manifests
    .filter((each) => z.object({ kind: z.literal(kind) }).safeParse(each).success)
    .map((each) => shape.parse(each));
const [set] = ofKind('StatefulSet', StatefulSet);
if (!set) throw new Error('there is no StatefulSet');
const { spec } = set;
const pod = spec.template.spec;
const [container] = pod.containers;

/** The configuration of the pod with this index, from the environment that Kubernetes would give it. */
function configOf(index: number) {
  const facts: Record<string, string> = {
    POD_NAME: `odradek-${index}`,
    POD_NAMESPACE: 'logs',
    ODRADEK_NODE_ID: String(index),
  };
  const env = imageEnvironment();
  for (const { name, value } of container.env)
    env[name] = value?.replace(/\$\((\w+)\)/g, (_, fact) => env[fact] ?? '') ?? facts[name] ?? '';
  return resolveConfig({ env }).config;
}

test('every pod gets a valid configuration, in which it is a voter by its own name', () => {
  for (let index = 0; index < spec.replicas; index++) {
    const { nodeId, advertisedHost, voters, port, dataDir, kafka, topicDefaults } = configOf(index);
    expect(nodeId).toBe(index);
    expect(advertisedHost).toBe(`odradek-${index}.${spec.serviceName}.logs.svc`);
    expect(voters).toHaveLength(spec.replicas);
    expect(voters[index]).toEqual({ id: index, host: `odradek-${index}.${spec.serviceName}`, port });
    expect(topicDefaults).toMatchObject({ replicationFactor: 3, minInsyncReplicas: 2 });
    expect(container.ports.map(({ containerPort }) => containerPort)).toEqual([port, kafka.port]);
    expect(container.volumeMounts.map(({ mountPath }) => mountPath)).toContain(dataDir);
  }
});

test('a node has time to move its leaders', () => {
  const { limits } = configOf(0);
  expect(pod.terminationGracePeriodSeconds * 1000).toBeGreaterThan(2 * limits.controlledShutdownTimeoutMs);
});

test('what refers to something refers to what is there', () => {
  const names = container.ports.map(({ name }) => name);
  const services = ofKind('Service', Service);
  expect(spec.selector.matchLabels).toEqual(spec.template.metadata.labels);
  for (const service of services) {
    expect(service.spec.selector).toEqual(spec.template.metadata.labels);
    for (const { port, targetPort } of service.spec.ports)
      expect(container.ports).toContainEqual({ name: targetPort, containerPort: port });
  }
  for (const { httpGet } of [container.startupProbe, container.readinessProbe, container.livenessProbe])
    expect(names).toContain(httpGet.port);
  const claims = spec.volumeClaimTemplates.map(({ metadata }) => metadata.name);
  expect(container.volumeMounts.map(({ name }) => name)).toEqual(claims);
  // Nodes find each other before they are ready, and all start together: otherwise the first one waits forever.
  const own = services.find(({ metadata }) => metadata.name === spec.serviceName);
  expect(own?.spec.publishNotReadyAddresses).toBe(true);
  expect(spec.podManagementPolicy).toBe('Parallel');
  expect(pod.enableServiceLinks).toBe(false);
});
