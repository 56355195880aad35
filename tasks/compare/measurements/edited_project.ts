/** A developer's working copy of the project: where a publisher is edited, and run from. */
import { dirname, join } from "node:path";
import { PROJECT_ROOT } from "@ecomarket/testbed/project/project_root";
import { changedLines } from "./publisher_edit.ts";

/** What the baselines need to run: the rest of the project is not copied. */
const FOLDERS = ["shared", "publisher", "tasks/compare/baselines"];
const FILES = [
  "deno.json",
  "deno.lock",
  ...["consumers", "setup", "testbed", "tasks", "tests"].map((member) => `${member}/deno.json`),
];

/** See the file's first line. */
export class ProjectCopy {
  private constructor(readonly root: string) {}

  /** Copies the project to the empty folder `root`. */
  static async make(root: string): Promise<ProjectCopy> {
    const files = [...FILES];
    for (const folder of FOLDERS) {
      for await (const file of filesBelow(folder)) files.push(file);
    }
    for (const file of files) {
      await Deno.mkdir(dirname(join(root, file)), { recursive: true });
      await Deno.copyFile(join(PROJECT_ROOT, file), join(root, file));
    }
    return new ProjectCopy(root);
  }

  /** Rewrites `file`. Resolves with how many of the original's lines the copy has changed. */
  async edit(file: string, rewrite: (source: string) => string): Promise<number> {
    const original = await Deno.readTextFile(join(PROJECT_ROOT, file));
    await Deno.writeTextFile(join(this.root, file), rewrite(original));
    return changedLines(original, await Deno.readTextFile(join(this.root, file)));
  }
}

/** The paths of all files in `folder` and its rooms, from {@link PROJECT_ROOT}. */
async function* filesBelow(folder: string): AsyncGenerator<string> {
  for await (const { name, isFile } of Deno.readDir(join(PROJECT_ROOT, folder))) {
    const path = join(folder, name);
    if (isFile) yield path;
    else yield* filesBelow(path);
  }
}
