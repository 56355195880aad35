/** What others wrote comes in one version each, and its bytes are those that were looked at. */
import assert from "node:assert/strict";
import { z } from "zod";
import { filesBelow, ROOT } from "../support/project_files.ts";

const EXACT = /^npm:(?:@[\w.-]+\/)?[\w.-]+@\d+\.\d+\.\d+(?:-[\w.-]+)?$/;

const configSchema = z.object({
  workspace: z.array(z.string()).default([]),
  tasks: z.record(z.string(), z.object({ command: z.string().optional() })).default({}),
  imports: z.record(z.string(), z.string()).default({}),
});
const lockSchema = z.object({
  specifiers: z.record(z.string(), z.string()),
  npm: z.record(z.string(), z.object({ integrity: z.string().optional() })),
});

async function readJson<T>(path: string, schema: z.ZodType<T>): Promise<T> {
  return schema.parse(JSON.parse(await Deno.readTextFile(`${ROOT}/${path}`)));
}

const root = await readJson("deno.json", configSchema);
const members = ["", ...root.workspace.map((folder) => `${folder}/`)];
const specifiers = new Map<string, string>();
for (const folder of members) {
  const { imports } = await readJson(`${folder}deno.json`, configSchema);
  for (const specifier of Object.values(imports)) specifiers.set(specifier, `${folder}deno.json`);
}
const lock = await readJson("deno.lock", lockSchema);

Deno.test("deno.json names each package from npm, in one exact version", () => {
  assert.ok(specifiers.size > 15, "the packages were found");
  const inexact = [...specifiers].filter(([specifier]) => !EXACT.test(specifier));
  assert.deepEqual(inexact, []);
  const names = [...specifiers.keys()].map((specifier) =>
    specifier.slice(0, specifier.lastIndexOf("@"))
  );
  assert.equal(new Set(names).size, names.length, "no package comes in two versions");
});

Deno.test("deno.lock holds what deno.json names, and a SHA-512 of each package", () => {
  assert.deepEqual(Object.keys(lock.specifiers).sort(), [...specifiers.keys()].sort());
  assert.ok(Object.keys(lock.npm).length >= specifiers.size);
  const unchecked = Object.entries(lock.npm)
    .filter(([, { integrity = "" }]) => !/^sha512-[\w+/]{86}==$/.test(integrity));
  assert.deepEqual(unchecked.map(([name]) => name), []);
});

Deno.test("no source names a package past deno.json, or code from elsewhere", async () => {
  const wrong: string[] = [];
  for (const member of root.workspace) {
    for await (const file of filesBelow(member, ".ts")) {
      const source = await Deno.readTextFile(`${ROOT}/${file}`);
      if (/\b(?:from|import\()\s*"(?:npm|jsr|https?|data):/.test(source)) wrong.push(file);
    }
  }
  assert.deepEqual(wrong, []);
});

Deno.test("the gate and CI refuse a deno.lock that does not hold what is imported", async () => {
  assert.match(root.tasks.ok?.command ?? "", /\bdeno check -q --frozen\b/);
  assert.match(await Deno.readTextFile(`${ROOT}/Dockerfile`), /\bdeno cache --frozen\b/);
  assert.match(await Deno.readTextFile(`${ROOT}/.ci/run`), /\bok\b/);
});

Deno.test("no source writes a table for a spreadsheet", async () => {
  const wrong: string[] = [];
  for (const member of root.workspace.filter((folder) => folder !== "./tests")) {
    for await (const file of filesBelow(member, ".ts")) {
      const source = await Deno.readTextFile(`${ROOT}/${file}`);
      if (
        /csv-stringify|text\/csv|write\w*\([^)]*\.(?:csv|tsv|xlsx?)\b/i.test(source)
      ) {
        wrong.push(file);
      }
    }
  }
  assert.deepEqual(wrong, []);
});
