/** That the documents say what was measured and computed, and what makes that so. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { PROJECT_ROOT } from "@ecomarket/testbed/project/project_root";
import { markdownReport } from "../../tasks/compare/report/report.ts";
import { parseCompareReport } from "../../tasks/docs_figures/compare_report.ts";
import { DocumentError } from "../../tasks/docs_figures/document_error.ts";
import { COMPARE_REPORT, DOCUMENTS, figures } from "../../tasks/docs_figures/documents.ts";
import { ENGLISH } from "../../tasks/docs_figures/english.ts";
import { findings } from "../../tasks/docs_figures/findings.ts";
import { fillSections, sectionNames } from "../../tasks/docs_figures/sections.ts";
import { SPANISH } from "../../tasks/docs_figures/spanish.ts";
import { comparison, LATENCY, outage } from "./comparison.ts";

const read = (path: string) => Deno.readTextFile(join(PROJECT_ROOT, path));
const reported = (...more: Parameters<typeof comparison>) =>
  parseCompareReport(markdownReport(comparison(...more)));

for (const { path, language } of DOCUMENTS) {
  Deno.test(`${path} has the figures of docs/compare.md and of deno task roi`, async () => {
    const text = await read(path);
    const report = parseCompareReport(await read(COMPARE_REPORT));
    assert.ok(
      fillSections(text, figures(report, language)) === text,
      `${path} has other figures: run deno task docs:figures`,
    );
  });
}

Deno.test("Taller4_Justificacion.md has every part that there are figures for, once", async () => {
  const [{ path, language } = assert.fail()] = DOCUMENTS;
  const names = sectionNames(await read(path));
  assert.deepEqual(names.sort(), Object.keys(figures(reported(), language)).sort());
});

Deno.test("parseCompareReport() reads back what a comparison's report says", () => {
  const report = reported();
  assert.equal(report.command, "deno task compare --report docs/compare.md");
  assert.equal(report.machine, "linux x86_64, 2 cores");
  assert.deepEqual(report.versions, { rabbitmq: "3.10.8", deno: "2.9.6" });
  assert.deepEqual(report.p50, { coupled: 604.2, queueEach: 4, direct: 4, events: 4 });
  assert.equal(report.timesFaster, 150);
  assert.deepEqual(report.outages.failing.coupled, { success: 95, lost: 0, orphans: 8 });
  assert.deepEqual(report.unwell, { signups: 640, refused: 0, worstP95: 7.5 });
  assert.deepEqual(report.growth.counts, [3, 5, 10]);
  assert.deepEqual(report.growth.p50.coupled, [603, 1005, 2010]);
  assert.equal(report.maxPerSecond.events, 1_200);
  assert.deepEqual(report.linesChanged, { coupled: 1, queueEach: 1, direct: 1, events: 0 });
  assert.deepEqual(
    [report.ratePerSecond, report.growthRatePerSecond, report.subscriberMs],
    [40, 10, 200],
  );
  assert.deepEqual(report.tables.latency.rows[0], ["coupled", "604.2", "612.5", "640"]);
});

Deno.test("parseCompareReport() says what is missing, and how to make the report again", () => {
  const text = markdownReport(comparison()).replace(/^\| loyalty is down \| direct .*\n/m, "");
  assert.throws(
    () => parseCompareReport(text),
    (error: unknown) =>
      error instanceof DocumentError &&
      /does not say the row loyalty is down, direct: make it again with deno task compare/
        .test(error.message),
  );
});

Deno.test("findings() works out only what follows from the report's figures", () => {
  const found = findings(reported());
  assert.equal(found.latencyCutPercent, 99.3);
  assert.equal(found.coupledOrphans, 168);
  assert.equal(found.ruledOutPercent, "0.47");
  assert.equal(found.msPerSubscriber, 201);
  assert.ok(found.isWithinClaimedMs && found.isEnough && !found.isSlowedByOutage && !found.isQuick);
});

Deno.test("figures() of both languages repeat the rows of the report", () => {
  const report = reported();
  assert.match(figures(report, SPANISH).outages!, /\| loyalty caído \| acoplado \| 0 \| 604\.2 \|/);
  assert.match(figures(report, SPANISH).growth!, /\|\s+\| p50 con 3 \(ms\) \|/);
  assert.match(
    figures(report, ENGLISH).outages!,
    /\| loyalty is down \| coupled \| 0 \| 604\.2 \|/,
  );
});

Deno.test("figures() of both languages do not confirm what a comparison has not shown", () => {
  const { outages } = comparison();
  const report = reported({
    command: "deno task compare --quick --report docs/compare.md",
    latencyMs: { ...LATENCY, events: { p50: 60, p95: 300, p99: 400 } },
    outages: { ...outages, down: outage({}, { lost: 2, refused: 1, p95: 250 }) },
  });
  const spanish = figures(report, SPANISH);
  assert.match(spanish.origin!, /demasiado corta para citarla/);
  assert.match(spanish.claims!, /600 ms → 50 ms.*\*\*No confirmada en esta medición\.\*\*/);
  assert.match(spanish.claims!, /2 perdidos de 640 registros.*\*\*Refutada\*\*/);
  assert.match(spanish.claims!, /hicieron rechazar 1 registros también a la API de eventos/);
  assert.match(spanish.claims!, /250 ms \| \*\*No confirmada en esta medición\*\*/);
  const english = figures(report, ENGLISH);
  assert.match(english.origin!, /too short to be quoted/);
  assert.match(english.claims!, /600 ms → 50 ms.*\*\*Not confirmed by this run\.\*\*/);
  assert.match(english.claims!, /2 of 640 lost during outages \| \*\*Refuted\.\*\*/);
});

Deno.test("figures() in Spanish have the sums of deno task roi", () => {
  const { roi, ...parts } = figures(reported(), SPANISH);
  assert.match(roi!, /deno task roi --signups 800 --value 50 --failure-rate 0\.05\n/);
  assert.match(parts["roi-result"]!, /\| pérdida hoy \| 2,000 \| 60,000 \| 720,000 \|/);
  assert.match(parts["roi-reading"]!, /se recupera en 0\.6 días/);
  assert.match(parts["roi-reading"]!, /con 3 falla el 14\.26 % de los registros \(5,705 al día\)/);
  const disagree = parts["roi-contradictions"]!.split("\n").filter((row) => row.includes("**no**"));
  assert.deepEqual(disagree.map((row) => row.split(" | ")[0]), [
    "| falla el 15 %: 6,000 al mes",
    "| ahorra 6,000 al mes",
  ]);
});

Deno.test("fillSections() replaces what is between the markers, and changes nothing else", () => {
  const text = "before\n<!-- figures: one -->\nold\n<!-- /figures -->\nafter\n";
  const filled = fillSections(text, { one: "$1 new" });
  assert.match(
    filled,
    /^before\n<!-- figures: one -->\n[^]*\n\$1 new\n[^]*<!-- \/figures -->\nafter\n$/,
  );
  assert.doesNotMatch(filled, /old/);
  assert.equal(fillSections(filled, { one: "$1 new" }), filled);
});

Deno.test("fillSections() refuses a part that is unknown, or has no end", () => {
  const open = "<!-- figures: one -->\nold\n";
  assert.throws(() => fillSections(open, { one: "new" }), /does not end, or begins twice/);
  assert.throws(
    () => fillSections(`${open}${open}<!-- /figures -->\n`, { one: "new" }),
    /does not end, or begins twice/,
  );
  assert.throws(
    () => fillSections(`${open}<!-- /figures -->\n`, { other: "new" }),
    /no figures called "one": one of other/,
  );
});
