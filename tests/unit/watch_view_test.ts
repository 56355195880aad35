/** What the live page makes of what it sees: rows and dots, concerns, commands, and both languages. */
import assert from "node:assert/strict";
import { Ledger } from "../../watch/ledger/ledger.ts";
import { Observation, type SeenEvent } from "../../watch/ledger/observation.ts";
import { Stories } from "../../watch/ledger/stories.ts";
import { en } from "../../watch/page/english.ts";
import { es } from "../../watch/page/spanish.ts";
import { commandOf } from "../../watch/view/actions.ts";
import { type Concern, concerns } from "../../watch/view/concerns.ts";
import { layOut } from "../../watch/view/layout.ts";
import { chooseRows, dotsFor, ROWS_PER_SECOND, ROWS_SHOWN } from "../../watch/view/sampling.ts";
import type { SubscriberView, View } from "../../watch/view/view.ts";

const WISHES = [{ name: "email", exchanges: ["user_events"] }];

function seen(id: string): SeenEvent {
  const exchange = "user_events";
  return { id, type: "UsuarioCreado", label: id, exchange, headers: undefined, body: undefined };
}

async function bench(now: () => number) {
  const ledger = await Ledger.open(WISHES);
  const stories = new Stories(WISHES);
  const observation = new Observation(ledger, stories, now);
  return {
    ledger,
    stories,
    observation,
    [Symbol.asyncDispose]: () => ledger[Symbol.asyncDispose](),
  };
}

Deno.test("Observation counts every event of a flood, and gives few of them a row", async () => {
  let now = 0;
  await using watch = await bench(() => now);
  for (let second = 0; second < 3; second++) {
    now = second * 1_000;
    watch.observation.passed(Array.from({ length: 10_000 }, (_, n) => seen(`${second}-${n}`)));
  }
  assert.equal(watch.ledger.published, 30_000);
  assert.equal(watch.observation.shown, 3 * ROWS_PER_SECOND);
  assert.equal(watch.stories.size, 3 * ROWS_PER_SECOND);
  assert.deepEqual(watch.observation.takeMoves(), [
    { kind: "published", who: undefined, count: 30_000 },
  ]);
  assert.deepEqual(watch.observation.takeMoves(), [], "they are told once");
});

Deno.test("Observation tells of one event what failed, what it waits for, and how it ended", async () => {
  let now = 1_000;
  await using watch = await bench(() => now);
  const { observation, stories } = watch;
  observation.sending(seen("a"));
  observation.confirmed(seen("a"));
  observation.passed([seen("a")]);
  observation.failed("email", { id: "a", attempt: 1, reason: "no", delayMs: 200 });
  assert.deepEqual(stories.rows()[0]!.cells.email, {
    state: "retrying",
    attempt: 1,
    reason: "no",
    until: 1_200,
    delayMs: 200,
  });
  now = 1_300;
  observation.committed("email", ["a"]);
  assert.deepEqual(stories.rows()[0]!.cells.email, { state: "committed", replayed: false });
  assert.equal(stories.rows()[0]!.publishing, "confirmed");
  const kinds = stories.story("a")!.steps.map(({ kind }) => kind);
  assert.deepEqual(kinds, ["sent", "confirmed", "seen", "retried", "committed"]);
  assert.equal(watch.ledger.published, 1);
});

Deno.test("Observation gives a dead letter a row, also of an event of before, and follows it back", async () => {
  await using watch = await bench(() => 5);
  const { observation, stories } = watch;
  const letter = { ...seen("old"), reason: "retries-exhausted", detail: "no", at: 4 };
  observation.archived("email", letter);
  assert.equal(stories.rows()[0]!.publishing, "earlier");
  observation.replayed("email", "old");
  assert.deepEqual(stories.rows()[0]!.cells.email, { state: "replayed" });
  observation.committed("email", ["old"]);
  assert.deepEqual(stories.rows()[0]!.cells.email, { state: "committed", replayed: true });
  assert.equal(watch.ledger.earlier, 1);
});

Deno.test("Stories keeps a bounded number, and forgets first what nothing is wrong with", () => {
  const stories = new Stories(WISHES);
  const begin = (id: string) => stories.begin({ ...seen(id), at: 0, publishing: "seen" });
  begin("bad");
  stories.cell("bad", "email", { state: "dead", reason: "", detail: "" });
  for (let n = 0; n < 5_000; n++) begin(String(n));
  assert.equal(stories.size, 1_000);
  assert.ok(stories.has("bad"));
  assert.equal(stories.rows().at(-1)!.id, "bad", "it is on the page still");
});

Deno.test("chooseRows() shows the newest, and older ones that something is wrong with", () => {
  const rows = Array.from({ length: 200 }, (_, n) => n);
  const chosen = chooseRows(rows, (n) => n === 3);
  assert.equal(chosen.length, ROWS_SHOWN + 1);
  assert.deepEqual([chosen[0], chosen.at(-1)], [199, 3]);
});

