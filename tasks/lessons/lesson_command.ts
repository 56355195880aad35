/** `deno task lesson`: shows a loss with real processes and a real broker, then the mended way. */
import { rejectOnAbort } from "@ecomarket/shared/base/abort";
import { UsageError } from "@ecomarket/shared/base/errors";
import { parseArguments } from "@ecomarket/shared/process/args";
import { type CommandContext, print, printError, runCommand } from "@ecomarket/shared/process/main";
import { renderTable } from "@ecomarket/shared/process/table";
import { wrapText } from "@ecomarket/shared/process/wrap_text";
import { type Account, problemsOf, type Sides } from "./account.ts";
import { LESSONS } from "./catalog.ts";
import type { Lesson } from "./lesson.ts";
import { Stage } from "./stage/stage.ts";

const USAGE = `
Usage: deno task lesson NAME [--json]

Shows how events are lost, doubled or falsified, then the mended way under the
same fault, with real processes on a private broker of its own: your broker and
your data stay as they are. Exit 1 when it does not show what it claims.

${LESSONS.map(listed).join("\n")}

  --json                print one object at the end, and nothing else on the
                        standard output
`;

/** A lesson in the list, within 80 columns. */
function listed({ name, summary }: Lesson): string {
  const indent = " ".repeat(24);
  return `  ${name.padEnd(22)}${wrapText(summary, 56).join(`\n${indent}`)}`;
}

/** The command; runs to its exit code. */
async function lessonCommand({ args, signal }: CommandContext): Promise<number> {
  const { values, positionals } = parseArguments(args, { json: { type: "boolean" } }, 1);
  const [name] = positionals;
  if (values.help || name === undefined) return print(USAGE.trim()), 0;
  const lesson = LESSONS.find((each) => each.name === name);
  if (!lesson) {
    const names = LESSONS.map((each) => each.name).join(", ");
    throw new UsageError(`Unknown lesson: ${name}. There are: ${names}`);
  }

  const say = values.json ? printError : print;
  const sides = await take(lesson, say, signal).catch((error) => {
    // n.b. a terminal interrupts the whole process group: that a consumer of ours is gone may be
    // noticed before our own signal.
    signal.throwIfAborted();
    throw error;
  });
  const problems = problemsOf(sides, lesson.harm);
  const ok = problems.length === 0;
  if (values.json) print(JSON.stringify({ lesson: lesson.name, ok, ...sides }));
  else show(lesson, sides);
  for (const problem of problems) printError(`✗ ${problem}`);
  return ok ? 0 : 1;
}

async function take(
  lesson: Lesson,
  say: (line: string) => void,
  signal: AbortSignal,
): Promise<Sides> {
  say(`${lesson.summary}: ${lesson.before}, then ${lesson.after}.`);
  say("Starting a private broker (about ten seconds) …");
  await using stage = await Stage.open(say, signal);
  return await Promise.race([lesson.run(stage), rejectOnAbort(signal)]);
}

/** Each measure, and whether it is shown where neither side has any. */
const MEASURES: readonly { key: keyof Account; label: string; always: boolean }[] = [
  { key: "attempted", label: "attempted", always: true },
  { key: "accountedFor", label: "accounted for", always: true },
  { key: "handled", label: "  handled", always: false },
  { key: "deadLettered", label: "  dead-lettered", always: false },
  { key: "waiting", label: "  waiting in the queue", always: false },
  { key: "lost", label: "lost", always: true },
  { key: "doubled", label: "doubled", always: true },
  { key: "wrong", label: "wrong", always: false },
  { key: "deliveries", label: "deliveries", always: false },
];

function show({ before, after, why }: Lesson, sides: Sides): void {
  const rows = MEASURES
    .filter(({ key, always }) => always || sides.before[key] > 0 || sides.after[key] > 0)
    .map(({ key, label }) => [label, sides.before[key], sides.after[key]]);
  print("");
  print(renderTable(["events", before, after], rows));
  print(why.trim());
}

if (import.meta.main) await runCommand(USAGE, lessonCommand);
