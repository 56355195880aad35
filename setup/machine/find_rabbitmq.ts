/** Where `rabbitmq-server` is on this machine. */
import { delimiter, join } from "node:path";
import { IS_WINDOWS } from "@ecomarket/shared/process/platform";
import { isFile } from "./is_file.ts";

type Reader = (name: string) => string | undefined;

/**
 * The script that starts a node, or `undefined` when RabbitMQ is not installed: `RABBITMQ_HOME`
 * first, then where packages put it, then `PATH`.
 */
export function findRabbitmqServer(read: Reader = Deno.env.get): string | undefined {
  return candidates(read).find(isFile);
}

/**
 * Every place to look in, best first. n.b. Debian and Fedora also have a `rabbitmq-server` on the
 * `PATH`, which changes to the user `rabbitmq` and so cannot run a node of ours: theirs is
 * `/usr/lib/rabbitmq/bin`.
 */
function candidates(read: Reader): readonly string[] {
  const script = IS_WINDOWS ? "rabbitmq-server.bat" : "rabbitmq-server";
  const home = read("RABBITMQ_HOME");
  const folders = [
    ...(home ? [join(home, "sbin")] : []),
    ...(IS_WINDOWS ? windowsFolders(read("ProgramFiles")) : [
      "/usr/lib/rabbitmq/bin",
      "/opt/homebrew/opt/rabbitmq/sbin",
      "/usr/local/opt/rabbitmq/sbin",
    ]),
    ...(read("PATH") ?? "").split(delimiter).filter((folder) => folder !== ""),
  ];
  return folders.map((folder) => join(folder, script));
}

/** The installer's `RabbitMQ Server\rabbitmq_server-<version>\sbin`, newest first. */
function windowsFolders(programFiles = "C:\\Program Files"): readonly string[] {
  const base = join(programFiles, "RabbitMQ Server");
  try {
    return [...Deno.readDirSync(base)].map(({ name }) => name)
      .filter((name) => name.startsWith("rabbitmq_server-"))
      .sort().reverse().map((name) => join(base, name, "sbin"));
  } catch {
    return [];
  }
}
