import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { ConfigError, nodeConfig, parseNodeConfig } from '../../src/server/config.ts';

const minimal = { nodeId: 1, dataDir: 'd', voters: ['1@127.0.0.1:7001'] };

test('the config files of the three-node cluster are valid', () => {
  for (const id of [1, 2, 3]) {
    const config = parseNodeConfig(
      readFileSync(new URL(`../../config/node-${id}.yaml`, import.meta.url), 'utf8'),
    );
    expect(config.nodeId).toBe(id);
    expect(config.port).toBe(7000 + id);
    expect(config.voters.map((voter) => voter.id)).toEqual([1, 2, 3]);
  }
});

test('defaults are filled in', () => {
  const config = nodeConfig(minimal);
  expect(config.limits.requestBytesMax).toBe(16 * 1024 * 1024);
  expect(config.voters).toEqual([{ id: 1, host: '127.0.0.1', port: 7001 }]);
});

test('an override sets a nested key, a list and a number', () => {
  const config = parseNodeConfig('nodeId: 1\ndataDir: d\nvoters: [1@h:1]\n', [
    'limits.electionTimeoutMs=2000',
    'voters=1@a:1,2@b:2',
    'port=0',
  ]);
  expect(config.limits.electionTimeoutMs).toBe(2000);
  expect(config.voters).toHaveLength(2);
  expect(config.port).toBe(0);
});

test.each([
  [{ ...minimal, nodeId: 'one' }, /nodeId/],
  [{ ...minimal, prot: 7001 }, /prot: unknown key; the keys here are .*port/],
  [
    { ...minimal, limits: { requestMax: 1 } },
    /limits\.requestMax: unknown key; the keys here are .*requestBytesMax/,
  ],
  [{ ...minimal, voters: ['127.0.0.1'] }, /is no voter; write id@host:port/],
  [{ ...minimal, voters: ['1@a:1', '1@b:2'] }, /voters: an id stands twice/],
  [{ ...minimal, limits: { raftHeartbeatMs: 900 } }, /raftHeartbeatMs must be at most a third/],
])('a bad config is refused by the name of its key: %j', (input, message) => {
  expect(() => nodeConfig(input)).toThrow(ConfigError);
  expect(() => nodeConfig(input)).toThrow(message);
});

test('hostile keys and broken files are refused', () => {
  expect(() => parseNodeConfig('nodeId: [', [])).toThrow(/not YAML/);
  expect(() => parseNodeConfig('- 1', [])).toThrow(/YAML map/);
  expect(() => parseNodeConfig('nodeId: 1', ['__proto__.x=1'])).toThrow(ConfigError);
  expect(() => parseNodeConfig('nodeId: 1', ['port'])).toThrow(/write key=value/);
});
