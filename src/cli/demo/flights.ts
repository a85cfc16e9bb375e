import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { asyncBufferFromFile, parquetMetadataAsync, parquetReadObjects } from 'hyparquet';
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

interface Row {
  readonly date: Date;
  readonly delay: bigint;
  readonly distance: bigint;
  readonly origin: string;
  readonly destination: string;
}

/** The first `limit` of three million US departures of 2001, in the order of the file, in chunks. */
export async function* readFlights(limit: number): AsyncGenerator<Flight[]> {
  const entry = createRequire(import.meta.url).resolve('vega-datasets');
  const file = await asyncBufferFromFile(join(dirname(entry), '../data/flights-3m.parquet'));
  const metadata = await parquetMetadataAsync(file);
  const rowCount = Math.min(limit, Number(metadata.num_rows));
  for (let rowStart = 0; rowStart < rowCount; rowStart += CHUNK_ROWS) {
    const rowEnd = Math.min(rowStart + CHUNK_ROWS, rowCount);
    const rows = (await parquetReadObjects({
      file,
      metadata,
      compressors,
      rowStart,
      rowEnd,
    })) as unknown as Row[];
    yield rows.map((row, index) => ({
      n: rowStart + index,
      origin: row.origin,
      destination: row.destination,
      dateMs: row.date.getTime(),
      delay: Number(row.delay),
      distance: Number(row.distance),
    }));
  }
}
