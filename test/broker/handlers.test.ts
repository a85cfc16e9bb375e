import { beforeEach, describe, expect, it } from 'vitest';
import { brokerRoutes } from '../../src/broker/handlers.ts';
import { catalogue } from '../../src/protocol/catalogue.ts';
import { resetWorld, world } from './support/fake-broker.ts';

beforeEach(resetWorld);

describe('the table of handlers', () => {
  /** Served below the broker: by the RPC server itself and by the Raft node. */
  const ELSEWHERE = new Set([
    'ApiVersions',
    'Vote',
    'EndQuorumEpoch',
    'AppendEntries',
    'InstallSnapshot',
    'QuorumHello',
  ]);

  it.each([...catalogue.values()].map((api) => [api.name, api] as const))('serves %s once', (name, api) => {
    const found = brokerRoutes(world.context).filter((route) => route.api === api);
    expect(found).toHaveLength(ELSEWHERE.has(name) ? 0 : 1);
  });
});
