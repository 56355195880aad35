/** Where the programs of PostgreSQL are on this machine: `initdb`, `postgres`, `pg_ctl`, `pg_basebackup`. */
import { delimiter, join } from "node:path";
import { isFile } from "../machine/is_file.ts";

type Reader = (name: string) => string | undefined;

/** Where Debian and Ubuntu put each version: they are not on the `PATH`. */
const DEBIAN_FOLDER = "/usr/lib/postgresql";

/**
 * The folder that `initdb` and `postgres` are in, or `undefined` when PostgreSQL is not installed:
 * `POSTGRES_HOME` first, then where packages put it, the newest version first, then `PATH`.
 */
export function findPostgres(read: Reader = Deno.env.get): string | undefined {
  const home = read("POSTGRES_HOME");
  const folders = [
    ...(home ? [join(home, "bin")] : []),
    ...debianVersions().map((version) => join(DEBIAN_FOLDER, version, "bin")),
    "/usr/pgsql/bin",
    "/opt/homebrew/opt/postgresql/bin",
    "/usr/local/opt/postgresql/bin",
    ...(read("PATH") ?? "").split(delimiter).filter((folder) => folder !== ""),
  ];
  return folders.find((folder) =>
    isFile(join(folder, "initdb")) && isFile(join(folder, "postgres"))
  );
}

function debianVersions(): readonly string[] {
  try {
    return [...Deno.readDirSync(DEBIAN_FOLDER)].map(({ name }) => name)
      .sort((a, b) => Number(b) - Number(a));
  } catch {
    return [];
  }
}
