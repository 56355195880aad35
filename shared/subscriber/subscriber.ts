/**
 * The subscriber loop: consumes one queue, hands each delivery to a {@link DeliveryProcessor}, and
 * keeps doing so through lost links, cancelled consumers, restarted brokers and stores that are away
 * until it is told to stop.
 */
import { aborted } from "../base/abort.ts";
import type { Pace } from "../base/backoff.ts";
import { openConnection } from "../broker/connection.ts";
import type { Logger } from "../process/log.ts";
import type { Store } from "../store/store.ts";
import { ConsumingSession, type SessionOptions } from "./consuming_session.ts";
import { DeliveryProcessor } from "./delivery_processor.ts";
import { DependencyGate } from "./dependency_gate.ts";
import { Hold } from "./hold.ts";
import { NOBODY, type SubscriberObserver } from "./observer.ts";
import { SliceDeclaration } from "./slice_declaration.ts";
import { OrderedSession } from "./ordered_session.ts";
import { StoreGate } from "./store_gate.ts";
import type { SubscriberSpec } from "./subscriber_spec.ts";
import { Window } from "./window.ts";

/** How a subscriber runs. */
export interface SubscriberOptions {
  /** `amqp:` or `amqps:` URLs, one per node. */
  readonly urls: readonly string[];
  readonly store: Store;
  readonly log: Logger;
  /** Deliveries in flight at once; fewer where they are large: see {@link Window}. */
  readonly prefetch: number;
  /** Is told what happens. @default nobody is */
  readonly observer?: SubscriberObserver;
  /** Stops the subscriber: what is in flight is finished first. */
  readonly signal: AbortSignal;
  /** How long the first connection may take. @default 30000 */
  readonly connectTimeoutMs?: number;
  /** How long what is in flight may take once `signal` has aborted. @default 8000 */
  readonly shutdownTimeoutMs?: number;
  /** How long the confirm of a retry or a dead letter may take. @default 10000 */
  readonly confirmTimeoutMs?: number;
  /** How long a delivery waits for a store that is unavailable. @default 2000 */
  readonly storePatienceMs?: number;
  /** How often a dependency that is away is asked for. @default after 1 s, then up to 30 s */
  readonly probePace?: Pace;
}

const DEFAULT_CONNECT_TIMEOUT_MS = 30_000;
/** n.b. a container is usually given 10 s between SIGTERM and SIGKILL. */
const DEFAULT_SHUTDOWN_TIMEOUT_MS = 8_000;

/**
 * Consumes until `options.signal` aborts; then cancels the consumer, finishes what is in flight
 * within `shutdownTimeoutMs`, hands the rest back to the broker by closing, and resolves.
 *
 * While the store is unavailable for longer than `storePatienceMs`, nothing is consumed: what was
 * taken goes back to its queue, and an effect that was finished meanwhile is kept and committed. The
 * same while what its handler depends on is away, asked for before the first message and whenever one
 * fails: see {@link Dependency}.
 *
 * @throws {BrokerUnreachableError} when no broker answers in time at the start.
 * @throws {AccessRefusedError} when the broker refuses the credentials.
 * @throws {TopologyMissingError} when a shared exchange is missing that its user may not declare.
 * @throws {TopologyDriftError} when a queue stands with other arguments.
 */
export async function runSubscriber<T>(
  spec: SubscriberSpec<T>,
  options: SubscriberOptions,
): Promise<void> {
  const { log, signal, observer = NOBODY } = options;
  const store = new StoreGate(options.store, log, options.storePatienceMs);
  using dependency = new DependencyGate(spec, options);
  const hold = new Hold([store, dependency]);
  const sessionOptions: SessionOptions<T> = {
    spec,
    slice: new SliceDeclaration(spec, log),
    processor: new DeliveryProcessor(spec, store, dependency, log, observer),
    hold,
    window: new Window(options.prefetch),
    log,
    observer,
    confirmTimeoutMs: options.confirmTimeoutMs,
  };
  const Session = spec.partitions ? OrderedSession<T> : ConsumingSession<T>;
  let session: ConsumingSession<T> | OrderedSession<T> | undefined;
  hold.onChange = () => session?.holdChanged();
  await dependency.start();

  await using connection = await openConnection({
    urls: options.urls,
    role: spec.name,
    log,
    signal,
    connectTimeoutMs: options.connectTimeoutMs ?? DEFAULT_CONNECT_TIMEOUT_MS,
    setup: async (link) => session = await Session.start(sessionOptions, link),
    onDisconnect() {
      if (!signal.aborted) observer.stateChanged({ state: "connecting" });
    },
  }).catch(unlessAborted(signal));
  if (!connection) return;
  await aborted(signal);

  observer.stateChanged({ state: "stopping" });
  log.info("Stopping: finishing what is in flight");
  const timeoutMs = options.shutdownTimeoutMs ?? DEFAULT_SHUTDOWN_TIMEOUT_MS;
  const deadline = AbortSignal.timeout(timeoutMs);
  const handedBack = await session?.drain(deadline);
  if (handedBack) {
    log.warning("{count} deliveries took longer than {timeoutMs} ms: handed back to the broker", {
      count: handedBack,
      timeoutMs,
    });
  }
  const givenUp = await store.close(deadline);
  if (givenUp) {
    log.warning("{count} finished effects could not be committed: they are done again", {
      count: givenUp,
    });
  }
}

/** Told to stop before it began: there is nothing to finish, and nothing went wrong. */
function unlessAborted(signal: AbortSignal): (error: unknown) => undefined {
  return (error) => {
    if (!signal.aborted) throw error;
  };
}
