import { describe, expect, test } from 'vitest';
import { decodeRecords } from '../../src/metadata/records.ts';
import { Harness } from './support/harness.ts';

describe('the level of the catalogue', () => {
  test('is that of the oldest release until all brokers and voters can read more, and then theirs', async () => {
    const h = new Harness();
    h.voterIds = [1, 2, 3];
    await h.register(1, { catalogueVersion: 3 });
    await h.register(2, { catalogueVersion: 3 });
    await h.register(4, { catalogueVersion: 2 });
    expect(h.image.catalogueLevel).toBe(2);
    expect(h.shell.catalogue()).toEqual({ level: 2, heldBackBy: [3, 4] });
    await h.register(4, { catalogueVersion: 3 });
    expect(h.shell.catalogue()).toEqual({ level: 2, heldBackBy: [3] });
    await h.register(3, { catalogueVersion: 3 });
    expect(h.image.catalogueLevel).toBe(3);
    expect(h.shell.catalogue()).toEqual({ level: 3, heldBackBy: [] });
  });

  test('is that of a fresh cluster from the first registration on', async () => {
    const h = new Harness();
    await h.register(1);
    expect(h.image.catalogueLevel).toBe(3);
  });

  test('may rise by more than one', async () => {
    const h = new Harness();
    await h.register(1, { catalogueVersion: 5 });
    expect(h.image.catalogueLevel).toBe(5);
  });

  test('is no secret to a new controller: heartbeats tell what registrations told the old one', async () => {
    const h = new Harness();
    h.voterIds = [1, 2];
    const first = await h.start(1, { catalogueVersion: 3 });
    const second = await h.start(2, { catalogueVersion: 2 });
    h.depose();
    h.elect();
    expect(h.shell.catalogue()).toEqual({ level: 2, heldBackBy: [] });
    await h.heartbeat({ ...first, catalogueVersion: 3 });
    expect(h.shell.catalogue()).toEqual({ level: 2, heldBackBy: [2] });
    await h.heartbeat({ ...second, catalogueVersion: 3 });
    expect(h.image.catalogueLevel).toBe(3);
    const records = h.log.flatMap((payload) => decodeRecords(payload));
    expect(records.filter(({ type }) => type === 'CatalogueLevel')).toEqual([
      { type: 'CatalogueLevel', level: 3 },
    ]);
  });

  test('never goes back: who reads less is refused, with what to do', async () => {
    const h = new Harness();
    const broker = await h.start(1, { catalogueVersion: 3 });
    const refusal = {
      code: 'UNSUPPORTED_VERSION',
      message: expect.stringContaining('upgrade it, or raise catalogueVersion in its config'),
    };
    await expect(h.register(2, { catalogueVersion: 2 })).rejects.toMatchObject(refusal);
    await expect(h.heartbeat({ ...broker, catalogueVersion: 2 })).rejects.toMatchObject(refusal);
    expect(h.image.catalogueLevel).toBe(3);
  });

  test('does not rise for a decision that was lost', async () => {
    const h = new Harness();
    h.autoCommit = false;
    h.register(1, { catalogueVersion: 3 }).catch(() => undefined);
    h.depose();
    h.elect();
    expect(h.image.catalogueLevel).toBe(2);
  });
});
