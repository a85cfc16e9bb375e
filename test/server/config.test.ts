import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { ConfigError, nodeConfig } from '../../src/server/config-check.ts';
import { configKeys } from '../../src/server/config-keys.ts';
import { type ConfigSources, resolveConfig } from '../../src/server/config-sources.ts';
import { withUnit } from '../../src/server/config-values.ts';
import { writtenConfig } from '../../src/server/written-config.ts';

const minimal = { nodeId: 1, dataDir: 'd', voters: ['1@127.0.0.1:7001'] };
const file = (text: string) => ({ name: 'n.yaml', text });
const minimalFile = file('nodeId: 1\ndataDir: d\nvoters: [1@h:1]\n');

function complaints(sources: ConfigSources): string[] {
  try {
    resolveConfig(sources);
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError);
    return (error as Error).message.split('\n');
  }
  throw new Error('nothing was refused');
}

test('the config files of the three-node cluster are valid', () => {
  for (const id of [1, 2, 3]) {
    const name = `config/node-${id}.yaml`;
    const text = readFileSync(new URL(`../../${name}`, import.meta.url), 'utf8');
    const { config } = resolveConfig({ file: { name, text } });
    expect(config.nodeId).toBe(id);
    expect(config.port).toBe(7000 + id);
    expect(config.kafka.port).toBe(9090 + id);
    expect(config.voters.map((voter) => voter.id)).toEqual([1, 2, 3]);
  }
});

test('defaults are filled in', () => {
  const config = nodeConfig(minimal);
  expect(config.limits.requestBytesMax).toBe(16 * 1024 * 1024);
  expect(config.voters).toEqual([{ id: 1, host: '127.0.0.1', port: 7001 }]);
});

test('every key has a description, an environment variable of its own, and a limit', () => {
  const keys = [...configKeys().values()];
  expect(new Set(keys.map(({ env }) => env)).size).toBe(keys.length);
  expect(configKeys().get('limits.requestBytesMax')?.env).toBe('ODRADEK_LIMITS_REQUEST_BYTES_MAX');
  for (const { name, description, type, min, max } of keys) {
    expect(description, name).toMatch(/\.$/);
    if (type === 'integer') expect([min >= 0, max < Number.MAX_SAFE_INTEGER], name).toEqual([true, true]);
  }
});

test('--set wins over the environment, the environment over the file, the file over the defaults', () => {
  const { config, origins } = resolveConfig({
    file: file('nodeId: 1\ndataDir: d\nvoters: [1@h:1]\nport: 1\nrack: a\nlimits:\n  connectionsMax: 7\n'),
    env: { ODRADEK_PORT: '2', ODRADEK_RACK: 'b', PORT: '9', ODRADEK_HOST: '' },
    set: ['port=3'],
  });
  expect(config).toMatchObject({ port: 3, rack: 'b', host: '127.0.0.1', limits: { connectionsMax: 7 } });
  expect(Object.fromEntries(origins)).toEqual({
    nodeId: 'n.yaml:1',
    dataDir: 'n.yaml:2',
    voters: 'n.yaml:3',
    port: '--set port=3',
    rack: 'ODRADEK_RACK',
    'limits.connectionsMax': 'n.yaml:7',
  });
});

test('the environment alone configures a node', () => {
  const { config } = resolveConfig({
    env: {
      ODRADEK_NODE_ID: '2',
      ODRADEK_DATA_DIR: '/data',
      ODRADEK_VOTERS: '1@a:7001, 2@b:7001',
      ODRADEK_BOOTSTRAP_ALONE: 'true',
      ODRADEK_RACK: '17',
      ODRADEK_LIMITS_REQUEST_BYTES_MAX: '1MiB',
      ODRADEK_CONFIG: 'ignored here',
    },
  });
  expect(config).toMatchObject({ nodeId: 2, dataDir: '/data', bootstrapAlone: true, rack: '17' });
  expect(config.voters).toEqual([
    { id: 1, host: 'a', port: 7001 },
    { id: 2, host: 'b', port: 7001 },
  ]);
  expect(config.limits.requestBytesMax).toBe(1024 * 1024);
});

