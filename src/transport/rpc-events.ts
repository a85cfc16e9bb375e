import type { Counter, Histogram, Meter } from '../platform/ports.ts';
import { ERROR_CODE, errorDefinition } from '../protocol/errors.ts';
import type { AnyApi } from '../protocol/schema.ts';
import { TRANSPORT_METRICS as M } from './metrics.ts';
import type { Wire } from './wire.ts';

/** What the requests of one API on one listener are counted by. */
export interface ApiEvents {
  readonly requests: Counter;
  readonly queueSeconds: Histogram;
  readonly handleSeconds: Histogram;
  readonly sendSeconds: Histogram;
}

/** What happens on one listener, counted. */
export class RpcEvents {
  readonly meter: Meter;
  readonly bytesReceived: Counter;
  readonly bytesSent: Counter;
  readonly opened: Counter;
  readonly throttles: Counter;
  readonly #listener: Wire['name'];
  readonly #apis = new Map<AnyApi, ApiEvents>();

  constructor(meter: Meter, listener: Wire['name']) {
    this.meter = meter;
    this.#listener = listener;
    this.bytesReceived = meter.counter(M.bytesReceived, listener);
    this.bytesSent = meter.counter(M.bytesSent, listener);
    this.opened = meter.counter(M.opened, listener);
    this.throttles = meter.counter(M.throttles, listener);
  }

  of(api: AnyApi): ApiEvents {
    const known = this.#apis.get(api);
    if (known) return known;
    const labels = [api.name, this.#listener] as const;
    const created = {
      requests: this.meter.counter(M.requests, ...labels),
      queueSeconds: this.meter.histogram(M.seconds, ...labels, 'queue'),
      handleSeconds: this.meter.histogram(M.seconds, ...labels, 'handle'),
      sendSeconds: this.meter.histogram(M.seconds, ...labels, 'send'),
    };
    this.#apis.set(api, created);
    return created;
  }

  /** A request was answered with an error as a whole. `api` is undefined where it is not served. */
  failed(api: AnyApi | undefined, errorCode: number): void {
    this.meter
      .counter(M.errors, api?.name ?? 'unknown', this.#listener, errorDefinition(errorCode).name)
      .add();
  }

  /** Looks at an answer for an error of the request as a whole; those of its parts are refusals, counted as such. */
  answered(api: AnyApi, response: unknown): void {
    const { errorCode } = response as { readonly errorCode?: number };
    if (errorCode !== undefined && errorCode !== ERROR_CODE.NONE) this.failed(api, errorCode);
  }

  refused(reason: 'connectionsMax' | 'origin'): void {
    this.meter.counter(M.refused, this.#listener, reason).add();
  }
}
