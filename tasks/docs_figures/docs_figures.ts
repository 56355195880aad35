/** `deno task docs:figures`: writes the measured and the computed figures into the documents. */
import { parseArguments } from "@ecomarket/shared/process/args";
import { print, runCommand } from "@ecomarket/shared/process/main";
import { COMPARE_FIGURES, DOCUMENTS, fillDocument } from "./documents.ts";
import { DocumentError } from "./fill_figures.ts";

const USAGE = `
Usage: deno task docs:figures [--check]

Writes the figures of ${COMPARE_FIGURES} and of deno task roi where
${DOCUMENTS.map(({ path }) => `  ${path}`).join("\n")}
have a marker, such as 9<!-- compare.latency.events.p50 -->. Run it after
deno task compare --report docs/compare.md. It refuses while a conclusion that
is marked with holds: or fails: is no longer so: that sentence is a person's to
write anew.

  --check   write nothing; exit 1 when a document has other figures
`;

/** n.b. all are filled before the first is written: a refusal leaves everything as it was. */
async function refresh(isCheck: boolean): Promise<number> {
  const compareJson = await read(
    COMPARE_FIGURES,
    "run deno task compare --report docs/compare.md",
  );
  const filled = [];
  for (const document of DOCUMENTS) {
    const before = await read(document.path, "get it back from Git");
    filled.push({ ...document, before, after: fillDocument(document, before, compareJson) });
  }
  for (const { path, before, after } of filled) {
    if (after !== before && !isCheck) await Deno.writeTextFile(path, after);
    const verb = isCheck ? "has other figures: run deno task docs:figures" : "written";
    print(`${path}: ${after === before ? "is up to date" : verb}`);
  }
  return isCheck && filled.some(({ before, after }) => after !== before) ? 1 : 0;
}

async function read(path: string, nextStep: string): Promise<string> {
  try {
    return await Deno.readTextFile(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new DocumentError(`There is no ${path} here: ${nextStep}`, { cause: error });
  }
}

if (import.meta.main) {
  await runCommand(USAGE, async ({ args }) => {
    const { values } = parseArguments(args, { check: { type: "boolean" } });
    if (values.help) return print(USAGE.trim());
    return await refresh(values.check ?? false);
  });
}
