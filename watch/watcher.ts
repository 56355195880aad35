/** The live page's eye: looks at the stores, the broker and the roles, and makes one {@link View} of it. */
import { setTimeout as delay } from "node:timers/promises";
import { messageOf } from "@ecomarket/shared/base/errors";
import {
  DEAD_LETTER_QUEUE,
  fullTopology,
  retryQueue,
  type SubscriberName,
  SUBSCRIPTIONS,
  type Topology,
} from "@ecomarket/shared/contract/topology";
import type { Logger } from "@ecomarket/shared/process/log";
import type { LogRecord } from "@ecomarket/testbed/processes/log_record";
import type { ConsumerName } from "@ecomarket/testbed/processes/roles";
import {
  countDeadLetters,
  type DataDirOf,
  effectsOfEvent,
  SUBSCRIBERS,
} from "@ecomarket/testbed/stores/effects";
import { pauseOf, type SubscriberState, subscriberState } from "@ecomarket/testbed/stores/pauses";
import type { ConsumeMessage } from "amqplib";
import type { Ledger, Wish } from "./ledger/ledger.ts";
import { Observation } from "./ledger/observation.ts";
import { Stories } from "./ledger/stories.ts";
import { ShortfallClock } from "./ledger/shortfall_clock.ts";
import type { BrokerLook, BrokerLooker } from "./sources/broker_look.ts";
import { eventStory } from "./sources/event_story.ts";
import { seenEvent } from "./sources/message.ts";
import { lettersOf, subscriberOf, waitingLetters } from "./sources/store_look.ts";
import { EffectTail, LetterTail } from "./sources/store_tail.ts";
import { topologyView } from "./sources/topology_view.ts";
import type { Deeds } from "./stage/deeds.ts";
import type { Fleet } from "./stage/fleet.ts";
import { reconcile, SHORTFALL_PATIENCE_MS } from "./view/reconcile.ts";
import type {
  ArchiveView,
  BrokerView,
  ConsumerView,
  LetterRow,
  Story,
  SubscriberView,
  View,
} from "./view/view.ts";

/** How often the stores are asked for what is new. */
const STORES_MS = 200;
/** How often the broker is looked at. */
const BROKER_MS = 1_000;

/** What a watcher looks with. */
export interface WatcherOptions {
  readonly ledger: Ledger;
  readonly looker: BrokerLooker;
  readonly fleet: Fleet;
  readonly deeds: Deeds;
  readonly dataDirOf: DataDirOf;
  readonly delaysMs: readonly number[];
  readonly broker: Omit<BrokerView, "state">;
  readonly log: Logger;
}

/** What each of the workshop's subscribers wants. */
export const WISHES: readonly Wish[] = SUBSCRIBERS.map((name) => ({
  name,
  exchanges: SUBSCRIPTIONS[name].exchanges,
}));

/** Looks until its signal aborts. */
export class Watcher {
  readonly since: number = Date.now();
  readonly observation: Observation;
  readonly #stories = new Stories(WISHES);
  readonly #options: WatcherOptions;
  readonly #topology: Topology;
  readonly #effects: readonly EffectTail[];
  readonly #letterTail: LetterTail;
  readonly #shortfalls = new ShortfallClock();
  #look: BrokerLook | undefined;
  #letters: readonly LetterRow[] = [];
  #archived = 0;
  #pauses = new Map<string, SubscriberState>();
  /** Whether somebody has stopped the broker by the page's button. */
  isBrokerStopped = false;

