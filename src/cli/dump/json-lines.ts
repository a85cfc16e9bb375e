import { once } from 'node:events';

const CHUNK_CHARS = 64 * 1024;

/** JSON lines on the standard output, in large chunks, waiting for whoever reads them. */
export class JsonLines {
  #chunk = '';

  write(row: object): Promise<void> | undefined {
    this.#chunk += `${JSON.stringify(row)}\n`;
    return this.#chunk.length < CHUNK_CHARS ? undefined : this.flush();
  }

  async flush(): Promise<void> {
    const chunk = this.#chunk;
    this.#chunk = '';
    if (chunk !== '' && !process.stdout.write(chunk)) await once(process.stdout, 'drain');
  }
}
