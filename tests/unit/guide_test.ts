import assert from "node:assert/strict";
import { findText, parseGuide, withoutLines } from "../support/guide.ts";

function fenced(info: string, body: string): string {
  return `\`\`\`${info}\n${body}\n\`\`\`\n`;
}

Deno.test("parseGuide() reads what is done and what is seen, in order, with its lines", () => {
  const { steps } = parseGuide([
    "# Guide\n",
    fenced("sh", "deno task a\ndeno task b \\\n  --c"),
    fenced("text", "done"),
    "Terminal 2:\n",
    fenced("sh terminal=2", "deno task d"),
    fenced("text", "here"),
    "Terminal 3:\n",
    fenced("text terminal=3", "there"),
    "Terminal 2:\n",
    fenced("keys terminal=2", "Ctrl+C"),
    "Terminal 1:\n",
    fenced("sh exit=137", "deno task e"),
    fenced("ts file=consumers/x.ts", "export {};"),
    fenced("mermaid", "flowchart LR"),
  ].join(""));
  assert.deepEqual(withoutLines(steps), [
    { kind: "run", command: "deno task a", exit: 0 },
    { kind: "run", command: "deno task b    --c", exit: 0 },
    { kind: "see", text: "done" },
    { kind: "open", terminal: "2", command: "deno task d" },
    { kind: "see", text: "here", terminal: "2" },
    { kind: "see", text: "there", terminal: "3" },
    { kind: "interrupt", terminal: "2" },
    { kind: "run", command: "deno task e", exit: 137 },
    { kind: "write", path: "consumers/x.ts", content: "export {};\n" },
  ]);
  assert.deepEqual(steps.slice(0, 3).map(({ line }) => line), [2, 2, 7]);
});

Deno.test("parseGuide() finds the code of the running text, and none of the blocks", () => {
  const { inlineCode } = parseGuide("Run `deno task a`, then\n" + fenced("sh", "echo `date`"));
  assert.deepEqual(inlineCode, ["deno task a"]);
});

Deno.test("parseGuide() rejects a block that nobody could execute, and names its line", () => {
  for (const info of ["", "powershell", "ts", "keys terminal=1", "keys"]) {
    assert.throws(() => parseGuide(`\n${fenced(info, "x")}`), /line 2/, info);
  }
  assert.throws(() => parseGuide(fenced("sh terminal=1", "a\nb")), /line 1 must hold one command/);
  assert.throws(() => parseGuide("```sh\na\n"), /line 1 has no end/);
});

Deno.test("parseGuide() rejects a block of another terminal that its reader is not told of", () => {
  const there = "Terminal 2:\n" + fenced("sh terminal=2", "a");
  assert.throws(() => parseGuide(fenced("sh terminal=2", "a")), /line 1 must stand "Terminal 2:"/);
  assert.throws(() => parseGuide(there + fenced("sh", "b")), /line 5 must stand "Terminal 1:"/);
  assert.throws(() => parseGuide(there + fenced("text terminal=3", "b")), /"Terminal 3:"/);
  assert.equal(parseGuide(there + fenced("text", "b")).steps.length, 2);
});

const OUTPUT = "Task a deno run a\nbegin\n\n│ a  │  1 │\nmiddle 7 ms\n│ b  │ 22 │\nend\n";

Deno.test("findText() takes lines as they stand, whatever the white space and what Deno repeats", () => {
  assert.equal(findText(OUTPUT, "│ b │ 22 │"), OUTPUT.indexOf("end"));
  assert.equal(findText(OUTPUT, "begin\n│ a │ 1 │\n\nmiddle 7 ms"), OUTPUT.indexOf("│ b"));
  assert.equal(findText(`x\nTask b\n${OUTPUT}`, "x\nbegin"), `x\nTask b\n${OUTPUT}`.indexOf("\n│"));
});

Deno.test("findText() takes an ellipsis for any text, and on its own for any lines", () => {
  assert.equal(findText(OUTPUT, "middle … ms\n…\nend"), OUTPUT.length);
  assert.equal(findText(OUTPUT, "begin\n…\n│ b │ … │"), OUTPUT.indexOf("end"));
  assert.notEqual(findText(OUTPUT, "begin\n…\n│ a │ 1 │"), undefined);
});

Deno.test("findText() finds nothing where a line is missing, in between, or out of order", () => {
  for (
    const text of [
      "│ b │ 23 │",
      "begin\nmiddle 7 ms",
      "│ b │ 22 │\n│ a │ 1 │",
      "middle 7",
      "iddle 7 ms",
      "begin … end",
      "│ a | 1 .",
    ]
  ) assert.equal(findText(OUTPUT, text), undefined, text);
});

Deno.test("findText() does not take a line that is not finished", () => {
  assert.equal(findText("Waiting for", "Waiting for"), undefined);
});
