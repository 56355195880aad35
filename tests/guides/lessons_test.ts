/** `deno task lesson`: each one does harm first, and none after it; and leaves nothing behind. */
import assert from "node:assert/strict";
import { PROJECT_ROOT } from "@ecomarket/testbed/project/project_root";
import { LESSONS } from "../../tasks/lessons/catalog.ts";
import { type Finished, runDeno } from "../../testbed/project/run_deno.ts";
import { eventually } from "../support/eventually.ts";
import { temporaryFolder } from "../support/temporary_folder.ts";

const LESSON = ["run", "-q", "-P=operator", "tasks/lessons/lesson_command.ts"];

/** Runs the command; every temporary file of it is made below `temporary`. */
function lesson(temporary: string, ...args: string[]): Promise<Finished> {
  return runDeno([...LESSON, ...args], { TMPDIR: temporary, TMP: temporary });
}

function namesIn(folder: string): string[] {
  return [...Deno.readDirSync(folder)].map(({ name }) => name);
}

for (const { name, harm } of LESSONS) {
  Deno.test(`lesson ${name} shows what is ${harm}, and that nothing is when it is mended`, async () => {
    await using folder = await temporaryFolder();
    const { code, stdout, stderr } = await lesson(folder.path, name, "--json");
    assert.equal(code, 0, stderr);
    const { lesson: shown, ok, before, after } = JSON.parse(stdout);
    assert.equal(shown, name);
    assert.equal(ok, true);
    assert.ok(before[harm] > 0);
    assert.equal(after[harm], 0);
    assert.equal(after.accountedFor, before.attempted);
    assert.equal(after.doubled, 0);
    assert.deepEqual(namesIn(folder.path), []);
  });
}

Deno.test("lesson without a name lists each lesson", async () => {
  await using folder = await temporaryFolder();
  const { code, stdout } = await lesson(folder.path);
  assert.equal(code, 0);
  const text = stdout.replaceAll(/\s+/g, " "); // A summary may go on in the next line.
  for (const { name, summary } of LESSONS) assert.ok(text.includes(` ${name} ${summary} `), name);
});

Deno.test("lesson ends with 2 at a name that is none, and lists those that are", async () => {
  await using folder = await temporaryFolder();
  const { code, stderr } = await lesson(folder.path, "no-such");
  assert.equal(code, 2);
  assert.match(stderr, /^error: Unknown lesson: no-such\. There are: simple-publisher, /);
});

Deno.test("lesson ends with 130 after a Ctrl+C in its middle, and leaves no file and no process", async () => {
  await using folder = await temporaryFolder();
  const child = new Deno.Command(Deno.execPath(), {
    args: [...LESSON, "hot-loop"],
    cwd: PROJECT_ROOT,
    env: { TMPDIR: folder.path, TMP: folder.path },
    stdin: "null",
    stdout: "piped",
    stderr: "null",
    detached: true,
  }).spawn();
  const reading = new Response(child.stdout).text();
  const database = () => {
    const [broker] = namesIn(folder.path);
    return Deno.statSync(`${folder.path}/${broker}/lesson/before/email/store.sqlite`);
  };
  await eventually(database, 60_000); // Its naive consumer runs.
  // n.b. a terminal interrupts the whole process group.
  Deno.kill(-child.pid, "SIGINT");
  assert.equal((await child.status).code, 130);
  assert.doesNotMatch(await reading, /│/);
  assert.deepEqual(namesIn(folder.path), []);
  // n.b. the group is empty once nobody of it is left.
  assert.throws(() => Deno.kill(-child.pid, "SIGKILL"), Deno.errors.NotFound);
});
