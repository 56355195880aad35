/**
 * Each permission set beside what its program asks for. A program asks for the variables that the
 * functions of `shared/process/config.ts` read which it or its imports name, and for those that it
 * reads itself. n.b. that is what it may ask for: which of them a run calls is not known from outside.
 */
import { dirname, join, normalize } from "node:path";
import { z } from "zod";
import type { SandboxFacts } from "../facts.ts";

const CONFIG_FILE = "shared/process/config.ts";
const LOOPBACK: readonly string[] = ["127.0.0.1", "localhost", "[::1]"];
/** The sets of what starts other programs: no role of the broker's, and wide for that. */
const STARTS_PROGRAMS: readonly string[] = ["operator", "record"];
const NEVER: readonly string[] = ["run", "ffi", "sys", "import"];

/** What a package asks for by itself, wherever it is loaded (`parseOptions()` in `src/index.js@postgres 3.4.9`). */
const ASKED_BY_PACKAGES: Readonly<Record<string, readonly string[]>> = {
  postgres: ["PGAPPNAME", "PGTARGETSESSIONATTRS"],
};

const memberSchema = z.object({
  name: z.string().optional(),
  workspace: z.array(z.string()).default([]),
  exports: z.record(z.string(), z.string()).default({}),
  tasks: z.record(z.string(), z.object({ command: z.string().optional() })).default({}),
  permissions: z.record(z.string(), z.record(z.string(), z.unknown())).default({}),
});

/** Reads a file of the project by its path from the project's folder. */
export type ReadFile = (path: string) => Promise<string>;

/** The set of every task that runs in one of its own, and what is not as it should be. */
export async function readSandbox(read: ReadFile): Promise<SandboxFacts[]> {
  const root = memberSchema.parse(JSON.parse(await read("deno.json")));
  const sets: Record<string, Record<string, unknown>> = { ...root.permissions };
  const exported = new Map<string, string>();
  for (const folder of root.workspace.map(normalize)) {
    const text = await read(`${folder}/deno.json`).catch(() => undefined);
    if (text === undefined) continue; // A member that no role needs, such as the tests.
    const member = memberSchema.parse(JSON.parse(text));
    Object.assign(sets, member.permissions);
    for (const [key, path] of Object.entries(member.exports)) {
      exported.set(`${member.name}${key.slice(1)}`, normalize(join(folder, path)));
    }
  }
  const variables = configVariables(await read(CONFIG_FILE));
  const commands = Object.values(root.tasks).map(({ command = "" }) => command);
  const runs = commands.flatMap((command) => {
    const [, set, file] = /^deno run -q -P=([\w-]+) (?:--v8-flags=\S+ )?(\S+\.ts)/.exec(command) ??
      [];
    return set && file && !STARTS_PROGRAMS.includes(set) ? [{ set, file }] : [];
  });
  return await Promise.all(runs.map(async ({ set, file }) => {
    const asked = await askedVariables(file, read, exported, variables);
    return { set, file, ...compareSet(sets[set] ?? {}, asked) };
  }));
}

/** What a set gives beside what is asked for. */
export function compareSet(
  set: Readonly<Record<string, unknown>>,
  asked: ReadonlySet<string>,
): Pick<SandboxFacts, "missing" | "unused" | "tooWide"> {
  const env = Array.isArray(set.env) ? set.env.map(String) : [];
  const net = Array.isArray(set.net) ? set.net.map(String) : [];
  return {
    missing: set.env === true ? [] : [...asked].filter((name) => !env.includes(name)).sort(),
    unused: env.filter((name) => !asked.has(name)).sort(),
    tooWide: [
      ...["net", "write", "env"].filter((kind) => set[kind] === true),
      ...NEVER.filter((kind) => kind in set),
      ...net.filter((host) => !LOOPBACK.includes(host)).map((host) => `net: ${host}`),
    ],
  };
}

/** For each exported function of the configuration, the variables that it and those it calls read. */
export function configVariables(source: string): ReadonlyMap<string, ReadonlySet<string>> {
  const bodies = new Map(
    [...source.matchAll(/^(?:export )?function (\w+)\b[^]*?^}/gm)].map((
      [body, name],
    ) => [name!, body]),
  );
  const variablesOf = (name: string, seen: ReadonlySet<string> = new Set()): string[] => {
    const body = bodies.get(name) ?? "";
    const called = [...body.matchAll(/\b(\w+)\(/g)].map(([, callee]) => callee!)
      .filter((callee) => callee !== name && bodies.has(callee) && !seen.has(callee));
    const own = [...body.matchAll(/\b(?:read|parseVariable|bound)\(\s*"([A-Z][A-Z_]+)"/g)];
    return [
      ...own.map(([, variable]) => variable!),
      ...called.flatMap((callee) => variablesOf(callee, new Set([...seen, name]))),
    ];
  };
  return new Map([...bodies.keys()].map((name) => [name, new Set(variablesOf(name))]));
}

/** An import or export of values, with their names; types ask for nothing. */
const IMPORT =
  /^(?:import|export)\s+(?!type\b)(?:([^;"]*?)\sfrom\s)?"([^"]+)"|\bimport\("([^"]+)"\)/gm;

async function askedVariables(
  entry: string,
  read: ReadFile,
  exported: ReadonlyMap<string, string>,
  config: ReadonlyMap<string, ReadonlySet<string>>,
): Promise<Set<string>> {
  const asked = new Set<string>();
  const seen = new Set<string>([CONFIG_FILE]);
  const visit = async (file: string): Promise<void> => {
    if (seen.has(file)) return;
    seen.add(file);
    const source = await read(file);
    for (const [, name] of source.matchAll(/\b(?:Deno\.env\.get|read)\("([A-Z][A-Z_]+)"\)/g)) {
      asked.add(name!);
    }
    // A variable whose name is made of a prefix and something else: a set allows all of them.
    for (const [, prefix] of source.matchAll(/`([A-Z][A-Z_]+_)\$\{/g)) asked.add(`${prefix}*`);
    await Promise.all([...source.matchAll(IMPORT)].map(async ([, names = "", from, later]) => {
      const specifier = from ?? later!;
      for (const variable of ASKED_BY_PACKAGES[specifier] ?? []) asked.add(variable);
      const target = resolveImport(file, specifier, exported);
      if (target === undefined) return;
      if (target !== CONFIG_FILE) return await visit(target);
      for (const [word] of names.matchAll(/\b\w+\b/g)) {
        for (const variable of config.get(word) ?? []) asked.add(variable);
      }
    }));
  };
  await visit(entry);
  return asked;
}

function resolveImport(
  file: string,
  specifier: string,
  exported: ReadonlyMap<string, string>,
): string | undefined {
  if (!specifier.startsWith(".")) return exported.get(specifier);
  return specifier.endsWith(".ts") ? normalize(join(dirname(file), specifier)) : undefined;
}
