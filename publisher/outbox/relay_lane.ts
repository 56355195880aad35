/**
 * Takes the events of one type from the outbox to the broker: in order, in batches, and each until it
 * is confirmed. At least once: what was confirmed and could not be noted before a death is published
 * again, with the same `event_id`, and the subscribers' inboxes recognise it.
 */
import { setTimeout as delay } from "node:timers/promises";
import { tryAgain } from "@ecomarket/shared/base/backoff";
import { messageOf, StoreUnavailableError } from "@ecomarket/shared/base/errors";
import type { EventType } from "@ecomarket/shared/contract/catalogue";
import type { Logger } from "@ecomarket/shared/process/log";
import type { RobustPublisher } from "../levels/robust_publisher.ts";
import type { BacklogWatch } from "./backlog.ts";
import { connectWithRetry } from "./connect_with_retry.ts";
import type { Claim, Outbox, OutboxPart, OutboxRow } from "./outbox.ts";
import {
  afterBatch,
  afterPass,
  AT_THE_HEAD,
  atTime,
  isConfirmed,
  type RelayPosition,
  type RowOutcome,
} from "./relay_plan.ts";
import type { RelayStatus } from "./relay_status.ts";

/** How a lane runs. */
export interface RelayLaneOptions {
  /** `amqp:` or `amqps:` URLs, one per node. */
  readonly urls: readonly string[];
  readonly outbox: Outbox;
  /** What it publishes: its exchange alone must exist. */
  readonly type: EventType;
  /** What of the outbox is its own. */
  readonly part: OutboxPart;
  /** Is told whatever goes wrong, and what to do. */
  readonly onProblem: (problem: string) => void;
  readonly watch: BacklogWatch;
  readonly log: Logger;
  /** Events that are published and then noted together, at most. @default 500 */
  readonly batchSize?: number;
  /** How long one event may take before it is tried again later. @default 10000 */
  readonly publishTimeoutMs?: number;
  /** How long a connection may take before it is reported and tried again. @default 10000 */
  readonly connectTimeoutMs?: number;
  /** How long it may go on publishing what is left once it is asked to stop. @default 5000 */
  readonly drainTimeoutMs?: number;
  /** How long it may sleep without a look at the outbox, whatever it was told. @default 3000 */
  readonly lookIntervalMs?: number;
}

const DEFAULT_BATCH_SIZE = 500;
const DEFAULT_PUBLISH_TIMEOUT_MS = 10_000;
const DEFAULT_DRAIN_TIMEOUT_MS = 5_000;
const DEFAULT_LOOK_INTERVAL_MS = 3_000;

/** Publishes the outbox's events of one type, in their order, until each is confirmed. */
export class RelayLane {
  readonly #options: RelayLaneOptions;
  readonly #log: Logger;
  #woken = Promise.withResolvers<void>();
  #isRunning = false;
  #publisher: RobustPublisher | undefined;
  #problem: string | undefined;

  constructor(options: RelayLaneOptions) {
    this.#options = options;
    this.#log = options.log;
  }

  get status(): RelayStatus {
    const connected = this.#publisher?.isConnected ? "connected" : "connecting";
    return {
      state: this.#isRunning ? connected : "stopped",
      ...(this.#problem === undefined ? {} : { problem: this.#problem }),
    };
  }

  /**
   * Publishes whatever comes into its part of the outbox until `stop` aborts; then what is left in it, for
   * `drainTimeoutMs` at most and as long as the broker takes it. A broker that is down, that refuses
   * us, or that lacks the exchange is no end: it is logged, and tried again.
   *
   * @throws {Deno.errors.NotCapable} when the sandbox forbids to reach the broker.
   */
  async run(stop: AbortSignal): Promise<void> {
    const { drainTimeoutMs = DEFAULT_DRAIN_TIMEOUT_MS } = this.#options;
    const giveUp = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const onStop = () => {
      timer = setTimeout(() => {
        giveUp.abort();
        void this.#publisher?.close(0);
      }, drainTimeoutMs);
      this.wake();
    };
    stop.addEventListener("abort", onStop, { once: true });
    this.#isRunning = true;
    try {
      this.#publisher = await this.#connect(stop);
      if (this.#publisher) await this.#relay(this.#publisher, stop, giveUp.signal);
    } catch (error) {
      if (!giveUp.signal.aborted) throw error;
    } finally {
      clearTimeout(timer);
      stop.removeEventListener("abort", onStop);
      await this.#publisher?.close(0);
      this.#isRunning = false;
    }
  }

  async #connect(stop: AbortSignal): Promise<RobustPublisher | undefined> {
    const { urls, log, type, publishTimeoutMs, connectTimeoutMs } = this.#options;
    const publisher = await connectWithRetry({
      urls,
      log,
      role: `users-api ${type}`,
      events: [type],
      publishTimeoutMs: publishTimeoutMs ?? DEFAULT_PUBLISH_TIMEOUT_MS,
      ...(connectTimeoutMs ? { connectTimeoutMs } : {}),
      signal: stop,
    }, (problem) => {
      this.#report(problem);
      void this.#watchBacklog();
    });
    this.#problem = undefined;
    return publisher;
  }

  async #relay(
    publisher: RobustPublisher,
    stop: AbortSignal,
    giveUp: AbortSignal,
  ): Promise<void> {
    let at: RelayPosition = AT_THE_HEAD;
    for (;;) {
      // n.b. before the outbox is read: a commit that comes in between must not be slept through.
      this.#woken = Promise.withResolvers();
      if (giveUp.aborted || (stop.aborted && !publisher.isConnected)) return;
      at = atTime(at, performance.now());
      const after = at.isBlocked ? undefined : await this.#batch(publisher, at, giveUp);
      at = after ?? afterPass(at);
      if (at.retryAtMs === undefined) this.#problem = undefined;
      await this.#watchBacklog();
      if (after && !at.isBlocked) continue;
      if (stop.aborted) return;
      await this.#idle(at, stop);
    }
  }

