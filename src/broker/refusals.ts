import type { Clock, Logger, Meter } from '../platform/ports.ts';
import { silentMeter } from '../platform/silent-meter.ts';
import { codeOf, ERROR_CODE, errorDefinition } from '../protocol/errors.ts';
import { ZERO_UUID } from '../protocol/uuid.ts';
import { isPeer, type RequestContext } from './context.ts';
import { BROKER_METRICS } from './metrics.ts';

/** What names the thing that was refused, under the names that it has in requests and answers. */
const ID_KEYS = [
  ...['topic', 'topicName', 'name', 'topicId', 'partition', 'partitionIndex', 'partitionId', 'index'],
  ...[
    'groupId',
    'memberId',
    'key',
    'resourceName',
    'brokerId',
    'brokerEpoch',
    'replicaId',
    'transactionalId',
  ],
  ...['producerId', 'producerEpoch', 'sessionId', 'errorMessage'],
];

/** Of one kind (API and error) in a window; the rest is counted in the first line of the next window. */
const LINES_PER_WINDOW = 20;
const WINDOW_MS = 1000;

type Fields = Readonly<Record<string, unknown>>;

interface Window {
  readonly startMs: number;
  lines: number;
  suppressed: number;
}

export interface RefusalsOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly meter?: Meter | undefined;
}

/**
 * Tells and counts every refusal, of a request as a whole or of a part of it: whatever an answer carries an error code
 * for, so that no handler can forget to. A client that insists does not flood the log.
 */
export class Refusals {
  readonly #options: RefusalsOptions;
  readonly #meter: Meter;
  readonly #windows = new Map<string, Window>();

  constructor(options: RefusalsOptions) {
    this.#options = options;
    this.#meter = options.meter ?? silentMeter;
  }

  /** An answer that is about to leave. */
  inAnswer(api: string, request: unknown, answer: unknown, from: RequestContext): void {
    if (isObject(answer)) search(answer, [], (refused) => this.#report(api, request, refused, from));
  }

  /** The request was refused as a whole. */
  thrown(api: string, request: unknown, error: unknown, from: RequestContext): void {
    const errorCode = codeOf(error);
    // A bug, not a refusal; the transport logs its trace.
    if (errorCode === ERROR_CODE.UNKNOWN_SERVER_ERROR) return;
    const errorMessage = error instanceof Error ? error.message : null;
    this.#report(api, request, { errorCode, errorMessage }, from);
  }

  #report(api: string, request: unknown, refused: Fields, from: RequestContext): void {
    const { name: error, action } = errorDefinition(Number(refused.errorCode));
    this.#meter.counter(BROKER_METRICS.refusals, api, error).add();
    const suppressed = this.#admit(`${api} ${error}`);
    if (suppressed === undefined) return;
    const asked = isObject(request) ? idsOf(request) : {};
    const { clientId, caller } = from;
    const ids = { ...asked, ...idsOf(refused), clientId, remote: caller.remote };
    // Nodes find the controller and the leaders by asking: each start and each election has such refusals, and they end
    // by themselves. The node that asks tells what does not.
    const isSearch = isPeer(from) && (action === 'refresh-metadata' || action === 'retry');
    this.#options.logger[isSearch ? 'debug' : 'info'](
      { api, error, ...ids, ...(suppressed > 0 && { suppressed }) },
      'Refused a request',
    );
  }

  /** How many lines of this kind were left out before this one; undefined: leave it out too. */
  #admit(kind: string): number | undefined {
    const nowMs = this.#options.clock.monotonicMs();
    let window = this.#windows.get(kind);
    if (window && nowMs - window.startMs < WINDOW_MS && window.lines >= LINES_PER_WINDOW) {
      window.suppressed++;
      return undefined;
    }
    const suppressed = window?.suppressed ?? 0;
    if (!window || nowMs - window.startMs >= WINDOW_MS) {
      window = { startMs: nowMs, lines: 0, suppressed: 0 };
      this.#windows.set(kind, window);
    }
    window.lines++;
    return suppressed;
  }
}

/** Finds what carries an error code; the ids of what is around it (the topic of a partition) are added to its own. */
function search(node: Fields, path: Fields[], found: (refused: Fields) => void): void {
  const { errorCode } = node;
  if (typeof errorCode === 'number' && errorCode !== ERROR_CODE.NONE)
    found(Object.assign({}, ...path.map(idsOf), node));
  path.push(node);
  for (const key in node) {
    const value = node[key];
    if (!Array.isArray(value)) continue;
    for (const item of value) {
      // Lists hold items of one kind: bytes, numbers and names carry no error code.
      if (!isObject(item) || item instanceof Uint8Array) break;
      search(item, path, found);
    }
  }
  path.pop();
}

function idsOf(node: Fields): Fields {
  const ids: Record<string, unknown> = {};
  for (const key of ID_KEYS) {
    const value = node[key];
    const isSet =
      typeof value === 'string'
        ? value !== '' && value !== ZERO_UUID
        : typeof value === 'number' && value >= 0;
    if (isSet) ids[key] = value;
  }
  return ids;
}

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null;
}
