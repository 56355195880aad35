import assert from "node:assert/strict";
import {
  hasTest,
  headingAnchors,
  inlineCode,
  outline,
  quotedTests,
  relativeLinks,
} from "../support/markdown.ts";

const CODE = "```sh\n# [no](link.md), `no code`\n| no table |\n```\n";

Deno.test("relativeLinks() finds links to the project's own files, and none in code", () => {
  const text = "[a](a.md) [b\nc](../b/#d) [d](#e) `[f](f.md)` [g](https://example.com/g.md)\n" +
    CODE;
  assert.deepEqual(relativeLinks(text), ["a.md", "../b/#d", "#e"]);
});

Deno.test("headingAnchors() makes anchors as GitHub does", () => {
  const text =
    "# The users API, and its `outbox`\n\n## ¿De dónde?\n\n### [x](y.md) 3\n\n## ¿De dónde?\n";
  const anchors = ["the-users-api-and-its-outbox", "de-dónde", "x-3", "de-dónde-1"];
  assert.deepEqual(headingAnchors(text + CODE), anchors);
});

Deno.test("inlineCode() finds code in the running text and in tables", () => {
  assert.deepEqual(inlineCode("`a.ts` and\n\n| `b` |\n" + CODE), ["a.ts", "b"]);
});

Deno.test("outline() tells headings, tables and blocks, and no words", () => {
  const text = "# A\n\ntext\n\n| a |\n| - |\n| b |\n\n" + CODE + "\n## B\n\n| a |\n";
  const parts = ["#", "table of 3 lines", "```sh", "##", "table of 1 lines"];
  assert.deepEqual(outline(text), parts);
});

Deno.test("quotedTests() finds titles by path and by short name, over line breaks", () => {
  const text = [
    "“Tried” is a word. `one` is `tests/unit/one_test.ts`, `two` and\n`three` are " +
    "`tests/chaos/two_test.ts` and `three_test.ts`.",
    "| promise | `one`: “a”; “b\nc”, the same for `d`; `three`: “e” |\n| `x` | “f” |",
    "As `tests/unit/four_test.ts`, “g”, says.\n- `nobody`: “h”",
  ].join("\n\n");
  assert.deepEqual(quotedTests(text).map(({ file, title }) => `${file} ${title}`), [
    "tests/unit/one_test.ts a",
    "tests/unit/one_test.ts b c",
    "tests/chaos/three_test.ts e",
    "a file that is not named f",
    "tests/unit/four_test.ts g",
    "nobody h",
  ]);
});

Deno.test("hasTest() knows plain titles, and those that a loop makes of values in the source", () => {
  const source = 'const KILLS = 15;\nfor (const level of ["Simple", "Robust"]) {\n' +
    "  Deno.test(`${level}.close() ends after ${KILLS} kills`, f);\n}\n" +
    'Deno.test("says \\"so\\"", f);\nDeno.test({\n  name: "named",\n  fn: f,\n});\n';
  assert.ok(hasTest(source, 'says "so"'));
  assert.ok(hasTest(source, "named"));
  assert.ok(hasTest(source, "Robust.close() ends after 15 kills"));
  assert.ok(!hasTest(source, "Other.close() ends after 15 kills"));
  assert.ok(!hasTest(source, "Simple.close() ends after 14 kills"));
  assert.ok(!hasTest(source, "name"));
});
