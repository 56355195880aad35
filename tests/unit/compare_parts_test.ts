/** The pure parts of `deno task compare`: percentiles, saturation, the ledger, the publisher's edit. */
import assert from "node:assert/strict";
import { subscriberUrls } from "../../tasks/compare/baselines/subscriber_urls.ts";
import { ledger } from "../../tasks/compare/fleet/ledger.ts";
import { Latencies } from "../../tasks/compare/load/latencies.ts";
import { ramp } from "../../tasks/compare/load/ramp.ts";
import { changedLines, withEntries } from "../../tasks/compare/measurements/publisher_edit.ts";
import { SPECS, VARIANTS } from "../../tasks/compare/variants.ts";

Deno.test("Latencies gives percentiles that are exact to three digits", () => {
  const { p50, p95, p99 } =
    Latencies.of(Array.from({ length: 1_000 }, (_, n) => n + 1)).percentiles;
  for (const [found, wanted] of [[p50, 500], [p95, 950], [p99, 990]] as const) {
    assert.ok(Math.abs(found - wanted) <= wanted / 1_000, `${found} for ${wanted}`);
  }
});

Deno.test("Latencies keeps what is shorter than its unit, and refuses percentiles of nothing", () => {
  assert.equal(Latencies.of([0]).percentiles.p50, 0);
  assert.throws(() => new Latencies().percentiles, /No latency was recorded/);
});

const throughputs = (...perSecond: number[]) => {
  let n = 0;
  return () => Promise.resolve(perSecond[n++]!);
};

Deno.test("ramp() ends after two steps without growth, and names the first that reached the most", async () => {
  const found = await ramp(throughputs(100, 200, 390, 400, 380, 9_999), { start: 8, max: 1_024 });
  assert.deepEqual(found.steps.map(({ concurrency }) => concurrency), [8, 16, 32, 64, 128]);
  assert.equal(found.maxPerSecond, 390);
  assert.equal(found.concurrency, 32);
  assert.ok(found.saturated);
});

Deno.test("ramp() goes on after a single bad step", async () => {
  const found = await ramp(throughputs(100, 90, 200, 210, 205), { start: 1, max: 16 });
  assert.equal(found.maxPerSecond, 200);
  assert.equal(found.concurrency, 4);
});

Deno.test("ramp() ends at once where throughput collapses", async () => {
  const found = await ramp(throughputs(100, 200, 90, 9_999), { start: 1, max: 16 });
  assert.equal(found.maxPerSecond, 200);
  assert.equal(found.steps.length, 3);
  assert.ok(found.saturated);
});

Deno.test("ramp() says when it ended before throughput did", async () => {
  const found = await ramp(throughputs(100, 200, 400), { start: 1, max: 4 });
  assert.equal(found.maxPerSecond, 400);
  assert.ok(!found.saturated);
});

Deno.test("ledger() counts accepted signups that a subscriber has not, refused ones that one has", () => {
  const answers = { accepted: ["a", "b", "c"], refused: ["x", "y"] };
  assert.deepEqual(ledger(answers, [new Set("abc"), new Set("abc")]), { lost: 0, orphans: 0 });
  assert.deepEqual(ledger(answers, [new Set("abcx"), new Set("a")]), { lost: 2, orphans: 1 });
  assert.deepEqual(ledger({ accepted: [], refused: [] }, []), { lost: 0, orphans: 0 });
});

Deno.test("withEntries() adds to the list of subscribers of every publisher that has one", async () => {
  for (const variant of VARIANTS) {
    const { script, listEntry } = SPECS[variant];
    if (!listEntry) continue;
    const source = await Deno.readTextFile(new URL(`../../${script}`, import.meta.url));
    const edited = withEntries(source, [listEntry("audit"), listEntry("crm")]);
    assert.equal(changedLines(source, edited), 2, script);
    assert.match(edited, /"analytics(_queue)?",\n {2}"audit(_queue)?",\n {2}"crm(_queue)?",\n\];/);
  }
});

Deno.test("withEntries() says so when there is no list", () => {
  assert.throws(() => withEntries("const x = 1;\n", ['"audit",']), /no list of subscribers/);
});

Deno.test("changedLines() counts what was added, taken away and changed", () => {
  assert.equal(changedLines("a\nb\nc", "a\nb\nc"), 0);
  assert.equal(changedLines("a\nb\nc", "a\nb\nx\nc"), 1);
  assert.equal(changedLines("a\nb\nc", "a\nc"), 1);
  assert.equal(changedLines("a\nb\nc", "a\nB\nc"), 2);
});

Deno.test("subscriberUrls() gives the addresses in the order of the names, or says what is missing", () => {
  const text = "loyalty=http://127.0.0.1:2/,email=http://127.0.0.1:1/?a=b";
  assert.deepEqual(subscriberUrls(["email", "loyalty"], text), [
    ["email", "http://127.0.0.1:1/?a=b"],
    ["loyalty", "http://127.0.0.1:2/"],
  ]);
  for (const wrong of ["", "email", "email=nada"]) {
    assert.throws(() => subscriberUrls(["email"], wrong), {
      name: "ConfigError",
      message: "SUBSCRIBER_URLS must hold email=http://host:port/",
    });
  }
});
