/** The workshop's guides: each command of them is executed, and prints what they show. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { PROJECT_ROOT } from "@ecomarket/testbed/project/project_root";
import { copyProject } from "../../testbed/project/project_copy.ts";
import { type Guide, parseGuide, withoutLines } from "../support/guide.ts";
import { GuideReader } from "../support/guide_reader.ts";

const SPANISH = join("docs", "guia.md");
const ENGLISH = join("docs", "guide.md");

async function readGuide(path: string, project: string = PROJECT_ROOT): Promise<Guide> {
  return parseGuide(await Deno.readTextFile(join(project, path)));
}

for (const path of [SPANISH, ENGLISH]) {
  Deno.test(`${path} mentions no task that it does not have its reader run`, async () => {
    const { steps, inlineCode } = await readGuide(path);
    const commands = steps.flatMap((step) => "command" in step ? [step.command] : []);
    const mentioned = inlineCode.filter((code) => /^(?:npx .* )?deno task /.test(code));
    const missing = mentioned.filter((code) => !commands.some((command) => command.includes(code)));
    assert.deepEqual(missing, []);
  });
}

Deno.test("both guides have the same commands, in the same order, and show the same", async () => {
  const [spanish, english] = [await readGuide(SPANISH), await readGuide(ENGLISH)];
  assert.deepEqual(withoutLines(english.steps), withoutLines(spanish.steps));
});

Deno.test("each command of the guides does what they show, and nothing is left at their end", async () => {
  await using project = await copyProject();
  await using reader = new GuideReader(project.path);
  const { steps } = await readGuide(SPANISH, project.path);
  assert.ok(steps.length > 0);
  for (const step of steps) await reader.follow(step);
  assert.deepEqual(reader.busy, [], "each terminal was closed");
  const left = [...Deno.readDirSync(project.path)].map(({ name }) => name);
  assert.ok(!left.includes("data"));
  assert.throws(() => Deno.statSync(join(project.path, ".broker", "node")), Deno.errors.NotFound);
});
