import type { PlantedBug } from '../planted-bug.ts';

/** Of clusters whose nodes are of two releases. */
export const UPGRADE_BUGS: readonly PlantedBug[] = [
  {
    name: 'level raised without the silent',
    row: 'rolling upgrade',
    file: 'src/controller/catalogue-levels.ts',
    replace: 'this.#versions.get(id) ?? before));',
    by: 'this.#versions.get(id) ?? Number.POSITIVE_INFINITY));',
    scenario: 'upgrades',
    seedsMax: 50,
  },
  {
    name: 'new controller never asks what nodes read',
    row: 'rolling upgrade',
    file: 'src/controller/brokers.ts',
    replace: 'this.#catalogue.hear(image, broker.id, request.catalogueVersion);',
    by: '',
    scenario: 'upgrades',
    seedsMax: 50,
  },
  {
    name: 'voters named to older releases',
    row: 'rolling upgrade',
    file: 'src/raft/state.ts',
    replace: 'return this.catalogueLevel >= VOTER_SETS_SINCE;',
    by: 'return this.catalogueLevel >= 0 && VOTER_SETS_SINCE > 0;',
    scenario: 'upgrades',
    seedsMax: 50,
  },
];
