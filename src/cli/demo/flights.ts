import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { asyncBufferFromFile, parquetMetadataAsync, parquetRead } from 'hyparquet';
import { compressors } from 'hyparquet-compressors';

/** One departure, as it is written to the topic: keyed by `origin`, `n` counts the rows of the file from 0. */
export interface Flight {
  readonly n: number;
  readonly origin: string;
  readonly destination: string;
  readonly dateMs: number;
  /** Minutes; negative is early. */
  readonly delay: number;
  /** Miles. */
  readonly distance: number;
}

const CHUNK_ROWS = 25_000;

interface Columns {
  readonly date: Date[];
  readonly delay: bigint[];
  readonly distance: bigint[];
  readonly origin: string[];
  readonly destination: string[];
}

/** The first `limit` of three million US departures of 2001, in the order of the file, in chunks. */
export async function* readFlights(limit: number): AsyncGenerator<Flight[]> {
  const entry = createRequire(import.meta.url).resolve('vega-datasets');
  const file = await asyncBufferFromFile(join(dirname(entry), '../data/flights-3m.parquet'));
  const metadata = await parquetMetadataAsync(file);
  let rowStart = 0;
  // A whole row group at a time: whoever asks for a part of one pays for all of its pages anyway.
  for (const group of metadata.row_groups) {
    if (rowStart >= limit) return;
    const rowEnd = rowStart + Number(group.num_rows);
    const columns: Record<string, unknown> = {};
    await parquetRead({
      file,
      metadata,
      compressors,
      rowStart,
      rowEnd,
      onChunk: ({ columnName, columnData, rowStart: at }) => {
        if (at === rowStart) columns[columnName] = columnData;
      },
    });
    const count = Math.min(Number(group.num_rows), limit - rowStart);
    for (let from = 0; from < count; from += CHUNK_ROWS) {
      yield flightsOf(columns as unknown as Columns, rowStart, from, Math.min(from + CHUNK_ROWS, count));
    }
    rowStart = rowEnd;
  }
}

function flightsOf(columns: Columns, rowStart: number, from: number, to: number): Flight[] {
  const { date, delay, distance, origin, destination } = columns;
  const flights: Flight[] = [];
  for (let row = from; row < to; row++) {
    flights.push({
      n: rowStart + row,
      origin: origin[row] as string,
      destination: destination[row] as string,
      dateMs: (date[row] as Date).getTime(),
      delay: Number(delay[row]),
      distance: Number(distance[row]),
    });
  }
  return flights;
}
