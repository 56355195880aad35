/** One call of a handler, which ends in time whatever the handler does. */
import { HandlerTimeoutError } from "../base/errors.ts";
import type { Logger } from "../process/log.ts";
import type { Effect } from "../store/store.ts";
import {
  DEFAULT_HANDLER_TIMEOUT_MS,
  type HandlerContext,
  type SubscriberSpec,
} from "./subscriber_spec.ts";

/** What one call is given. */
export interface HandlerCallOptions {
  readonly attempt: number;
  /** The event's. */
  readonly id: string;
  readonly log: Logger;
  /** Ends the call, with its own reason. */
  readonly signal: AbortSignal;
}

/**
 * What the handler of `spec` returns for `payload`.
 *
 * @throws {HandlerTimeoutError} when it has not returned after `spec.handlerTimeoutMs`. Its signal
 *   aborts then; what it does and returns afterwards is ignored.
 * @throws whatever the handler throws.
 */
export async function callHandler<T>(
  spec: SubscriberSpec<T>,
  payload: T,
  options: HandlerCallOptions,
): Promise<Effect> {
  const context = new CallContext(options);
  const working = spec.handle(payload, context);
  // A handler that has nothing to wait for costs no timer.
  if (!(working instanceof Promise)) return working;
  const timeoutMs = spec.handlerTimeoutMs ?? DEFAULT_HANDLER_TIMEOUT_MS;
  const { promise: timedOut, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    const error = new HandlerTimeoutError(
      `the handler was not done after ${timeoutMs} ms: give what it waits for a shorter limit`,
    );
    reject(error);
    context.abort(error);
  }, timeoutMs);
  try {
    return await Promise.race([working, timedOut]);
  } finally {
    clearTimeout(timer);
  }
}

class CallContext implements HandlerContext {
  readonly attempt: number;
  readonly #options: HandlerCallOptions;
  readonly #timeout = new AbortController();
  #signal: AbortSignal | undefined;
  #log: Logger | undefined;

  constructor(options: HandlerCallOptions) {
    this.attempt = options.attempt;
    this.#options = options;
  }

  /** Made when it is asked for, as {@link log} is: most handlers never do. */
  get signal(): AbortSignal {
    return this.#signal ??= AbortSignal.any([this.#options.signal, this.#timeout.signal]);
  }

  get log(): Logger {
    const { id, attempt, log } = this.#options;
    return this.#log ??= log.with({ event_id: id, attempt });
  }

  abort(reason: Error): void {
    this.#timeout.abort(reason);
  }
}
