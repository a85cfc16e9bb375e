import { UndecidedChange } from '../controller/pending-replies.ts';
import { ERROR_CODE, KafkaError } from '../protocol/errors.ts';
import type { AnyApi, Api } from '../protocol/schema.ts';
import { type BrokerContext, type Handler, isPeer } from './context.ts';

interface AskOptions {
  /** Carrying it out twice does no harm, so it is sent again also when an answer was lost. */
  readonly isRepeatable?: boolean;
  /** How long one attempt may take; a controller that hangs is soon replaced. */
  readonly attemptTimeoutMs?: number;
}

/**
 * Carries a request to the active controller. While the controller is not known, or moves, it tries again until
 * `timeoutMs` (bounded by the config) have passed; then the request is refused with the last reason.
 *
 * A request whose answer was lost may have been carried out: the controller's operations say so themselves
 * (TOPIC_ALREADY_EXISTS), so only requests that it surely refused are repeated, unless repeating is harmless.
 */
export async function askController<Request, Response>(
  context: BrokerContext,
  api: Api<Request, Response>,
  request: Request,
  timeoutMs: number,
  { isRepeatable = false, attemptTimeoutMs = Number.POSITIVE_INFINITY }: AskOptions = {},
): Promise<Response> {
  const { controller, clock, config } = context;
  const waitMs = Math.min(
    timeoutMs > 0 ? timeoutMs : config.controllerTimeoutMsMax,
    config.controllerTimeoutMsMax,
  );
  const deadlineMs = clock.monotonicMs() + waitMs;
  for (;;) {
    try {
      const leftMs = Math.max(1, deadlineMs - clock.monotonicMs());
      const response = await controller.send(api, request, Math.min(leftMs, attemptTimeoutMs));
      if (!isMoved(response)) return response;
    } catch (error) {
      if ((error as { readonly code?: unknown } | null)?.code === 'unsupported-version') throw notServed(api);
      const mayRepeat = isSurelyRefused(error) || (isRepeatable && isLost(error));
      if (!mayRepeat) throw asTimeout(error);
      context.logger.debug({ api: api.name, error }, 'The controller could not be asked');
    }
    if (clock.monotonicMs() + config.controllerRetryIntervalMs >= deadlineMs) {
      throw new KafkaError('REQUEST_TIMED_OUT', `no active controller answered within ${waitMs} ms`);
    }
    await new Promise<void>((resolve) => context.timers.set(config.controllerRetryIntervalMs, resolve));
  }
}

/** A handler that any broker has, for what the controller decides. */
export function forwarded<Request, Response>(
  api: Api<Request, Response>,
  timeoutMsOf: (request: Request) => number = () => 0,
): Handler<Request, Response> {
  return async (context, request, from) => {
    if (isPeer(from)) {
      return await context.controller.handle(api, request).catch((error: unknown) => {
        // The peer would take NOT_CONTROLLER for a refusal, and send the request again.
        throw asTimeout(error);
      });
    }
    return await askController(context, api, request, timeoutMsOf(request));
  };
}

/** A handler for what brokers ask of the controller alone. */
export function controllerOnly<Request, Response>(api: Api<Request, Response>): Handler<Request, Response> {
  return (context, request) => context.controller.handle(api, request);
}

/** The controller is of an older release, or held back: so is the level of the cluster, then. */
function notServed({ name, since }: AnyApi): KafkaError {
  const message =
    `the active controller does not serve ${name} yet; it takes catalogue level ${since}, ` +
    'and so the upgrade of all nodes that "odradek cluster describe" names';
  return new KafkaError('UNSUPPORTED_VERSION', message);
}

/** The answer of a node that is not the active controller (any more). */
function isMoved(response: unknown): boolean {
  const { errorCode } = (response ?? {}) as { readonly errorCode?: number };
  return errorCode === ERROR_CODE.NOT_CONTROLLER;
}

/** Whether nothing was done: a refusal by name, or a connection that never carried the request. */
function isSurelyRefused(error: unknown): boolean {
  if (error instanceof UndecidedChange) return false;
  if (error instanceof KafkaError)
    return error.code === 'NOT_CONTROLLER' || error.code === 'BROKER_NOT_AVAILABLE';
  return (error as { readonly maybeExecuted?: boolean } | null)?.maybeExecuted === false;
}

/** Whether the request went out and no answer came back, or none that tells. */
function isLost(error: unknown): boolean {
  return (
    error instanceof UndecidedChange ||
    (error as { readonly maybeExecuted?: boolean } | null)?.maybeExecuted === true
  );
}

function asTimeout(error: unknown): unknown {
  if (!isLost(error)) return error;
  return new KafkaError(
    'REQUEST_TIMED_OUT',
    'the controller did not answer; it may have carried the request out',
    {
      cause: error,
    },
  );
}
