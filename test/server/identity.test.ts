import { expect, test } from 'vitest';
import { SimWorld } from '../../chaos/sim/world.ts';
import { IdentityError, loadIdentity, saveIdentity } from '../../src/server/identity.ts';

test('a data folder keeps its identity over a power loss, and is no other node’s', async () => {
  const world = new SimWorld({ seed: 1 });
  const machine = world.node('n1');
  const load = (nodeId = 1) => {
    const { disk, random } = machine.running ? machine.platform : machine.restart();
    return world.settle(loadIdentity(disk, random, 'data', nodeId));
  };
  const first = await load();
  machine.powerLoss();
  expect(await load()).toEqual(first);
  await world.settle(saveIdentity(machine.platform.disk, 'data', { ...first, clusterId: 'c' }));
  machine.powerLoss();
  expect(await load()).toEqual({ ...first, clusterId: 'c' });
  await expect(load(2)).rejects.toThrow(IdentityError);
  machine.disk.wipe();
  expect((await load()).directoryId).not.toBe(first.directoryId);
});
