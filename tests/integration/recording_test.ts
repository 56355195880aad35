/** The recording with which the READMEs begin: it shows what the commands print today. */
import assert from "node:assert/strict";
import { runDeno } from "../../testbed/project/run_deno.ts";
import { CAPTION, COMMAND } from "../../tasks/record/script.ts";
import { withStillFrame } from "../../tasks/record/still_frame.ts";
import { brokerOfFile } from "../support/broker_of_file.ts";
import { ROOT } from "../support/project_files.ts";

const broker = brokerOfFile();
const SVG = await Deno.readTextFile(`${ROOT}/docs/demo.svg`);

/** In svg-term's pictures, a column is so wide. */
const COLUMN = 1.002;

/** The lines of text of the recording, each once. Where characters stand is told, not the spaces between. */
function linesOf(svg: string): string[] {
  return [...svg.matchAll(/<symbol id="[^"]*">(.*?)<\/symbol>/gs)].map(([, symbol = ""]) =>
    [...symbol.matchAll(/<text(?: x="([\d.]+)")?[^>]*>([^<]*)<\/text>/g)].reduce(
      (line, [, x = "0", text = ""]) =>
        line.padEnd(Math.round(Number(x) / COLUMN)) + unescaped(text),
      "",
    )
  );
}

function unescaped(text: string): string {
  return text.replaceAll("&apos;", "'").replaceAll("&quot;", `"`).replaceAll("&gt;", ">")
    .replaceAll("&lt;", "<")
    .replaceAll("&amp;", "&");
}

/**
 * A line without what differs from run to run: numbers, how wide they are, and how wide a terminal
 * thinks that a plant is.
 */
function likeness(line: string): string {
  return line.replaceAll(/\d+(?:\.\d+)*/g, "N").replaceAll(/\s+/g, " ").trim();
}

/** What depends on the machine, not on the demo: which broker was found, and how one was started. */
const OF_THE_MACHINE =
  /^(?:Broker:|Starting a private|Installing|Management UI|deno task broker|$)/;

function likenesses(lines: readonly string[]): string[] {
  const all = lines.map(likeness).filter((line) => !OF_THE_MACHINE.test(line));
  return [...new Set(all)].sort();
}

Deno.test("docs/demo.svg shows what deno task demo prints now, line by line", async () => {
  const env = { AMQP_URL: broker.amqpUrl, MANAGEMENT_URL: broker.managementUrl, NO_COLOR: "1" };
  const { code, stdout, stderr } = await runDeno(["task", "-q", COMMAND.task], env);
  assert.equal(code, 0, stderr);
  const typed = `$ ${COMMAND.typed}`;
  const shown = likenesses(linesOf(SVG));
  assert.deepEqual(shown, likenesses([...CAPTION, typed, ...stdout.split("\n")]));
});

Deno.test("docs/demo.svg stands still, at its first picture, for who wants no motion", () => {
  assert.match(SVG, /@media \(prefers-reduced-motion:reduce\)\{\.film\{animation:none;transform:/);
  assert.match(SVG, /<g class="film">/);
  assert.throws(() => withStillFrame("<svg></svg>"), TypeError);
});

Deno.test("both READMEs begin with the recording and the live page", async () => {
  for (const readme of ["README.md", "README.es.md"]) {
    const beginning = (await Deno.readTextFile(`${ROOT}/${readme}`)).split("\n## ")[0]!;
    assert.match(beginning, /!\[[^\]]+\]\(docs\/demo\.svg\)/, readme);
    assert.match(beginning, /!\[[^\]]+\]\(docs\/watch-down\.png\)/, readme);
  }
});
