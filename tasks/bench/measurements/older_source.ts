/** The source as it was before it was tuned, out of the history of this clone. */
import { PROJECT_ROOT } from "@ecomarket/testbed/project/project_root";
import type { World } from "../world.ts";

/** The commit before the first tuning: what `endToEndVsBefore` compares with. */
export const COMMIT_BEFORE = "a1abd70";

/** A folder with that source; `undefined`, and told, where the history does not reach back so far. */
export async function olderSource(world: World): Promise<string | undefined> {
  const root = await world.newFolder("before");
  const archive = await run([
    "git",
    "archive",
    "--format=tar",
    "-o",
    `${root}/source.tar`,
    COMMIT_BEFORE,
  ])
    .catch(() => undefined);
  if (!archive?.success) {
    world.say(
      `end-to-end: commit ${COMMIT_BEFORE} is not in this clone, so nothing is compared with it. ` +
        "Run: git fetch --unshallow",
    );
    return undefined;
  }
  const unpacked = await run(["tar", "-xf", `${root}/source.tar`, "-C", root]);
  if (!unpacked.success) throw new Error(new TextDecoder().decode(unpacked.stderr));
  return root;
}

function run([program, ...args]: readonly [string, ...string[]]): Promise<Deno.CommandOutput> {
  return new Deno.Command(program, { args, cwd: PROJECT_ROOT }).output();
}
