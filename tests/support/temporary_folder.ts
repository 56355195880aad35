/** A folder that belongs to one test. */
import { realpath } from "node:fs/promises";

/** An empty folder, that goes with all that is in it when it is disposed of. */
export interface TemporaryFolder extends AsyncDisposable {
  /** Absolute, and free of symbolic links: what a process says its working directory is. */
  readonly path: string;
}

/** Makes one. */
export async function temporaryFolder(): Promise<TemporaryFolder> {
  const path = await realpath(await Deno.makeTempDir({ prefix: "ecomarket_test_" }));
  return { path, [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }) };
}
