/** PostgreSQL's programs, for whoever starts private servers: installed first where that is allowed. */
import { DatabaseSetupError } from "@ecomarket/shared/base/errors";
import { PLATFORM } from "@ecomarket/shared/process/platform";
import { debianProblem } from "../machine/debian_install.ts";
import { hasProgram } from "../machine/install_advice.ts";
import { installOnce } from "../machine/install_lock.ts";
import { findPostgres } from "./find_postgres.ts";
import { installPostgres } from "./install_postgres.ts";

/** What {@link requirePostgres} needs to know. */
export interface RequireOptions {
  /** The environment: `BROKER_INSTALL=never` forbids to install anything. */
  readonly read: (name: string) => string | undefined;
  readonly say: (line: string) => void;
}

/**
 * Makes sure that private servers can be started here. Programs that ask at the same time wait for one
 * installation.
 *
 * @throws {DatabaseSetupError} when PostgreSQL is not installed and cannot be: with what to run.
 */
export async function requirePostgres(options: RequireOptions): Promise<void> {
  const problem = await installOnce({
    isInstalled: () => findPostgres() !== undefined,
    install: () => installWhereAllowed(options),
    say: options.say,
  });
  if (problem === undefined) return;
  throw new DatabaseSetupError(
    `A private PostgreSQL needs its programs: they are not installed, and not installable here: ` +
      `${problem}\nRun this, then try again: ${postgresAdvice(PLATFORM, hasProgram)}`,
  );
}

/** The one command that gets this machine PostgreSQL, by system and by the package manager it has. */
export function postgresAdvice(
  platform: typeof PLATFORM,
  has: (program: string) => boolean,
): string {
  if (platform === "darwin") return "brew install postgresql";
  if (platform === "windows") {
    return "winget install PostgreSQL.PostgreSQL (then name its folder in POSTGRES_HOME)";
  }
  if (has("apt-get")) return "sudo apt-get install -y postgresql";
  if (has("dnf")) return "sudo dnf install -y postgresql-server";
  if (has("pacman")) return "sudo pacman -S postgresql";
  return "see https://www.postgresql.org/download/, then name its folder in POSTGRES_HOME";
}

async function installWhereAllowed({ read, say }: RequireOptions): Promise<string | undefined> {
  const problem = await debianProblem(read);
  if (problem) return problem;
  say("Installing postgresql with apt-get (a minute or two; BROKER_INSTALL=never forbids it).");
  const failure = await installPostgres();
  if (failure) return failure;
  if (findPostgres()) return undefined;
  throw new DatabaseSetupError("apt-get installed postgresql, and its programs are not there");
}
