/** The page in English. */
import { plural, type Words } from "./words.ts";

/** English. */
export const en: Words = {
  code: "en",
  other: "Español",
  title: "EcoMarket Events, live",
  still: {
    "words-skip": "Skip to what happens now",
    "words-now": "Now",
    "words-map": "The way of an event",
    "words-accounts": "Does it add up?",
    "words-accounts-note":
      "Since this page was opened. Effects are counted in each subscriber's store, dead letters in the archive, what waits on the broker.",
    "words-subscriber": "Subscriber",
    "words-adds-up": "Adds up?",
    "words-process": "Its process",
    "words-publish": "Publish",
    "words-broker": "The broker",
    "words-events": "Events",
    "words-none": "None yet. Publish one.",
    "words-letters": "Dead letters",
    "words-no-letters": "None. What a subscriber gives up is shown here, with the reason.",
    "words-deeds": "What the buttons did",
    "words-differences": "The broker stands otherwise than wanted",
    "words-body": "Message",
    "words-headers": "Headers",
    "words-close": "Close",
  },
  readOnly: "You can look. To press buttons, open the address that the terminal shows.",
  connection: { live: "live", lost: "no connection to the page's program", paused: "paused" },
  broker: { up: "answers", away: "does not answer", stopped: "is stopped" },
  concern(concern) {
    switch (concern.kind) {
      case "broker":
        return concern.state === "stopped"
          ? "The broker is stopped. Nothing can be published; what it holds is on its disk."
          : "The broker does not answer. What it has confirmed is on its disk.";
      case "doubled":
        return `${concern.who} did ${plural(concern.count, "event", "events")} more than once.`;
      case "nowhere":
        return `${
          plural(concern.count, "event", "events")
        } for ${concern.who} cannot be found anywhere.`;
      case "down":
        return concern.waiting === 0
          ? `${concern.who} is down. Nothing waits for it yet.`
          : `${concern.who} is down. ${
            plural(concern.waiting, "event waits", "events wait")
          } for it${concern.areHeld ? " in its queue; none is lost" : ""}.`;
      case "paused":
        return `${concern.who} is paused: it waits for ${concern.waitsFor} (${concern.reason}). ${
          plural(concern.waiting, "event waits", "events wait")
        } for it.`;
      case "archive-down":
        return `The dead-letter consumer is down. ${
          plural(concern.waiting, "dead letter waits", "dead letters wait")
        } to be archived.`;
      case "differs":
        return `The broker stands otherwise than wanted in ${
          plural(concern.count, "place", "places")
        }: see below.`;
      case "dead":
        return `${
          plural(concern.count, "dead letter waits", "dead letters wait")
        } for your decision: see why below.`;
      case "starting":
        return `${concern.who} is starting.`;
      case "retrying":
        return `${
          plural(concern.count, "event waits", "events wait")
        } for another attempt of ${concern.who}.`;
      case "new-subscriber":
        return `A further subscriber listens: ${concern.who}.`;
      case "well":
        return concern.published === 0
          ? "Everything runs. No event was published yet."
          : `Everything runs. ${plural(concern.published, "event was", "events were")} published.`;
    }
  },
  consumer: {
    consuming: "consuming",
    paused: "paused",
    starting: "starting",
    down: "down",
    unknown: "unknown",
  },
  instance({ pid, state, status }) {
    switch (state) {
      case "starting":
      case "running":
      case "stopping":
        return `process ${pid}, ${state}`;
      case "stopped":
        return `process ${pid} was stopped`;
      case "killed":
        return `process ${pid} was killed`;
      case "ended":
        return `process ${pid} ended by itself (${status})`;
    }
  },
  elsewhere: (consumers) => consumers === 0 ? "nobody runs it" : "started by somebody else",
  verdict(verdict) {
    switch (verdict.kind) {
      case "settled":
        return "✓ adds up: each has its end";
      case "waiting":
        return "✓ adds up: the rest is on the broker";
      case "counting":
        return "… counting again";
      case "unknown":
        return "? the broker does not answer";
      case "doubled":
        return `✗ done more than once: ${verdict.ids.join(", ")}`;
      case "nowhere":
        return `✗ ${verdict.count} nowhere, of: ${verdict.ids.join(", ")}`;
    }
  },
  account: {
    published: "published",
    effects: "effects",
    deadLetters: "dead letters",
    waiting: "waiting",
    held: "on the broker",
  },
  sampled: (shown, published, perSecond) =>
    `${perSecond} per second. ` +
    (shown < published
      ? `${shown} of ${published} events were given a row; the numbers count all of them.`
      : `All of ${published} events were given a row.`),
  earlier: (count) =>
    count === 0
      ? ""
      : `${plural(count, "effect", "effects")} of events that were published before.`,
  depth: (ready, inHand) => `${ready} waiting` + (inHand === 0 ? "" : ` · ${inHand} received`),
  dots: (each) => `A dot on its way stands for up to ${plural(each, "event", "events")}.`,
  event: "Event",
  publishing: {
    sent: "sent, not confirmed yet",
    confirmed: "confirmed by the broker",
    failed: "not confirmed",
    seen: "published by somebody else",
    earlier: "published before this page was opened",
  },
  cell(cell) {
    switch (cell.state) {
      case "none":
        return "not for it";
      case "waiting":
        return "waits";
      case "retrying":
        return `attempt ${cell.attempt} failed`;
      case "committed":
        return cell.replayed ? "done, sent back" : "done";
      case "dead":
        return "dead letter";
      case "replayed":
        return "sent back";
    }
  },
  again: (seconds) => seconds <= 0 ? "again now" : `again in ${seconds} s`,
  reasons: {
    "retries-exhausted": "every attempt failed",
    "invalid-message": "the message is no valid event",
    "newer-event": "a newer program wrote it than the one that reads it",
    "permanent-error": "trying again cannot help",
    "handler-timeout": "it took too long, at every attempt",
    "delivery_limit": "its consumer died each time that it had it",
    expired: "it was too old",
    maxlen: "the queue was full",
    rejected: "it was rejected",
  },
  died: (who, reason) => `Died at ${who}: ${reason}.`,
  letterState: {
    waiting: "waits for you",
    replayed: "sent back, not done yet",
    done: "sent back, and done",
    "died-again": "sent back, and died again",
  },
  deed: { running: "under way", done: "done", failed: "failed" },
  step({ kind, who, attempt, delayMs }) {
    switch (kind) {
      case "sent":
        return "The publisher sent it";
      case "confirmed":
        return "The broker confirmed it: it is safe in each queue";
      case "failed":
        return "The broker did not confirm it";
      case "seen":
        return "It passed its exchange to each queue";
      case "retried":
        return `${who}: attempt ${attempt} failed; again after ${(delayMs ?? 0) / 1000} s`;
      case "gave-up":
        return `${who}: attempt ${attempt} failed; given up`;
      case "committed":
        return `${who}: the effect and the event's id are committed`;
      case "archived":
        return `${who}: archived as a dead letter`;
      case "replayed":
        return `Sent back to ${who}`;
    }
  },
  diagram: {
    publisher: "publisher",
    archive: "archive",
    effects: "effects",
    letters: "dead letters",
    missing: "missing",
    differs: "differs",
    new: "new",
    label:
      "Exchanges, queues, subscribers and stores, and how much waits in each: the tables below tell the same in words",
  },
  button: {
    publishOne: "Publish one",
    publishMany: "Publish 100",
    failTwice: "One that fails twice at email",
    failAlways: "One that fails for ever at loyalty",
    stop: "Stop",
    kill: "Kill",
    start: "Start",
    stopBroker: "Stop the broker",
    startBroker: "Start the broker",
    replay: "Send it back",
    again: "Send it back again",
  },
  story: (label) => `The story of ${label}`,
};
