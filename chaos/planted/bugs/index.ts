import type { PlantedBug } from '../planted-bug.ts';
import { CONTENDED_BUGS } from './contended.ts';
import { GROUP_BUGS } from './groups.ts';
import { QUORUM_BUGS } from './quorum.ts';
import { REPLICATION_BUGS } from './replication.ts';
import { STORAGE_BUGS } from './storage.ts';
import { UPGRADE_BUGS } from './upgrades.ts';
import { VOTER_BUGS } from './voters.ts';

export const PLANTED_BUGS: readonly PlantedBug[] = [
  ...QUORUM_BUGS,
  ...REPLICATION_BUGS,
  ...STORAGE_BUGS,
  ...GROUP_BUGS,
  ...VOTER_BUGS,
  ...CONTENDED_BUGS,
  ...UPGRADE_BUGS,
];
