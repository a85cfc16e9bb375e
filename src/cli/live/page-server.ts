import { createReadStream, existsSync } from 'node:fs';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join, resolve } from 'node:path';
import { outlines, places } from './map-data.ts';

const root = resolve(import.meta.dirname, '../../..');
const HOST = '127.0.0.1';
const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json',
  '.map': 'application/json',
};

/** What the page needs to know of the cluster. */
export interface PageConfig {
  readonly bootstrap: string;
  /** How much faster than life the flights are replayed. */
  readonly speed: number;
}

/** Serves the page of `docs/live-flights`, the client's bundle for browsers and the data for the map, on this machine. */
export class PageServer {
  readonly #server: Server;
  #config: PageConfig | undefined;

  private constructor() {
    this.#server = createServer(({ url = '/' }, response) =>
      this.#answer(url.split('?', 1)[0] ?? '/', response),
    );
  }

  /** Listens on `port`; 0 takes a free one. @throws Error when the port is taken */
  static async listen(port: number): Promise<PageServer> {
    const pages = new PageServer();
    await new Promise<void>((done, fail) => {
      pages.#server.once('error', fail).listen(port, HOST, done);
    });
    return pages;
  }

  get url(): string {
    return `http://${HOST}:${(this.#server.address() as AddressInfo).port}`;
  }

  /** What browsers may call the page's origin. */
  get origins(): string[] {
    return [this.url, this.url.replace(HOST, 'localhost')];
  }

  /** From now on the page can be had. */
  serve(config: PageConfig): void {
    this.#config = config;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((done) => this.#server.close(done));
  }

  #answer(path: string, response: ServerResponse): void {
    if (path === '/config.json' && this.#config) json(response, this.#config);
    else if (path === '/us.json') json(response, outlines());
    else if (path === '/airports.json') json(response, places());
    else sendFile(response, fileOf(path));
  }
}

/** The page itself, or a part of the client's bundle. */
function fileOf(path: string): string | undefined {
  const [, folder, name] = /^(\/odradek)?\/((?:chunks\/)?[\w-][\w.-]*)?$/.exec(path) ?? [];
  if (folder !== undefined) return name && join(root, 'dist/browser', name);
  return path === '/' || name ? join(root, 'docs/live-flights', name ?? 'index.html') : undefined;
}

function sendFile(response: ServerResponse, file: string | undefined): void {
  if (file === undefined || !existsSync(file)) {
    response.writeHead(404, { 'content-type': 'text/plain' }).end('not found\n');
    return;
  }
  response.writeHead(200, { 'content-type': TYPES[extname(file)] ?? 'application/octet-stream' });
  createReadStream(file).pipe(response);
}

function json(response: ServerResponse, body: unknown): void {
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}
