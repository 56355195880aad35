/**
 * Installs PostgreSQL on Debian and Ubuntu, without the system-wide cluster that the package would
 * make and start.
 */
import { ignoreNotFound } from "@ecomarket/shared/base/errors";
import { installPackages } from "../machine/debian_install.ts";

/** Debian's own switch for it: createcluster.conf(5). */
const SWITCH_FILE = "/etc/postgresql-common/createcluster.conf";
const SWITCH = "create_main_cluster = false\n";

/**
 * Installs the packages, with the switch set in between: the first one brings its file.
 *
 * @returns why it could not, or `undefined` when PostgreSQL is installed.
 */
export async function installPostgres(): Promise<string | undefined> {
  const problem = await installPackages(["postgresql-common"]);
  if (problem) return problem;
  const before = await Deno.readTextFile(SWITCH_FILE).catch(ignoreNotFound) ?? "";
  // n.b. the last line of a name counts.
  await Deno.writeTextFile(SWITCH_FILE, `${before}\n${SWITCH}`);
  try {
    return await installPackages(["postgresql"]);
  } finally {
    // Whoever installs another version later gets what Debian gives.
    await Deno.writeTextFile(SWITCH_FILE, before);
  }
}
