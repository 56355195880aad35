/** `deno task docs:figures`: writes the measured and the computed figures into the documents. */
import { parseArguments } from "@ecomarket/shared/process/args";
import { print, runCommand } from "@ecomarket/shared/process/main";
import { parseCompareReport } from "./compare_report.ts";
import { DocumentError } from "./document_error.ts";
import { COMPARE_REPORT, DOCUMENTS, figures } from "./documents.ts";
import { fillSections } from "./sections.ts";

const USAGE = `
Usage: deno task docs:figures

Fills the parts between <!-- figures: name --> and <!-- /figures --> of
${DOCUMENTS.map(({ path }) => `  ${path}`).join("\n")}
from ${COMPARE_REPORT} and from the model of deno task roi. Run it after
deno task compare --report ${COMPARE_REPORT}.
`;

async function read(path: string, nextStep: string): Promise<string> {
  try {
    return await Deno.readTextFile(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new DocumentError(`There is no ${path} here: ${nextStep}`, { cause: error });
  }
}

async function refresh(): Promise<void> {
  const report = parseCompareReport(
    await read(COMPARE_REPORT, `run deno task compare --report ${COMPARE_REPORT}`),
  );
  for (const { path, language } of DOCUMENTS) {
    const before = await read(path, "get it back from Git");
    const after = fillSections(before, figures(report, language));
    if (after !== before) await Deno.writeTextFile(path, after);
    print(`${path}: ${after === before ? "is up to date" : "written"}`);
  }
}

if (import.meta.main) {
  await runCommand(USAGE, async ({ args }) => {
    const { values } = parseArguments(args, {});
    if (values.help) print(USAGE.trim());
    else await refresh();
  });
}