Deno.test("dotsFor() draws few dots, and says for how many events each stands", () => {
  assert.deepEqual(dotsFor(0), { dots: 0, each: 0 });
  assert.deepEqual(dotsFor(4), { dots: 4, each: 1 });
  assert.deepEqual(dotsFor(10_000), { dots: 6, each: 1_667 });
});

Deno.test("commandOf() is what a person would type", () => {
  assert.equal(
    commandOf({ kind: "publish", count: 1, fail: "email:2" }),
    "deno task publish --count 1 --fail email:2",
  );
  assert.equal(commandOf({ kind: "kill", consumer: "email" }, 42), "kill -9 42");
  assert.equal(
    commandOf({ kind: "start", consumer: "dead-letter" }),
    "deno task consumer:dead-letter",
  );
  assert.equal(commandOf({ kind: "replay", letter: 7 }), "deno task dead-letters replay 7");
});

const subscriber: SubscriberView = {
  name: "email",
  queue: "email_queue",
  state: "consuming",
  waitsFor: undefined,
  reason: undefined,
  instance: undefined,
  consumers: 1,
  ready: 0,
  inHand: 0,
  exchanges: ["user_events"],
  retries: [{ delayMs: 5_000, ready: 0 }, { delayMs: 30_000, ready: 0 }],
  account: {
    published: 3,
    effects: 3,
    deadLetters: 0,
    waiting: 0,
    held: 0,
    verdict: { kind: "settled" },
  },
  stored: 3,
};
const view: View = {
  now: 0,
  since: 0,
  broker: { state: "up", version: "4.3.6", kind: "private" },
  subscribers: [subscriber],
  archive: { ...subscriber, name: "dead-letter", queue: "dead_letter_queue" },
  topology: {
    exchanges: [{ name: "user_events", state: "stands" }],
    queues: [],
    bindings: [{ exchange: "user_events", queue: "email_queue", state: "stands" }],
    others: [],
    differences: [],
  },
  traffic: { published: 3, perSecond: 0, shown: 3, earlier: 0, moves: [] },
  events: [],
  letters: [],
  deeds: [],
};

Deno.test("concerns() tells the worst first, and that all is well where nothing is wrong", () => {
  assert.deepEqual(concerns(view), [{ kind: "well", published: 3 }]);
  const down: SubscriberView = { ...subscriber, state: "down", ready: 2 };
  const other = { name: "sms_queue", exchange: "user_events", ready: 0, consumers: 1 };
  const topology = { ...view.topology, others: [other] };
  const broken = { ...view, subscribers: [down], topology };
  assert.deepEqual(concerns(broken), [
    { kind: "down", who: "email", waiting: 2, areHeld: true },
    { kind: "new-subscriber", who: "sms_queue" },
  ]);
  const away = concerns({ ...view, broker: { ...view.broker, state: "away" } });
  assert.deepEqual(away, [{ kind: "broker", state: "away" }]);
});

Deno.test("layOut() puts every box into the picture, and none upon another", () => {
  const three = [1, 2, 3].map((n) => ({ ...subscriber, name: `s${n}`, queue: `q${n}` }));
  const other = { name: "sms_queue", exchange: "user_events", ready: 0, consumers: 1 };
  const topology = { ...view.topology, others: [other] };
  const { width, height, publisher, exchanges, lanes, archive, others } = layOut({
    subscribers: three,
    topology,
  });
  const boxes = [
    publisher,
    ...exchanges.values(),
    ...others.values(),
    ...[...lanes, archive].flatMap((
      { queue, consumer, store, retries },
    ) => [queue, consumer, store, ...retries]),
  ];
  for (const [index, one] of boxes.entries()) {
    assert.ok(
      one.x >= 0 && one.x + one.width <= width && one.y >= 0 && one.y + one.height <= height,
    );
    for (const two of boxes.slice(index + 1)) {
      const areApart = one.x + one.width <= two.x || two.x + two.width <= one.x ||
        one.y + one.height <= two.y || two.y + two.height <= one.y;
      assert.ok(areApart, `${JSON.stringify(one)} ${JSON.stringify(two)}`);
    }
  }
});

Deno.test("both languages have words for the same, and not the same words", () => {
  const worst: readonly Concern[] = [
    { kind: "broker", state: "stopped" },
    { kind: "nowhere", who: "email", count: 1 },
    { kind: "doubled", who: "email", count: 2 },
    { kind: "down", who: "email", waiting: 1, areHeld: false },
    { kind: "paused", who: "email", waiting: 2, waitsFor: "x", reason: "y" },
    { kind: "archive-down", waiting: 1 },
    { kind: "differs", count: 1 },
    { kind: "dead", count: 1 },
    { kind: "starting", who: "email" },
    { kind: "retrying", who: "email", count: 1 },
    { kind: "new-subscriber", who: "sms" },
    { kind: "well", published: 1 },
  ];
  for (const concern of worst) assert.notEqual(en.concern(concern), es.concern(concern));
  assert.deepEqual(Object.keys(en.still), Object.keys(es.still));
  assert.deepEqual(Object.keys(en.reasons), Object.keys(es.reasons));
  for (const [id, text] of Object.entries(en.still)) assert.notEqual(text, es.still[id], id);
});
