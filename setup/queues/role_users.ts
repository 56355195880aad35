/** One broker user per role, with the rights that are derived from the topology: made, or made so again. */
import type { ManagementClient } from "@ecomarket/shared/broker/management";
import { type BrokerRole, brokerUser } from "@ecomarket/shared/contract/permissions";
import type { Credentials } from "@ecomarket/shared/process/credentials_file";

/**
 * Makes the user of `role`, or gives the one that is there this password, and sets its rights in
 * `vhost` to what the role needs: whatever it was given besides is taken from it there. Run again, it
 * changes nothing.
 *
 * n.b. the password travels in the body of a request, and is in no path and no command line.
 *
 * @throws {BrokerUnreachableError} when the management API is not there, or the client's user is no
 *   administrator.
 */
export async function putRoleUser(
  client: ManagementClient,
  vhost: string,
  { tags, permissions }: Pick<BrokerRole, "tags" | "permissions">,
  { user, password }: Credentials,
): Promise<void> {
  const name = encodeURIComponent(user);
  await client.put(`users/${name}`, { password, tags: tags.join(",") });
  await client.put(`permissions/${encodeURIComponent(vhost)}/${name}`, permissions);
}

/** The credentials of a role whose password was generated: nobody has to remember it. */
export function newCredentials(role: string, suffix = ""): Credentials {
  const bytes = crypto.getRandomValues(new Uint8Array(PASSWORD_BYTES));
  return { user: `${brokerUser(role)}${suffix}`, password: bytes.toHex() };
}

/** More than can be guessed. */
const PASSWORD_BYTES = 24;