test('an override sets a nested key, a list and a number; an empty one goes back to the default', () => {
  const { config } = resolveConfig({
    file: file('nodeId: 1\ndataDir: d\nvoters: [1@h:1]\nhost: h\n'),
    set: ['limits.electionTimeoutMs=2s', 'voters=1@a:1,2@b:2', 'port=0', 'host='],
  });
  expect(config).toMatchObject({ port: 0, host: '127.0.0.1', limits: { electionTimeoutMs: 2000 } });
  expect(config.voters).toHaveLength(2);
});

test('what a file leaves open is the default', () => {
  const { config } = resolveConfig({
    file: file('nodeId: 1\ndataDir: d\nvoters: [1@h:1]\nrack:\nlimits:\n'),
  });
  expect(config.rack).toBeUndefined();
});

test('sizes and times may have a unit', () => {
  const { config } = resolveConfig({
    file: file(`${minimalFile.text}limits: { requestBytesMax: 2 GiB, offsetsRetentionMs: 1d }\n`),
    set: ['limits.requestBytesMax=64KiB'],
  });
  expect(config.limits).toMatchObject({ requestBytesMax: 65_536, offsetsRetentionMs: 86_400_000 });
  expect(withUnit({ name: 'limits.requestBytesMax' }, 16 * 1024 * 1024)).toBe('16 MiB');
  expect(withUnit({ name: 'limits.electionTimeoutMs' }, 1500)).toBeUndefined();
  expect(withUnit({ name: 'port' }, 7000)).toBeUndefined();
});

test('what is written back is read again as the same', () => {
  const config = nodeConfig({ ...minimal, voters: ['1@a:1', '2@[::1]:2'], rack: 'r' });
  const set = writtenConfig(config).map(([name, value]) => `${name}=${value}`);
  expect(resolveConfig({ set }).config).toEqual(config);
});

test.each([
  [{ ...minimal, nodeId: 'one' }, /nodeId is an integer from 0 to 2147483647, not "one"/],
  [{ ...minimal, prot: 7001 }, /prot is an unknown key; did you mean port\?/],
  [{ ...minimal, limits: { requestMax: 1 } }, /limits\.requestMax .* did you mean limits\.requestBytesMax\?/],
  [{ ...minimal, voters: ['127.0.0.1'] }, /is no voter; write id@host:port/],
  [{ ...minimal, voters: ['1@a:1', '1@b:2'] }, /voters: an id stands twice/],
  [{ ...minimal, voters: [] }, /voters is a list, not \[\]/],
  [{ ...minimal, limits: { raftHeartbeatMs: 900 } }, /raftHeartbeatMs: must be at most a third/],
  [{ ...minimal, limits: 5 }, /limits is a map/],
  [{ ...minimal, rack: 1 }, /rack is a text, not 1; write "1"/],
  [{ ...minimal, host: '0.0.0.0' }, /advertisedHost: nobody can connect to 0\.0\.0\.0/],
  [7, /a config is a map/],
])('a bad config is refused by the name of its key: %j', (input, message) => {
  expect(() => nodeConfig(input)).toThrow(ConfigError);
  expect(() => nodeConfig(input)).toThrow(message);
});

