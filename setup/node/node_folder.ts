/** The folder of a private node: what the node reads is written here, and what it wrote is read. */
import { ignoreNotFound } from "@ecomarket/shared/base/errors";
import { ENABLED_PLUGINS, nodePaths, type NodeSpec, rabbitmqConf } from "./node_files.ts";

/** Writes what the node reads. Its data and its logs stay as they are. */
export async function writeNodeFiles(spec: NodeSpec): Promise<void> {
  const paths = nodePaths(spec.directory);
  // The cookie and the data are for this user's eyes only.
  await Deno.mkdir(spec.directory, { recursive: true, mode: 0o700 });
  for (const folder of [paths.config, paths.data, paths.log]) {
    await Deno.mkdir(folder, { recursive: true });
  }
  await Deno.writeTextFile(paths.configFile, rabbitmqConf(spec));
  await Deno.writeTextFile(paths.advancedConfigFile, "[].\n");
  await Deno.writeTextFile(paths.pluginsFile, ENABLED_PLUGINS);
  await Deno.writeTextFile(paths.environmentFile, "");
  await writeCookie(paths.cookieFile, spec.cookie);
}

/** Erlang refuses a cookie that others can read, and leaves it read-only: replaced, not rewritten. */
async function writeCookie(path: string, cookie: string): Promise<void> {
  await Deno.remove(path).catch(ignoreNotFound);
  await Deno.writeTextFile(path, cookie, { mode: 0o400 });
}

/** The last lines that the node wrote, and where the rest is: for the message of a failed start. */
export async function lastWords(directory: string, lines = 8): Promise<string> {
  const { logFile, consoleFile } = nodePaths(directory);
  for (const file of [consoleFile, logFile]) {
    const text = await Deno.readTextFile(file).catch(ignoreNotFound) ?? "";
    const written = text.split("\n").map((line) => line.trimEnd()).filter((line) => line !== "");
    if (written.length === 0) continue;
    return `${written.slice(-lines).map((line) => `    ${line}`).join("\n")}\n  All of it: ${file}`;
  }
  return `  It wrote nothing to ${logFile}`;
}
