import { createServer } from 'node:net';
import { Presence } from './presence.ts';
import { type Direction, LinkProxy } from './proxy.ts';

/** Below the range from which systems draw ports for outgoing connections: a proxy gives its port up and takes it again. */
const LOWEST = 10_000;
const HIGHEST = 30_000;
const ATTEMPTS_MAX = 1000;

export interface Target {
  readonly id: number;
  readonly host: string;
  readonly port: number;
}

/** Where the proxy of a link is: it listens there, and may have to dial from there. */
interface ProxyPlace {
  readonly host: string;
  readonly dialsFrom?: string | undefined;
}

/** The name of a node as an end of a link. */
export const nodeName = (id: number): string => `node-${id}`;

/** Every link to every node, each through a proxy of its own. */
export class Links {
  readonly #targets: readonly Target[];
  readonly #presences: ReadonlyMap<number, Presence>;
  readonly #links = new Map<string, LinkProxy>();
  readonly #placeOf: (from: string, to: number) => ProxyPlace;
  readonly #random: () => number;

  constructor(
    targets: readonly Target[],
    placeOf: (from: string, to: number) => ProxyPlace,
    random: () => number,
  ) {
    this.#targets = targets;
    this.#presences = new Map(targets.map(({ id, host, port }) => [id, new Presence(host, port)]));
    this.#placeOf = placeOf;
    this.#random = random;
  }

  get all(): LinkProxy[] {
    return [...this.#links.values()];
  }

  /** Opens the links of a node or a client to all (other) nodes. */
  async open(from: string): Promise<void> {
    for (const { id } of this.#targets) {
      const presence = this.#presences.get(id);
      const to = nodeName(id);
      if (to === from || presence === undefined || this.#links.has(`${from}->${to}`)) continue;
      const place = this.#placeOf(from, id);
      const port = await freePort(place.host);
      const link = new LinkProxy({ from, to, ...place, port, presence, random: this.#random });
      this.#links.set(link.name, link);
      await link.open();
    }
  }

  /** The link that `from` dials to a node. @throws Error when it was not opened */
  between(from: string, to: string): LinkProxy {
    const link = this.#links.get(`${from}->${to}`);
    if (!link) throw new Error(`there is no link ${from}->${to}`);
    return link;
  }

  from(name: string): LinkProxy[] {
    return this.all.filter((link) => link.from === name);
  }

  to(name: string): LinkProxy[] {
    return this.all.filter((link) => link.to === name);
  }

  /** Which of the two dialed does not matter: what `from` says no longer reaches `to`. */
  cutOneWay(from: string, to: string): void {
    this.#each(from, to, (link, direction) => link.cut(direction));
  }

  cutBoth(one: string, other: string): void {
    this.cutOneWay(one, other);
    this.cutOneWay(other, one);
  }

  /** A machine that nobody reaches and that reaches nobody. */
  isolate(name: string): void {
    for (const link of [...this.from(name), ...this.to(name)]) link.cut();
  }

  heal(): void {
    for (const link of this.all) link.heal();
  }

  /** What an end has to dial instead of the nodes' own addresses: from `host:port` to `host:port`. */
  addressesFor(from: string): Record<string, string> {
    const entries = this.#targets.flatMap(({ id, host, port }) => {
      const link = this.#links.get(`${from}->${nodeName(id)}`);
      return link ? [[`${host}:${port}`, `${link.host}:${link.port}`]] : [];
    });
    return Object.fromEntries(entries);
  }

  close(): void {
    for (const presence of this.#presences.values()) presence.close();
    for (const link of this.all) link.close();
  }

  #each(from: string, to: string, act: (link: LinkProxy, direction: Direction) => void): void {
    const dialed = this.#links.get(`${from}->${to}`);
    const answered = this.#links.get(`${to}->${from}`);
    if (dialed) act(dialed, 'forward');
    if (answered) act(answered, 'backward');
  }
}

async function freePort(host: string): Promise<number> {
  for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
    const port = LOWEST + Math.floor(Math.random() * (HIGHEST - LOWEST));
    if (await isFree(host, port)) return port;
  }
  throw new Error(`no free port between ${LOWEST} and ${HIGHEST} on ${host}`);
}

function isFree(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.on('error', () => resolve(false));
    server.listen(port, host, () => server.close(() => resolve(true)));
  });
}
