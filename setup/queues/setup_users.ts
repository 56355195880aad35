/** `deno task setup-queues --users`: a user per role on the broker, and its password where its role finds it. */
import { ConfigError, ignoreNotFound, messageOf } from "@ecomarket/shared/base/errors";
import { tryLockFolder } from "@ecomarket/shared/base/folder_lock";
import { poll } from "@ecomarket/shared/base/poll";
import { ManagementClient, vhostOf } from "@ecomarket/shared/broker/management";
import { type BrokerRole, brokerUser } from "@ecomarket/shared/contract/permissions";
import {
  type Credentials,
  credentialsDir,
  credentialsFile,
  readCredentials,
} from "@ecomarket/shared/process/credentials_file";
import { printError } from "@ecomarket/shared/process/main";
import { renderTable } from "@ecomarket/shared/process/table";
import { newCredentials, putRoleUser } from "./role_users.ts";

/** Where users are made, and how they get their passwords. */
export interface SetupUsersOptions {
  /** With an administrator's credentials. */
  readonly managementUrl: string;
  /** Of the virtual host in which they get their rights. */
  readonly amqpUrl: string;
  readonly roles: readonly BrokerRole[];
  /** The passwords that are not to be generated, by role: see {@link givenPasswords}. */
  readonly given: ReadonlyMap<string, string>;
  /** Whether passwords that were generated are generated anew. */
  readonly rotate: boolean;
}

/**
 * Makes the user of each role, with the rights that the topology gives it. A password is the one that
 * is given, or else the one in the role's file, or else generated into it.
 *
 * Killed on its way, the next run finishes it: a file is written before the broker is told, so that no
 * user has a password that nobody knows. Run twice at once, one waits for the other: a file and the
 * broker shall know the same password.
 *
 * @throws {ConfigError} when a password is to be generated, and cannot be kept in a file.
 * @throws {BrokerUnreachableError} when the management API is not there, or its user is no
 *   administrator.
 */
export async function setupUsers(options: SetupUsersOptions): Promise<void> {
  const { managementUrl, amqpUrl, roles, given, rotate } = options;
  const client = new ManagementClient(managementUrl);
  const generated = roles.find(({ name }) => !given.has(name));
  using _lock = generated ? await lockCredentials(generated.name) : undefined;
  for (const role of roles) {
    const credentials = await credentialsOf(role.name, given.get(role.name), rotate);
    await putRoleUser(client, vhostOf(amqpUrl), role, credentials);
  }
}

/**
 * The passwords that the environment has for `roles`, by role.
 *
 * @throws {ConfigError} when one of them is too short.
 */
export function givenPasswords(
  roles: readonly BrokerRole[],
  read: (name: string) => string | undefined,
): ReadonlyMap<string, string> {
  const given = new Map<string, string>();
  for (const { name } of roles) {
    const variable = passwordVariable(name);
    const password = read(variable) || undefined;
    if (password === undefined) continue;
    if (password.length < MIN_PASSWORD_LENGTH) {
      throw new ConfigError(`${variable} must have ${MIN_PASSWORD_LENGTH} characters or more`);
    }
    given.set(name, password);
  }
  return given;
}

/** The variable that holds the password of `role`, such as `BROKER_PASSWORD_USERS_API`. */
export function passwordVariable(role: string): string {
  return `BROKER_PASSWORD_${role.toUpperCase().replaceAll("-", "_")}`;
}

/** Shorter ones are guessed. */
const MIN_PASSWORD_LENGTH = 12;

/** How long one run waits for another: each takes about a second. */
const LOCK_TIMEOUT_MS = 30_000;

/** Keeps other runs from the files of all roles. That of `role` has to be made. */
async function lockCredentials(role: string): Promise<Disposable> {
  const folder = credentialsDir();
  try {
    await Deno.mkdir(folder, { recursive: true, mode: 0o700 });
    const taken = tryLockFolder(folder);
    if (taken) return taken;
    printError("Another setup-queues makes users: waiting for it.");
    const lock = await poll(() => tryLockFolder(folder), { timeoutMs: LOCK_TIMEOUT_MS });
    if (lock) return lock;
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) throw error;
    throw new ConfigError(
      `The password of ${role} is generated, and cannot be kept in ${folder} ` +
        `(${messageOf(error)}). Give it, and those of the other roles: ${passwordVariable(role)}`,
      { cause: error },
    );
  }
  throw new ConfigError(
    `Another setup-queues has been making users for ${LOCK_TIMEOUT_MS / 1_000} s. ` +
      "See what it does, stop it, and try again",
  );
}

async function credentialsOf(
  role: string,
  given: string | undefined,
  rotate: boolean,
): Promise<Credentials> {
  if (given !== undefined) {
    // Who brings a password keeps it: an older one in a file would be tried in its place.
    await Deno.remove(credentialsFile(role)).catch(ignoreNotFound);
    return { user: brokerUser(role), password: given };
  }
  const known = rotate ? undefined : knownCredentials(role);
  if (known) return known;
  const credentials = newCredentials(role);
  await writeCredentials(role, credentials);
  return credentials;
}

/** Those of before, where they can be used: what is damaged is made anew. */
function knownCredentials(role: string): Credentials | undefined {
  try {
    return readCredentials(role);
  } catch (error) {
    if (error instanceof ConfigError) return undefined;
    throw error;
  }
}

/** Replaces the file whole: a role that starts reads the old one or the new one. */
async function writeCredentials(role: string, credentials: Credentials): Promise<void> {
  const file = credentialsFile(role);
  // n.b. the mode is only that of a file which is made: one that a killed run left is made anew.
  await Deno.remove(`${file}.new`).catch(ignoreNotFound);
  await Deno.writeTextFile(`${file}.new`, `${JSON.stringify(credentials)}\n`, {
    createNew: true,
    mode: 0o600,
  });
  await Deno.rename(`${file}.new`, file);
}

/** The width of a pattern in the table. */
const PATTERN_COLUMNS = 60;

/** What each of `roles` may do, for a person. A pattern that covers nothing is left out. */
export function rightsTable(roles: readonly BrokerRole[]): string {
  const shown = (pattern: string) => pattern === "^$" ? "" : pattern;
  const rows = roles.map(({ name, permissions: { configure, write, read } }) =>
    [
      name,
      [["configure", configure], ["write", write], ["read", read]]
        .filter(([, pattern]) => shown(pattern!) !== "")
        .flatMap(([right, pattern]) => chunks(`${right} ${pattern}`, PATTERN_COLUMNS)),
    ] as const
  );
  return renderTable(["role", "its user may"], rows);
}

function chunks(text: string, length: number): string[] {
  return text.match(new RegExp(`.{1,${length}}`, "g")) ?? [];
}