  constructor(options: WatcherOptions) {
    this.#options = options;
    this.observation = new Observation(options.ledger, this.#stories);
    this.#topology = fullTopology(options.delaysMs);
    this.#effects = SUBSCRIBERS.map((name) => new EffectTail(name, options.dataDirOf));
    this.#letterTail = new LetterTail(options.dataDirOf);
    this.#readStores(); // From here on, what appears there is new.
  }

  /** These passed on the broker. */
  passed(messages: readonly ConsumeMessage[]): void {
    this.observation.passed(messages.map(seenEvent));
  }

  /** A role of this page has logged something. */
  logged(name: ConsumerName, record: LogRecord): void {
    const { outcome, event_id: id, attempt = 1, delayMs } = record;
    const hasFailed = outcome === "retried" || outcome === "dead-lettered";
    if (name === "dead-letter" || !hasFailed || id === undefined) return;
    const reason = typeof record.reason === "string" ? record.reason : "";
    this.observation.failed(name, { id, attempt, reason, delayMs });
  }

  /** Looks until `signal` aborts. */
  async run(signal: AbortSignal): Promise<void> {
    await Promise.all([
      this.#every(STORES_MS, signal, () => this.#readStores()),
      this.#every(BROKER_MS, signal, () => this.#readBroker()),
    ]);
  }

  /** What the page shows now. n.b. what moved is told once. */
  view(): View {
    const { ledger, deeds, broker } = this.#options;
    const { observation } = this;
    return {
      now: Date.now(),
      since: this.since,
      broker: { ...broker, state: this.#brokerState() },
      subscribers: SUBSCRIBERS.map((name) => this.#subscriber(name)),
      archive: this.#archive(),
      topology: topologyView(this.#topology, this.#look),
      traffic: {
        published: ledger.published,
        perSecond: observation.perSecond,
        shown: observation.shown,
        earlier: ledger.earlier,
        moves: observation.takeMoves(),
      },
      events: this.#stories.rows(),
      letters: this.#letters,
      deeds: deeds.all,
    };
  }

  /** See {@link eventStory}. */
  story(told: string): Story | undefined {
    const { ledger, dataDirOf } = this.#options;
    return eventStory(told, { ledger, dataDirOf, stories: this.#stories });
  }

  async #every(ms: number, signal: AbortSignal, work: () => unknown): Promise<void> {
    while (!signal.aborted) {
      try {
        await work();
      } catch (error) {
        // A store that is busy or away is asked again: nothing is skipped.
        this.#options.log.debug("Cannot look: {reason}", { reason: messageOf(error) });
      }
      await delay(ms, undefined, { signal }).catch(() => {});
    }
  }

  #readStores(): void {
    for (const tail of this.#effects) this.observation.committed(tail.subscriber, tail.next());
    for (const letter of this.#letterTail.next()) {
      const { messageId: id, originQueue, reason, detail, archivedAt, type } = letter;
      const who = subscriberOf(originQueue);
      if (who === undefined) continue;
      const [exchange = ""] = SUBSCRIPTIONS[who].exchanges;
      const at = Date.parse(archivedAt);
      this.observation.archived(who, { id, type: type ?? "?", exchange, reason, detail, at });
    }
  }

  async #readBroker(): Promise<void> {
    const { looker, dataDirOf } = this.#options;
    this.#look = await looker.look(this.#topology.queues.map(({ name }) => name));
    for (const name of SUBSCRIBERS) {
      const consumers = this.#look?.queues[SUBSCRIPTIONS[name].queue]?.consumers ?? 0;
      const state = subscriberState(pauseOf(name, dataDirOf), consumers, new Date());
      this.#pauses.set(name, state);
      this.#lookForMissing(name);
    }
    this.#archived = countDeadLetters(dataDirOf);
    this.#letters = waitingLetters(dataDirOf);
    for (const { queue, eventId, state } of this.#letters) {
      const who = subscriberOf(queue);
      if (who && state === "replayed") this.observation.replayed(who, eventId);
    }
  }

  /**
   * Keeps the time for which the broker has held less than is missing. n.b. an event that was done
   * before the page was opened, and is published again, has its effect already: it is no new row.
   */
  #lookForMissing(name: SubscriberName): void {
    const { ledger, dataDirOf } = this.#options;
    const { published, effects, deadLetters } = ledger.tally(name);
    const held = this.#heldFor(name);
    const isShort = held !== undefined && held < published - effects - deadLetters;
    this.#shortfalls.note(name, isShort, Date.now());
    if (this.#shortfalls.lastsMs(name, Date.now()) < SHORTFALL_PATIENCE_MS / 3) return;
    for (const id of ledger.openOf(name)) {
      const done = effectsOfEvent(name, id, dataDirOf);
      if (done > 0) ledger.effect(name, id);
      else if (
        lettersOf(ledger.namesOf(id), dataDirOf).some(({ queue }) => subscriberOf(queue) === name)
      ) {
        ledger.letter(name, id);
      }
    }
  }

  #brokerState(): BrokerView["state"] {
    if (this.isBrokerStopped) return "stopped";
    return this.#look ? "up" : "away";
  }

  /** The delays that have a retry queue: none where the broker itself delays. */
  #delaysOf(name: SubscriberName): readonly number[] {
    return SUBSCRIPTIONS[name].retry ? [] : this.#options.delaysMs;
  }

  /** All that the broker holds of `name`; dead letters on their way to the archive may be its as well. */
  #heldFor(name: SubscriberName): number | undefined {
    if (!this.#look) return undefined;
    const { queue } = SUBSCRIPTIONS[name];
    const names = [queue, ...this.#delaysOf(name).map((ms) => retryQueue(queue, ms))];
    const { queues, unacked } = this.#look;
    return [...names, DEAD_LETTER_QUEUE]
      .map((each) => (queues[each]?.ready ?? 0) + (unacked.get(each) ?? 0))
      .reduce((sum, count) => sum + count, 0);
  }

  #consumer(name: ConsumerName, queue: string): ConsumerView {
    const { fleet } = this.#options;
    const instance = fleet.instanceOf(name);
    const status = this.#look?.queues[queue];
    const pause = this.#pauses.get(name);
    const rests = pause && "waitsFor" in pause && pause.state === "paused" ? pause : undefined;
    return {
      name,
      queue,
      state: stateOf(instance?.state, status?.consumers, rests !== undefined),
      waitsFor: rests?.waitsFor,
      reason: rests?.reason,
      instance,
      consumers: status?.consumers,
      ready: status?.ready,
      inHand: this.#look?.unacked.get(queue),
    };
  }

  #subscriber(name: SubscriberName): SubscriberView {
    const { ledger } = this.#options;
    const { queue, exchanges } = SUBSCRIPTIONS[name];
    const shortForMs = this.#shortfalls.lastsMs(name, Date.now());
    const tally = ledger.tally(name);
    const open = shortForMs < SHORTFALL_PATIENCE_MS ? [] : ledger.openOf(name);
    return {
      ...this.#consumer(name, queue),
      exchanges,
      retries: this.#delaysOf(name).map((delayMs) => ({
        delayMs,
        ready: this.#look?.queues[retryQueue(queue, delayMs)]?.ready,
      })),
      account: reconcile({ ...tally, open }, this.#heldFor(name), shortForMs),
      stored: this.#effects.find(({ subscriber }) => subscriber === name)!.stored,
    };
  }

  #archive(): ArchiveView {
    return { ...this.#consumer("dead-letter", DEAD_LETTER_QUEUE), stored: this.#archived };
  }
}

/** What a consumer does. The process that is ours tells at once; of others the broker tells. */
function stateOf(
  instance: string | undefined,
  consumers: number | undefined,
  rests: boolean,
): ConsumerView["state"] {
  if (rests) return "paused";
  if (consumers === undefined) return "unknown";
  if (consumers > 0) return "consuming";
  return instance === "starting" ? "starting" : "down";
}
