/** The house: which folder may import which, and that no files import each other in a circle. */
import assert from "node:assert/strict";
import { filesBelow, ROOT } from "../support/project_files.ts";

/** What each member may import besides itself. What runs as a process of its own is not imported. */
const ARROWS: Readonly<Record<string, readonly string[]>> = {
  shared: [],
  publisher: ["shared"],
  consumers: ["shared"],
  setup: ["shared"],
  testbed: ["setup", "shared"],
  tasks: ["testbed", "publisher", "setup", "shared"],
  watch: ["testbed", "publisher", "setup", "shared"],
  tests: ["watch", "tasks", "testbed", "publisher", "consumers", "setup", "shared"],
};

/** The same for the rooms of a member; files that stand in no room may import all of them. */
const ROOM_ARROWS: Readonly<Record<string, readonly string[]>> = {
  "shared/base": [],
  "shared/contract": ["shared/base"],
  "shared/process": ["shared/contract", "shared/base"],
  "shared/http": ["shared/process", "shared/contract", "shared/base"],
  "shared/health": ["shared/http", "shared/process", "shared/base"],
  "shared/broker": ["shared/process", "shared/base"],
  "shared/store": ["shared/process", "shared/base"],
  "shared/archive": ["shared/store", "shared/contract"],
  "shared/subscriber": [
    "shared/health",
    "shared/store",
    "shared/broker",
    "shared/process",
    "shared/contract",
    "shared/base",
  ],
  "publisher/levels": [],
  "publisher/publish": ["publisher/levels"],
  "publisher/database": [],
  "publisher/outbox": ["publisher/levels", "publisher/database"],
  "publisher/api": ["publisher/outbox", "publisher/database"],
  "setup/machine": [],
  "setup/node": ["setup/machine"],
  "setup/postgres": ["setup/machine"],
  "setup/broker": ["setup/node", "setup/machine"],
  "setup/queues": [],
  "testbed/broker": [],
  "testbed/postgres": [],
  "testbed/audit": [],
  "testbed/events": [],
  "testbed/stores": ["testbed/audit"],
  "testbed/project": ["testbed/broker"],
  "testbed/processes": ["testbed/project"],
  "tasks/dead_letters": [],
  "watch/view": [],
  "watch/page": ["watch/view"],
  "watch/ledger": ["watch/view"],
  "watch/sources": ["watch/ledger", "watch/view"],
  "watch/stage": ["watch/ledger", "watch/view"],
  "watch/server": ["watch/view"],
};

/** What each export's specifier stands for, and the text of each file of the project. */
async function readProject() {
  const exported = new Map<string, string>();
  const sources = new Map<string, string>();
  for (const member of Object.keys(ARROWS)) {
    const config = JSON.parse(await Deno.readTextFile(`${ROOT}/${member}/deno.json`));
    for (const [key, path] of Object.entries<string>(config.exports)) {
      exported.set(config.name + key.slice(1), `${member}/${path.slice(2)}`);
    }
    for await (const file of filesBelow(member, ".ts")) {
      sources.set(file, await Deno.readTextFile(`${ROOT}/${file}`));
    }
  }
  return { exported, sources };
}

/** An import or export at the beginning of a line, or a module that is loaded where it is needed. */
const SPECIFIER = /^(?:import|export)\s(?:[^;"]*?\sfrom\s)?"([^"]+)"|\bimport\("([^"]+)"\)/gm;

function importsOf(file: string, source: string, exported: ReadonlyMap<string, string>): string[] {
  return [...source.matchAll(SPECIFIER)].flatMap(([, atTheTop, later]) => {
    const specifier = atTheTop ?? later!;
    if (specifier.startsWith(".")) {
      if (!specifier.endsWith(".ts")) return []; // A configuration, read as data.
      return [new URL(specifier, `file:///${file}`).pathname.slice(1)];
    }
    return exported.get(specifier) ?? [];
  });
}

const memberOf = (file: string) => file.split("/")[0]!;
/** `shared/base` of `shared/base/errors.ts`; of a file that stands in no room, its member. */
const roomOf = (file: string) =>
  file.split("/").slice(0, Math.min(2, file.split("/").length - 1)).join("/");

const { exported, sources } = await readProject();
/** For each file of the project, the files that it imports: types too, and what it loads later. */
const imports: ReadonlyMap<string, readonly string[]> = new Map(
  [...sources].map(([file, source]) => [file, importsOf(file, source, exported)]),
);

/** Every import, as `from → to`, for which `isAllowed` does not hold. */
function forbidden(isAllowed: (from: string, to: string) => boolean): string[] {
  return [...imports].flatMap(([from, targets]) =>
    targets.filter((to) => !isAllowed(from, to)).map((to) => `${from} → ${to}`)
  );
}

Deno.test("each member imports only what stands below it", () => {
  assert.ok(imports.size > 200, "the files were found");
  const wrong = forbidden((from, to) =>
    memberOf(from) === memberOf(to) || ARROWS[memberOf(from)]!.includes(memberOf(to))
  );
  assert.deepEqual(wrong, []);
});

Deno.test("each room imports only the rooms below it", () => {
  const wrong = forbidden((from, to) => {
    const [room, other] = [roomOf(from), roomOf(to)];
    const below = ROOM_ARROWS[room];
    if (below === undefined || room === other || memberOf(from) !== memberOf(to)) return true;
    return below.includes(other);
  });
  assert.deepEqual(wrong, []);
});

Deno.test("each room of shared, publisher, setup, testbed and watch is named in the arrows", () => {
  const rooms = new Set([...imports.keys()].map(roomOf).filter((room) => room.includes("/")));
  const nameless = [...rooms].filter((room) =>
    ["shared", "publisher", "setup", "testbed", "watch"].includes(memberOf(room)) &&
    !(room in ROOM_ARROWS)
  );
  assert.deepEqual(nameless, []);
});

Deno.test("each export of a member is imported by another one, or is its page of exports", () => {
  const unused = [...exported].filter(([specifier, path]) =>
    !path.endsWith("/mod.ts") &&
    ![...sources].some(([file, source]) =>
      memberOf(file) !== memberOf(path) && source.includes(`"${specifier}"`)
    )
  );
  assert.deepEqual(unused.map(([specifier]) => specifier), []);
});

Deno.test("no files import each other in a circle", () => {
  assert.deepEqual(circles(imports), []);
});

/** Each circle once: the files of it in order, as `a → b → a`. */
function circles(graph: ReadonlyMap<string, readonly string[]>): string[] {
  const found: string[] = [];
  const done = new Set<string>();
  const visit = (file: string, path: readonly string[]) => {
    const start = path.indexOf(file);
    if (start >= 0) return void found.push([...path.slice(start), file].join(" → "));
    if (done.has(file)) return;
    for (const next of graph.get(file) ?? []) visit(next, [...path, file]);
    done.add(file);
  };
  for (const file of graph.keys()) visit(file, []);
  return found;
}
