import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join } from 'node:path';

const root = join(import.meta.dirname, '../../..');
const TYPES: Readonly<Record<string, string>> = { '.js': 'text/javascript', '.map': 'application/json' };
const PAGE = `<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,"><title>odradek</title>
<script type="module">
import * as odradek from '/dist/browser/odradek.js';
globalThis.odradek = odradek;
</script>`;

export interface PageServer {
  readonly origin: string;
  close(): Promise<void>;
}

/** Serves a page that has loaded the client's bundle, as built, and the bundle itself. */
export async function servePages(): Promise<PageServer> {
  const server = createServer(({ url = '/' }, response) => {
    const path = url.split('?', 1)[0] ?? '/';
    if (path === '/') {
      response.setHeader('content-type', 'text/html').end(PAGE);
    } else if (/^\/dist\/browser\/[\w./-]+$/.test(path) && !path.includes('..')) {
      response.setHeader('content-type', TYPES[extname(path)] ?? 'text/plain');
      response.end(readFileSync(join(root, path)));
    } else {
      response.writeHead(404).end();
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}
