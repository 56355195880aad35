/** The files and the process of a private node: written, spawned, and read when it fails. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync } from "node:fs";
import {
  ENABLED_PLUGINS,
  INHERITED_VARIABLES,
  nodeEnvironment,
  nodePaths,
  type NodeSpec,
  rabbitmqConf,
} from "./node_files.ts";

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

/**
 * Starts `script` as the node of `spec`, detached: in a session of its own, so that neither the end
 * of this process nor a Ctrl+C in its terminal reaches the node.
 *
 * @returns once the operating system has started it. Its own start takes seconds more.
 * @throws when `script` cannot be run.
 */
export async function spawnNode(script: string, spec: NodeSpec): Promise<ChildProcess> {
  // n.b. `Deno.Command` cannot send a child's output to a file, and a pipe would end with us.
  const output = openSync(nodePaths(spec.directory).consoleFile, "w");
  try {
    const child = spawn(script, [], {
      cwd: spec.directory,
      env: nodeEnvironment(spec, inheritedVariables()),
      detached: true,
      stdio: ["ignore", output, output],
      shell: Deno.build.os === "windows",
    });
    await once(child, "spawn");
    child.unref();
    return child;
  } finally {
    closeSync(output);
  }
}

function inheritedVariables(): Record<string, string> {
  const entries = INHERITED_VARIABLES.map((name) => [name, Deno.env.get(name)] as const);
  return Object.fromEntries(entries.filter((entry): entry is [string, string] => !!entry[1]));
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

/** For a file that may be missing: the rejection's value is `undefined`. */
export function ignoreNotFound(error: unknown): undefined {
  if (!(error instanceof Deno.errors.NotFound)) throw error;
}
