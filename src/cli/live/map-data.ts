import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/** Where an airport is: degrees east and north. */
interface Place {
  readonly city: string;
  readonly at: readonly [number, number];
}

/** The outlines of the states, as TopoJSON. */
export function outlines(): unknown {
  return JSON.parse(data('us-10m.json'));
}

/** Every airport by its code. */
export function places(): Record<string, Place> {
  const [header = '', ...rows] = data('airports.csv').trim().split('\n');
  const columns = header.split(',');
  const [code, city, east, north] = ['iata', 'city', 'longitude', 'latitude'].map((name) =>
    columns.indexOf(name),
  );
  return Object.fromEntries(
    rows.map((row) => {
      const cells = cellsOf(row);
      const cell = (index = -1) => cells[index] ?? '';
      return [cell(code), { city: cell(city), at: [Number(cell(east)), Number(cell(north))] }];
    }),
  );
}

/** A row of CSV; a cell with commas stands in quotes. */
function cellsOf(row: string): string[] {
  return [...row.matchAll(/(?:^|,)(?:"([^"]*)"|([^,]*))/g)].map(([, quoted, plain]) => quoted ?? plain ?? '');
}

function data(name: string): string {
  const entry = createRequire(import.meta.url).resolve('vega-datasets');
  return readFileSync(join(dirname(entry), '../data', name), 'utf8');
}
