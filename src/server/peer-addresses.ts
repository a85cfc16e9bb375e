/** Where a peer is said to be; undefined where nothing is. */
export interface Whereabouts {
  /** By this node's config: a voter must be found before anything is known, and a whole cluster may move at once. */
  configured(id: number): string | undefined;
  /** By the last voter set in the log, which is there from the start, also where no metadata is yet. */
  voting(id: number): string | undefined;
  /** By the metadata: where it said that it is when it started last. */
  registered(id: number): string | undefined;
}

interface Peer {
  readonly url: string;
  /** Where this process found it last. */
  readonly foundAt: string | undefined;
  /** Where it had said that it is, by then. */
  readonly saidAt: string | undefined;
}

interface Announcement {
  readonly url: string;
  /** What it was registered with then: a later registration is newer. */
  readonly registered: string | undefined;
}

/**
 * Which of its addresses a peer is called at: a node may have moved to another host while the configs of others still
 * name the old one. The first that answers counts, until it answers no more.
 */
export class PeerAddresses {
  readonly #whereabouts: Whereabouts;
  readonly #peers = new Map<number, Peer>();
  readonly #announced = new Map<number, Announcement>();
  readonly #told = new Map<number, string>();

  constructor(whereabouts: Whereabouts) {
    this.#whereabouts = whereabouts;
  }

  /** Where to call it now; undefined: nobody says where it is. */
  urlOf(id: number): string | undefined {
    const peer = this.#peers.get(id);
    // Nearly always, and each call asks.
    if (peer && this.#whereabouts.configured(id) === peer.url) return peer.url;
    const candidates = this.#candidates(id);
    if (peer && candidates.includes(peer.url)) return peer.url;
    const [url] = candidates;
    if (url !== undefined) this.#goTo(id, url);
    return url;
  }

  /** The peer itself says where it is. */
  announced(id: number, url: string): void {
    this.#announced.set(id, { url, registered: this.#whereabouts.registered(id) });
  }

  /** Another peer says where it is, by a log that may be newer than what is known here, or older. */
  told(id: number, url: string): void {
    this.#told.set(id, url);
  }

  /** The peer answered there. True: it had been elsewhere. */
  found(id: number, url: string): boolean {
    const before = this.#peers.get(id)?.foundAt;
    this.#peers.set(id, { url, foundAt: url, saidAt: this.#newest(id) });
    return before !== undefined && before !== url;
  }

  /** No connection to the peer could be had there: the next address is tried. */
  missed(id: number, url: string): void {
    if (this.#peers.get(id)?.url !== url) return;
    const candidates = this.#candidates(id);
    this.#goTo(id, candidates[(candidates.indexOf(url) + 1) % candidates.length] ?? url);
  }

  /** Does a host that refuses connections there prove that the peer's process is gone? Not if it may be elsewhere. */
  isHome(id: number, url: string): boolean {
    const newest = this.#newest(id);
    if (newest === undefined || newest === url) return true;
    const peer = this.#peers.get(id);
    return peer?.foundAt === url && peer.saidAt === newest;
  }

  #goTo(id: number, url: string): void {
    this.#peers.set(id, { foundAt: undefined, saidAt: undefined, ...this.#peers.get(id), url });
  }

  /** Where the peer itself said last that it is. */
  #newest(id: number): string | undefined {
    const registered = this.#whereabouts.registered(id);
    const announced = this.#announced.get(id);
    return announced && announced.registered === registered ? announced.url : registered;
  }

  #candidates(id: number): string[] {
    const { configured, voting } = this.#whereabouts;
    const all = [configured(id), this.#newest(id), voting(id), this.#told.get(id)];
    return [...new Set(all)].filter((url) => url !== undefined);
  }
}