  /** Publishes what can be claimed. @returns where that leads; `undefined` where there was nothing. */
  async #batch(
    publisher: RobustPublisher,
    at: RelayPosition,
    giveUp: AbortSignal,
  ): Promise<RelayPosition | undefined> {
    const { outbox, part, batchSize = DEFAULT_BATCH_SIZE } = this.#options;
    const request = { part, limit: batchSize, behind: at.position };
    await using claim = await this.#whileUnavailable(giveUp, () => outbox.claim(request));
    if (claim.rows.length === 0) return undefined;
    const outcomes = await Promise.all(claim.rows.map((row) => publishRow(publisher, row)));
    const after = afterBatch(at, outcomes, performance.now());
    await this.#settle(claim, outcomes, after, giveUp);
    return after;
  }

  /** Takes what is confirmed out of the outbox, and reports the rest. */
  async #settle(
    claim: Claim,
    outcomes: readonly RowOutcome[],
    { isBlocked, retryAtMs = 0 }: RelayPosition,
    giveUp: AbortSignal,
  ): Promise<void> {
    const confirmed = outcomes.filter(isConfirmed).map(({ row }) => row);
    const failed = outcomes.filter((outcome) => !isConfirmed(outcome));
    // n.b. where all is held up, the trouble is this relay's link or the broker's, not the events'.
    const deferred = isBlocked ? [] : failed.map(({ row }) => row);
    const deferMs = Math.max(0, retryAtMs - performance.now());
    if (confirmed.length > 0 || deferred.length > 0) {
      const settlement = { confirmed, deferred, deferMs };
      await this.#whileUnavailable(giveUp, () => claim.settle(settlement, new Date()));
    }
    if (confirmed.length > 0) {
      this.#log.debug("{count} events of the outbox are confirmed", {
        count: confirmed.length,
        state: "relaying",
      });
    }
    const [first] = failed;
    if (!first) return;
    this.#report(
      `${failed.length} events stay in the outbox and are tried again (${first.status}: ` +
        `${first.reason ?? "no answer is asked for"})`,
    );
  }

  /**
   * Sleeps until there is something to do: a commit, the end of a wait, or the end. Another process
   * may have left events here, and tells nobody: so it never sleeps for long.
   */
  async #idle({ isBlocked, retryAtMs }: RelayPosition, stop: AbortSignal): Promise<void> {
    const { lookIntervalMs = DEFAULT_LOOK_INTERVAL_MS } = this.#options;
    const retryInMs = Math.max(0, (retryAtMs ?? Infinity) - performance.now());
    if (isBlocked) return await this.#pause(retryInMs, stop);
    const waiting = new AbortController();
    const timeIsUp = this.#pause(Math.min(retryInMs, lookIntervalMs), waiting.signal);
    await Promise.race([this.#woken.promise, timeIsUp]);
    waiting.abort();
  }

  /** Tells that there may be something to do. */
  wake(): void {
    this.#woken.resolve();
  }

  async #pause(ms: number, signal: AbortSignal): Promise<void> {
    await delay(ms, undefined, { signal }).catch(() => {}); // Ended early: whoever waits looks again.
  }

  /** `action`, tried again while the store is unavailable: what it would change stays as it is. */
  #whileUnavailable<T>(giveUp: AbortSignal, action: () => T | Promise<T>): Promise<T> {
    return tryAgain(action, {
      isWorthIt: (error) => error instanceof StoreUnavailableError,
      onFailure: (error) => this.#report(messageOf(error)),
      signal: giveUp,
    });
  }

  async #watchBacklog(): Promise<void> {
    try {
      this.#options.watch.see(await this.#options.outbox.backlog(new Date()));
    } catch (error) {
      if (!(error instanceof StoreUnavailableError)) throw error;
      this.#report(error.message);
    }
  }

  #report(problem: string): void {
    this.#problem = problem;
    this.#options.onProblem(problem);
  }
}

async function publishRow(publisher: RobustPublisher, row: OutboxRow): Promise<RowOutcome> {
  try {
    const outcome = await publisher.publish(JSON.parse(row.event));
    return "error" in outcome
      ? { row, status: outcome.status, reason: outcome.error.message }
      : { row, status: outcome.status };
  } catch (error) {
    const reason = `event ${row.eventId}: ${messageOf(error)}. Was it written by a newer program?`;
    return { row, status: "unpublishable", reason };
  }
}
