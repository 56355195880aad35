/** The project's own files, for tests of what they say and of how they hang together. */
import { fileURLToPath } from "node:url";

/** The project's folder, without a slash at its end. */
export const ROOT: string = fileURLToPath(new URL("../..", import.meta.url)).replace(/[\\/]$/, "");

/** The paths of all files below `folder` whose names end with `ending`, both as seen from {@link ROOT}. */
export async function* filesBelow(folder: string, ending: string): AsyncGenerator<string> {
  for await (const { name, isDirectory } of Deno.readDir(`${ROOT}/${folder}`)) {
    const path = `${folder}/${name}`;
    if (isDirectory) yield* filesBelow(path, ending);
    else if (name.endsWith(ending)) yield path;
  }
}
