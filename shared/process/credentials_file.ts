/**
 * The files in which `deno task setup-queues --users` leaves each role its user and password: one
 * file a role, so that a role's sandbox lets it read its own alone.
 */
import { join } from "node:path";
import { z } from "zod";
import { ConfigError } from "../base/errors.ts";
import { BROKER_DIR } from "./broker_file.ts";
import { readSmallFileSync } from "./small_file.ts";

/** The file's folder, in `directory`. */
export function credentialsDir(directory: string = BROKER_DIR): string {
  return join(directory, "credentials");
}

/** Where the credentials of `role` are, in `directory`. */
export function credentialsFile(role: string, directory: string = BROKER_DIR): string {
  return join(credentialsDir(directory), `${role}.json`);
}

/** A role's user and its password. */
export interface Credentials {
  readonly user: string;
  readonly password: string;
}

/** What stands in such a file. */
export const credentialsSchema: z.ZodType<Credentials> = z.object({
  user: z.string(),
  password: z.string(),
});

/**
 * What stands in the file of `role`; `undefined` where there is none, or the sandbox withholds it.
 *
 * @throws {ConfigError} when what stands there cannot be used: to go on as another user would give a
 *   role rights that it was meant not to have.
 */
export function readCredentials(
  role: string,
  directory: string = BROKER_DIR,
): Credentials | undefined {
  const path = credentialsFile(role, directory);
  try {
    return credentialsSchema.parse(JSON.parse(readSmallFileSync(path)));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotCapable) {
      return undefined;
    }
    throw new ConfigError(
      `The credentials in ${path} cannot be used. Make them anew: deno task setup-queues --users`,
      { cause: error },
    );
  }
}

/** `url` with these credentials in place of its own. */
export function withCredentials(url: string, { user, password }: Credentials): string {
  const own = new URL(url);
  own.username = encodeURIComponent(user);
  own.password = encodeURIComponent(password);
  return own.href;
}