test('each mistake is told at its place, with the nearest right one', () => {
  expect(
    complaints({
      file: file('nodeId: 1\ndataDir: d\nvoters:\n  - 1@h\n\nlogLevel: inof\nlimit:\n  connectionsMax: 1\n'),
      env: { ODRADEK_PROT: '1', ODRADEK_LIMITS_CONNECTIONS_MAX: '0', ODRADEK_LOG_PRETTY: 'yes' },
      set: ['advertised.hots=x', 'electionTimeout=10s', 'limits.brokerHeartbeatMs=1 fortnight'],
    }),
  ).toEqual([
    'ODRADEK_PROT is no variable of Odradek; did you mean ODRADEK_PORT?',
    'n.yaml:7: limit is an unknown key; did you mean limits?',
    '--set advertised.hots=x: advertised.hots is an unknown key; did you mean advertisedHost?',
    '--set electionTimeout=10s: electionTimeout is an unknown key; did you mean limits.electionTimeoutMs?',
    'n.yaml:3: voters: "1@h" is no voter; write id@host:port, such as 1@127.0.0.1:7001',
    'n.yaml:6: logLevel is trace or debug or info or warn or error or silent, not "inof"; did you mean info?',
    'ODRADEK_LOG_PRETTY: logPretty is true or false, not "yes"',
    'ODRADEK_LIMITS_CONNECTIONS_MAX: limits.connectionsMax is an integer from 1 to 1000000, not 0; did you mean 1?',
    '--set limits.brokerHeartbeatMs=1 fortnight: limits.brokerHeartbeatMs is an integer of milliseconds from 10 to 60000, not "1 fortnight"; a unit is one of ms, s, m, h, d',
  ]);
});

test('what is missing is told with every way to set it', () => {
  expect(complaints({})).toEqual([
    expect.stringContaining(
      'nodeId is missing; set it in the file, with ODRADEK_NODE_ID or with --set nodeId=',
    ),
    expect.stringContaining('dataDir is missing'),
    expect.stringContaining('voters is missing'),
  ]);
});

test('variables that Kubernetes makes of a service are told from mistakes', () => {
  for (const [name, value] of [
    ['ODRADEK_PORT', 'tcp://10.0.0.1:7001'],
    ['ODRADEK_SERVICE_HOST', '10.0.0.1'],
    ['ODRADEK_PORT_7001_TCP_ADDR', '10.0.0.1'],
  ] as const) {
    expect(complaints({ file: minimalFile, env: { [name]: value } })).toEqual([
      expect.stringContaining(`${name}: set by Kubernetes`),
    ]);
  }
});

test('hostile keys and broken files are refused', () => {
  expect(complaints({ file: file('nodeId: [') })[0]).toMatch(/^n\.yaml:\d+: not YAML/);
  expect(complaints({ file: file('port: 1\nport: 2') })[0]).toMatch(/^n\.yaml:2: not YAML.*unique/);
  expect(complaints({ file: file('- 1') })[0]).toMatch(/YAML map/);
  expect(complaints({ file: minimalFile, set: ['__proto__.x=1'] })[0]).toMatch(/unknown key/);
  expect(complaints({ file: file('__proto__: { nodeId: 1 }\nconstructor: 2') })[0]).toMatch(/unknown key/);
  expect(complaints({ file: minimalFile, set: ['port'] })[0]).toMatch(/write key=value/);
  expect(complaints({ file: minimalFile, set: ['limits=5'] })[0]).toMatch(/limits is a section/);
  expect(complaints({ file: minimalFile, set: ['port.x=5'] })[0]).toMatch(/port\.x is an unknown key/);
});

test('an allowed origin is one exactly, since anything else would match no page', () => {
  const good = ['https://app.example.org', 'http://localhost:5173', 'chrome-extension://abcdef', '*'];
  expect(nodeConfig({ ...minimal, allowedOrigins: good }).allowedOrigins).toEqual(good);
  for (const bad of [
    'https://app.example.org/',
    'app.example.org',
    'https://App.example.org',
    'null',
    'https://*.org',
  ])
    expect(() => nodeConfig({ ...minimal, allowedOrigins: [bad] }), bad).toThrow('is no origin');
});

test('hosts are names and addresses, without what has a key of its own', () => {
  for (const good of ['a', 'a.example.net', '10.0.0.1', '::', '::1', 'fe80::1%eth0', '::ffff:10.0.0.1'])
    expect(nodeConfig({ ...minimal, advertisedHost: good }).advertisedHost).toBe(good);
  for (const bad of ['http://a', 'ws://a:7001', 'a:7001', 'a b', 'a/b', '10.0.0.1:7001'])
    expect(() => nodeConfig({ ...minimal, advertisedHost: bad }), bad).toThrow('is no host');
});
