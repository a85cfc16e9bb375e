import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { nodeName } from './links.ts';

const NAMESPACES_DIR = '/run/netns';
/** Names begin so; the id of the process that made them follows. Those of interfaces have at most 15 characters. */
const PREFIX = 'odk';
/** Nobody has it: what is sent there is lost without a word. */
const DEAD_MAC = '02:de:ad:00:00:01';
const INTERFACE = 'eth0';

function ip(...args: string[]): void {
  execFileSync('ip', args, { stdio: ['ignore', 'ignore', 'pipe'] });
}

/** What goes on with the cleaning up, even if part of it was never made. */
function tryIp(...args: string[]): void {
  try {
    ip(...args);
  } catch {
    // It is gone already.
  }
}

/**
 * A network namespace for each node, all on one bridge with the proxies, so that packets themselves can be lost: kernels
 * then repeat them, back off and give up, as between machines. Every proxy has an address of its own on the bridge, and
 * so a node can lose what it sends to one peer alone: it is given a wrong hardware address for that proxy. (No firewall
 * and no traffic control, which kernels may lack.) Addresses are of the range for benchmarks, RFC 2544.
 */
export class Namespaces {
  readonly #pid = process.pid;
  readonly #ids: readonly number[];
  readonly #network: string;

  private constructor(ids: readonly number[]) {
    this.#ids = ids;
    this.#network = `198.${18 + (Math.floor(this.#pid / 256) % 2)}.${this.#pid % 256}`;
  }

  /** Why they can't be had, or themselves. */
  static create(ids: readonly number[]): Namespaces | string {
    if (process.getuid?.() !== 0) return 'it needs root, for network namespaces';
    const namespaces = new Namespaces(ids);
    try {
      removeLeftovers();
      namespaces.#create();
      return namespaces;
    } catch (error) {
      namespaces.remove();
      const { stderr } = error as { readonly stderr?: Buffer };
      return `network namespaces can't be made: ${stderr?.toString().trim() || String(error)}`;
    }
  }

  /** The address of a node. */
  hostOf(id: number): string {
    return `${this.#network}.${id}`;
  }

  /** What starts a process inside the namespace of a node. */
  within(id: number): string[] {
    return ['nsenter', `--net=${NAMESPACES_DIR}/${this.#nameOf(id)}`, '--'];
  }

  /** Where the proxy between two nodes listens and from where it dials. */
  proxyHost(from: number, to: number): string {
    return `${this.#network}.${100 + 10 * from + to}`;
  }

  /** What a node sends to another is lost. */
  cutOneWay(from: number, to: number): void {
    for (const address of [this.proxyHost(from, to), this.proxyHost(to, from)]) {
      const how = ['lladdr', DEAD_MAC, 'dev', INTERFACE, 'nud', 'permanent'];
      ip('-n', this.#nameOf(from), 'neigh', 'replace', address, ...how);
    }
  }

  cutBoth(one: number, other: number): void {
    this.cutOneWay(one, other);
    this.cutOneWay(other, one);
  }

  /** The cable is pulled: nobody reaches it, nor does it reach anybody. */
  unplug(id: number): void {
    ip('link', 'set', this.#interfaceOf(id), 'down');
  }

  heal(): void {
    for (const id of this.#ids) {
      ip('link', 'set', this.#interfaceOf(id), 'up');
      for (const other of this.#ids) {
        for (const address of [this.proxyHost(id, other), this.proxyHost(other, id)])
          tryIp('-n', this.#nameOf(id), 'neigh', 'del', address, 'dev', INTERFACE);
      }
    }
  }

  remove(): void {
    removeOf(`${this.#pid}`, this.#ids);
  }

  #create(): void {
    const bridge = bridgeOf(`${this.#pid}`);
    ip('link', 'add', bridge, 'type', 'bridge');
    ip('link', 'set', bridge, 'up');
    ip('addr', 'add', `${this.#network}.254/24`, 'dev', bridge);
    for (const id of this.#ids) {
      const name = this.#nameOf(id);
      ip('netns', 'add', name);
      ip('link', 'add', this.#interfaceOf(id), 'type', 'veth', 'peer', 'name', INTERFACE, 'netns', name);
      ip('link', 'set', this.#interfaceOf(id), 'master', bridge, 'up');
      ip('-n', name, 'addr', 'add', `${this.hostOf(id)}/24`, 'dev', INTERFACE);
      ip('-n', name, 'link', 'set', INTERFACE, 'up');
      ip('-n', name, 'link', 'set', 'lo', 'up');
      for (const other of this.#ids)
        if (other !== id) ip('addr', 'add', `${this.proxyHost(id, other)}/24`, 'dev', bridge);
    }
  }

  #nameOf(id: number): string {
    return `${PREFIX}${this.#pid}-${nodeName(id)}`;
  }

  #interfaceOf(id: number): string {
    return interfaceOf(`${this.#pid}`, id);
  }
}

const bridgeOf = (pid: string): string => `${PREFIX}${pid}b`;
const interfaceOf = (pid: string, id: number): string => `${PREFIX}${pid}v${id}`;

function removeOf(pid: string, ids: readonly number[]): void {
  for (const id of ids) {
    tryIp('link', 'del', interfaceOf(pid, id));
    tryIp('netns', 'del', `${PREFIX}${pid}-${nodeName(id)}`);
  }
  tryIp('link', 'del', bridgeOf(pid));
}

/** Of runs that were killed. */
function removeLeftovers(): void {
  for (const name of existsSync(NAMESPACES_DIR) ? readdirSync(NAMESPACES_DIR) : []) {
    const [, pid, id] = new RegExp(`^${PREFIX}(\\d+)-node-(\\d+)$`).exec(name) ?? [];
    if (pid !== undefined && id !== undefined && !existsSync(`/proc/${pid}`)) removeOf(pid, [Number(id)]);
  }
}
