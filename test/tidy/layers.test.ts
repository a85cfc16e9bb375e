import { expect, test } from 'vitest';
import { sources } from './sources.ts';

/** From the top down: a layer imports only layers below it (docs/architecture.md, "The layers"). */
const layers = [
  'cli',
  'testing',
  'client',
  'server',
  'transport',
  'broker',
  'coordinator',
  'controller',
  'metadata',
  'replication',
  'raft',
  'log',
  'protocol',
  'platform',
];

const importOf =
  /(?:^|\s)(?:import|export)\b[^'"]*['"](\.{1,2}\/[^'"]+)['"]|import\(\s*['"](\.{1,2}\/[^'"]+)['"]/;

function layerViolations(path: string, lines: readonly string[]): string[] {
  const from = path.split('/')[1] ?? '';
  return lines.flatMap((line, index) => {
    const match = importOf.exec(line) ?? /^} from ['"](\.{1,2}\/[^'"]+)['"]/.exec(line);
    const target = match?.[1] ?? match?.[2];
    if (target === undefined) return [];
    const to = new URL(target, `file:///${path}`).pathname.split('/')[2] ?? '';
    if (to === from || layers.indexOf(to) > layers.indexOf(from)) return [];
    return [
      `${path}:${index + 1}: ${from}/ imports ${to}/, which lies above it. Move the shared piece down, or hand it in ` +
        'as a parameter from the layer that may know both.',
    ];
  });
}

test('every folder of src/ has its place in the list of layers', () => {
  const folders = new Set(sources().map((file) => file.layer));
  expect([...folders].filter((folder) => !layers.includes(folder))).toEqual([]);
});

test('imports point down the layers, never up', () => {
  expect(sources().flatMap((file) => layerViolations(file.path, file.lines))).toEqual([]);
});

test('the rule sees an upward import, on one line and on several', () => {
  expect(layerViolations('src/log/x.ts', ["import { a } from '../raft/core.ts';"])).toHaveLength(1);
  expect(layerViolations('src/log/x.ts', ['import {', '  a,', "} from '../raft/core.ts';"])).toHaveLength(1);
  expect(layerViolations('src/raft/x.ts', ["import { a } from '../log/core.ts';"])).toEqual([]);
});
