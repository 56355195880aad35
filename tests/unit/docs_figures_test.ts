/** That the documents say what was measured and computed, and what makes that so. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { PROJECT_ROOT } from "@ecomarket/testbed/project/project_root";
import { figuresOf } from "../../tasks/compare/report/figures.ts";
import { OUTAGE_TITLES } from "../../tasks/compare/report/tables.ts";
import { markdownReport } from "../../tasks/compare/report/report.ts";
import { COMPARE_FIGURES, DOCUMENTS, fillDocument } from "../../tasks/docs_figures/documents.ts";
import { type DocumentError, fillFigures } from "../../tasks/docs_figures/fill_figures.ts";
import { comparison, LATENCY, outage } from "./comparison.ts";

const read = (path: string) => Deno.readTextFile(join(PROJECT_ROOT, path));
const [SPANISH = assert.fail(), ENGLISH = assert.fail()] = DOCUMENTS;

for (const document of DOCUMENTS) {
  Deno.test(`${document.path} has the figures of docs/compare.json and of deno task roi`, async () => {
    const text = await read(document.path);
    assert.ok(
      fillDocument(document, text, await read(COMPARE_FIGURES)) === text,
      `${document.path} has other figures: run deno task docs:figures`,
    );
  });
}

Deno.test("docs/compare.md is what the figures beside it make", async () => {
  const figures = JSON.parse(await read(COMPARE_FIGURES));
  assert.ok(
    markdownReport(figures) === await read("docs/compare.md"),
    "write both again: deno task compare --report docs/compare.md",
  );
});

Deno.test("docs/compare.json has every figure that a comparison has today", async () => {
  const names = (value: unknown): unknown =>
    typeof value === "object" && value !== null && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, names(inner)]))
      : typeof value;
  assert.deepEqual(
    names(JSON.parse(await read(COMPARE_FIGURES))),
    names(figuresOf(comparison())),
  );
});

Deno.test("Taller4_Justificacion.md marks every table, and every conclusion that may change", async () => {
  const text = await read(SPANISH.path);
  const markers = new Set([...text.matchAll(/<!-- (\w+: .+?) -->/g)].map(([, marker]) => marker));
  for (
    const marker of [
      ...["latency", "outages", "growth", "throughput", "effort"].map((name) =>
        `table: compare.${name}`
      ),
      ...[
        "quotable",
        "answersWithinClaimedMs",
        "refusesNothing",
        "losesNothing",
        "coupledLosesNothing",
        "publisherUntouched",
        "carriesWanted",
        "coupledCarriesWanted",
        "unslowedByOutages",
      ].map((name) => `holds: compare.verdicts.${name}`),
      ...["perDay", "perMonth", "perYear", "perPeakHour", "firstWeek"].map((name) =>
        `holds: roi.verdicts.${name}`
      ),
      ...["otherRate", "disputed"].map((name) => `fails: roi.verdicts.${name}`),
      "table: roi.result",
      "text: roi.output",
    ]
  ) assert.ok(markers.has(marker), `<!-- ${marker} -->`);
});

Deno.test("the documents' tables name their rows in the order of the figures", async () => {
  const spanish = ["acoplado", "una cola por suscriptor", "direct", "eventos"];
  const english = ["coupled", "queue each", "direct", "events"];
  const outages = ["loyalty caído", "loyalty tarda 2 s", "loyalty falla el 5 %", "broker caído"];
  const wanted: Record<string, string[]> = {
    "compare.latency": spanish,
    "compare.outages": outages.flatMap((outage) => spanish.map((name) => `${outage} | ${name}`)),
    "compare.growth": spanish,
    "compare.throughput": spanish,
    "compare.effort": spanish,
    "roi.result": ["pérdida hoy", "pérdida con eventos", "operación", "ahorro neto"],
  };
  assert.deepEqual(rowLabels(await read(SPANISH.path)), wanted);
  assert.deepEqual(rowLabels(await read(ENGLISH.path)), {
    "compare.latency": english,
    "compare.outages": Object.values(OUTAGE_TITLES).flatMap((outage) =>
      english.map((name) => `${outage} | ${name}`)
    ),
  });
});

/** What stands before the figures of each marked table's rows. */
function rowLabels(markdown: string): Record<string, string[]> {
  const tables = markdown.matchAll(/<!-- table: (\S+) -->\n\n\|([ |]*).*\n.*\n((?:\|.*\n)+)/g);
  return Object.fromEntries(
    [...tables].map(([, name, labels, rows]) => [
      name,
      rows!.trimEnd().split("\n").map((row) =>
        row.slice(2).split(" | ").slice(0, labels!.split("|").length - 1).join(" | ")
      ),
    ]),
  );
}

