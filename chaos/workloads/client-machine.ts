import { OdradekClient } from '../../src/client/index.ts';
import type { SimNode } from '../sim/node.ts';
import type { SimWorld } from '../sim/world.ts';

/** A machine outside the cluster on which clients run. */
export class ClientMachine {
  readonly machine: SimNode;
  readonly #bootstrap: readonly string[];

  constructor(world: SimWorld, name: string, bootstrap: readonly string[]) {
    this.machine = world.node(name);
    this.#bootstrap = bootstrap;
  }

  /** The present process, as it is called in a history: a restarted one is another. */
  get processName(): string {
    return `${this.machine.name}/${this.machine.incarnation.number}`;
  }

  client(): OdradekClient {
    const { network, clock, timers, random, logger } = this.machine.platform;
    const options = { bootstrap: this.#bootstrap, clientId: this.machine.name };
    return new OdradekClient(options, { dialer: network, clock, timers, random, logger });
  }

  sleep(delayMs: number): Promise<void> {
    const { timers } = this.machine.platform;
    return new Promise((resolve) => timers.set(delayMs, resolve));
  }
}
