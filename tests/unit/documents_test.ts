/** The documents: what they link to, name and quote exists, and two languages tell the same. */
import assert from "node:assert/strict";
import { dirname, join } from "node:path";
import {
  hasTest,
  headingAnchors,
  inlineCode,
  outline,
  quotedTests,
  relativeLinks,
} from "../support/markdown.ts";
import { filesBelow, ROOT } from "../support/project_files.ts";

/** Documents that exist twice. */
const TRANSLATIONS: readonly (readonly [string, string])[] = [
  ["README.md", "README.es.md"],
  ["docs/reference.md", "docs/referencia.md"],
  ["docs/guide.md", "docs/guia.md"],
];

/** A file that the reader of a guide writes. */
const WRITTEN_BY_THE_READER = "consumers/audit.ts";

const documents = new Map<string, string>();
for await (const { name } of Deno.readDir(ROOT)) {
  if (name.endsWith(".md")) documents.set(name, await Deno.readTextFile(`${ROOT}/${name}`));
}
for await (const path of filesBelow("docs", ".md")) {
  documents.set(path, await Deno.readTextFile(`${ROOT}/${path}`));
}

/** What `find` says is wrong with each document, as `document: problem`. */
async function problems(
  find: (markdown: string, path: string) => Promise<string[]>,
): Promise<string[]> {
  assert.ok(documents.size > 10, "the documents were found");
  const found: string[] = [];
  for (const [path, markdown] of documents) {
    for (const problem of await find(markdown, path)) found.push(`${path}: ${problem}`);
  }
  return found;
}

const exists = (path: string) => Deno.stat(`${ROOT}/${path}`).then(() => true, () => false);

Deno.test("each relative link of a document leads to a file, and to a heading of it", async () => {
  const broken = await problems(async (markdown, path) => {
    const wrong: string[] = [];
    for (const link of relativeLinks(markdown)) {
      const [file = "", anchor] = link.split("#");
      const target = file === "" ? path : join(dirname(path), file).replaceAll("\\", "/");
      const anchors = headingAnchors(documents.get(target) ?? "");
      const isThere = anchor === undefined ? await exists(target) : anchors.includes(anchor);
      if (!isThere) wrong.push(link);
    }
    return wrong;
  });
  assert.deepEqual(broken, []);
});

Deno.test("each file that a document names exists", async () => {
  const missing = await problems(async (markdown, path) => {
    if (path === "CHANGELOG.md") return []; // It tells of files that are gone.
    const wrong: string[] = [];
    for (const code of inlineCode(markdown)) {
      const isPath = /^(?:shared|publisher|consumers|setup|testbed|tasks|tests|docs)\/[\w./-]*$/
        .test(code);
      if (isPath && code !== WRITTEN_BY_THE_READER && !await exists(code)) wrong.push(code);
    }
    return wrong;
  });
  assert.deepEqual(missing, []);
});

Deno.test("each test that a document quotes has that title, in the file that it names", async () => {
  let count = 0;
  const wrong = await problems(async (markdown) => {
    const missing: string[] = [];
    for (const { file, title } of quotedTests(markdown)) {
      const source = await Deno.readTextFile(`${ROOT}/${file}`).catch(() => "");
      if (!hasTest(source, title)) missing.push(`${file}: “${title}”`);
      count++;
    }
    return missing;
  });
  assert.deepEqual(wrong, []);
  assert.ok(count > 80, `quotes were found: ${count}`);
});

for (const [english, spanish] of TRANSLATIONS) {
  Deno.test(`${spanish} has the headings, tables and blocks of ${english}`, () => {
    assert.deepEqual(outline(documents.get(spanish)!), outline(documents.get(english)!));
  });
}

Deno.test("docs/architecture.md begins with every folder and every room, and no other", async () => {
  const { workspace } = JSON.parse(await Deno.readTextFile(`${ROOT}/deno.json`));
  const rooms: string[] = [];
  for (const member of (workspace as string[]).map((path) => path.slice(2))) {
    rooms.push(member);
    for await (const { name, isDirectory } of Deno.readDir(`${ROOT}/${member}`)) {
      if (isDirectory) rooms.push(`${member}/${name}`);
    }
  }
  const [, tree = ""] = /```text\n([\s\S]*?)```/.exec(documents.get("docs/architecture.md")!) ?? [];
  let member = "";
  const named = [...tree.matchAll(/^( *)(\w+)\/ +\S/gm)].map(([, indent, name]) => {
    if (indent === "") member = name!;
    return indent === "" ? name! : `${member}/${name}`;
  });
  assert.deepEqual(named.sort(), rooms.sort());
});

Deno.test("docs/reference.md names every task once, and no other", async () => {
  const { tasks } = JSON.parse(await Deno.readTextFile(`${ROOT}/deno.json`));
  const rows = documents.get("docs/reference.md")!.matchAll(/^\| `deno task ([\w:-]+)[^`]*`/gm);
  assert.deepEqual([...rows].map(([, task]) => task).sort(), Object.keys(tasks).sort());
});