Deno.test("fillDocument() writes another comparison's figures, in the document's language", async () => {
  const other = JSON.stringify(figuresOf(comparison()));
  const spanish = fillDocument(SPANISH, await read(SPANISH.path), other);
  assert.match(spanish, /604\.2<!-- compare\.latency\.coupled\.p50 --> ms con tres llamadas/);
  assert.match(spanish, /\n\| loyalty caído \| acoplado \| 0 \| 604\.2 \| 640 \| 0 \| 160 \|\n/);
  assert.match(spanish, /\n\| eventos \| 1200 \| 64 \| 12345 \| sí \|\n/);
  assert.match(spanish, /\n\| pérdida hoy \| 2,000 \| 60,000 \| 720,000 \|\n/);
  const english = fillDocument(ENGLISH, await read(ENGLISH.path), other);
  assert.match(english, /150<!-- compare\.findings\.timesFaster --> times faster/);
});

Deno.test("fillDocument() refuses every conclusion that a comparison has not shown", async () => {
  const { outages } = comparison();
  const worse = JSON.stringify(figuresOf(comparison({
    command: "deno task compare --quick --report docs/compare.md",
    latencyMs: { ...LATENCY, events: { p50: 60, p95: 300, p99: 400 } },
    outages: { ...outages, down: outage({}, { lost: 2, refused: 1, p95: 250 }) },
  })));
  const refused = [
    "quotable",
    "answersWithinClaimedMs",
    "refusesNothing",
    "losesNothing",
    "unslowedByOutages",
  ];
  const text = await read(SPANISH.path);
  assert.throws(() => fillDocument(SPANISH, text, worse), ({ message }: DocumentError) => {
    assert.match(message, /^docs\/Taller4_Justificacion\.md cannot be filled:\n/);
    assert.deepEqual(message.match(/(?<=^compare\.verdicts\.)\w+(?= is false: write)/gm), refused);
    return true;
  });
});

const FIGURES = {
  a: { ms: 9.1, date: "2026-11-24", command: "deno task x", holds: true, off: false, text: "1\n2" },
  table: { one: { x: 1, y: [2, true] }, two: { x: 3, y: [4, false] } },
};
const fill = (markdown: string) => fillFigures(markdown, FIGURES, String);

Deno.test("fillFigures() replaces the word before a marker, and nothing else", () => {
  for (
    const [before, after] of [
      ["in 12,345.6<!-- a.ms --> ms.", "in 9.1<!-- a.ms --> ms."],
      ["(-1<!-- a.ms -->)", "(9.1<!-- a.ms -->)"],
      ["on 2025-01-02<!-- a.date -->, **x**", "on 2026-11-24<!-- a.date -->, **x**"],
      ["by `old one`<!-- a.command -->", "by `deno task x`<!-- a.command -->"],
      ["so<!-- holds: a.holds -->, not<!-- fails: a.off -->", undefined],
      ["<!-- deno-fmt-ignore-start -->\n1 2 3", undefined],
    ] as const
  ) assert.equal(fill(before), after ?? before);
});

Deno.test("fillFigures() replaces the figures of a table's rows, and leaves their labels", () => {
  const table = (...rows: string[]) =>
    `<!-- table: table -->\n\n| | x | 2<!-- a.ms --> | ok |\n|---|-|-|-|\n${
      rows.join("\n")
    }\n\nafter`;
  assert.equal(
    fill(table("| uno | 0 | 0 | no |", "| dos |  0 |  0 | no |")),
    table("| uno | 1 | 2 | true |", "| dos | 3 | 4 | false |").replace("2<!--", "9.1<!--"),
  );
  assert.throws(
    () => fill(table("| uno | 0 | 0 | no |")),
    /^DocumentError: table has 2 rows, the table 1/,
  );
  assert.throws(
    () => fill(table("| uno | 0 | 0 | no |", "| dos | 0 | 0 | no |").replace("| x |", "| |")),
    /^DocumentError: table has 3 columns, the table 2/,
  );
});

Deno.test("fillFigures() replaces a block of text", () => {
  const block = (text: string) => `<!-- text: a.text -->\n\n\`\`\`text\n${text}\n\`\`\`\n\nafter\n`;
  assert.equal(fill(block("0\n\n0")), block("1\n2"));
});

Deno.test("fillFigures() says of every marker at once what is wrong with it", () => {
  const markdown = [
    "5<!-- a.nothing --> 5<!-- a --> 5<!-- a.toString --> 5<!-- a.holds -->",
    "**5**<!-- a.ms --> 5<!-- a.command -->",
    "so<!-- holds: a.off --> so<!-- fails: a.holds --> so<!-- holds: a.ms -->",
    "5<!-- figure: a.ms --> 5<!-- a note -->",
    "<!-- table: table -->\nno table",
    "<!-- text: a.text -->\n\n| no | text |",
  ].join("\n\n");
  assert.throws(() => fill(markdown), ({ message }: DocumentError) => {
    assert.deepEqual(message.split("\n"), [
      "a.nothing is no figure",
      "a is no figure",
      "a.toString is no figure",
      "a.holds is no figure",
      "a.ms has no figure before its marker",
      'a.command is "deno task x", which is not one word',
      "a.off is false: write what stands before its marker anew",
      "a.holds is true: write what stands before its marker anew",
      "a.ms is no verdict",
      'a.ms is marked as "figure": use holds, fails, table or text',
      "a note is no figure",
      "table has no table below its marker",
      "a.text has no text below its marker",
    ]);
    return true;
  });
});
