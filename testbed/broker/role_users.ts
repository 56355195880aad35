/** For a run on a virtual host of its own: each role's user there, and nobody else's. */
import { newCredentials, putRoleUser } from "@ecomarket/setup/queues/role_users";
import type { ManagementClient } from "@ecomarket/shared/broker/management";
import { vhostOf } from "@ecomarket/shared/broker/management";
import { type BrokerRole, brokerRoles } from "@ecomarket/shared/contract/permissions";
import { withCredentials } from "@ecomarket/shared/process/credentials_file";

/** The users of one run. Disposing of it deletes them. */
export interface RoleUsers extends AsyncDisposable {
  /** The broker's URLs with the user of `role`. */
  urlsOf(role: string): readonly string[];
}

/**
 * Makes a user for each of `roles`, with its rights in the virtual host of `amqpUrls` and a name and a
 * password of this run: whoever uses the same broker keeps theirs.
 *
 * @throws {BrokerUnreachableError} when the management API is not there, or the client's user is no
 *   administrator.
 */
export async function createRoleUsers(
  client: ManagementClient,
  amqpUrls: readonly string[],
  roles: readonly BrokerRole[] = brokerRoles(),
): Promise<RoleUsers> {
  const vhost = vhostOf(amqpUrls[0]!);
  const suffix = `.${crypto.randomUUID()}`;
  const users = new Map(
    await Promise.all(
      roles.map(async (role) => {
        const credentials = newCredentials(role.name, suffix);
        await putRoleUser(client, vhost, role, credentials);
        return [role.name, credentials] as const;
      }),
    ),
  );
  return {
    urlsOf(role) {
      const credentials = users.get(role);
      if (!credentials) throw new TypeError(`No role is called "${role}"`);
      return amqpUrls.map((url) => withCredentials(url, credentials));
    },
    async [Symbol.asyncDispose]() {
      for (const { user } of users.values()) await client.delete(`users/${user}`);
    },
  };
}
