/** Who may do what on the broker. */
import { DEV_USER } from "@ecomarket/shared/process/config";
import type { Facts, UserFacts } from "../facts.ts";
import type { Finding } from "../finding.ts";

const LOOPBACK: readonly string[] = ["localhost", "127.0.0.1", "::1", "[::1]"];

/**
 * The default user is gone, and nobody may do everything. The workshop's development user may, on a
 * broker of this machine: its password is public, and nobody else reaches it.
 */
export function checkUsers({ management, amqpHost, vhost }: Facts): Finding[] {
  if (!management.ok) return [];
  const { users } = management.value;
  if (!users.ok) {
    return [{
      id: "users-unknown",
      severity: "note",
      finding: "Who else may do what on the broker could not be asked",
      why: "that needs a user with the tag administrator",
      mend: "give such a user in MANAGEMENT_URL",
    }];
  }
  const isLocal = LOOPBACK.includes(amqpHost);
  return users.value.flatMap((user) => checkUser(user, isLocal, vhost));
}

function checkUser({ name, permission }: UserFacts, isLocal: boolean, vhost: string): Finding[] {
  if (name === "guest") {
    return [{
      id: "user-guest",
      severity: "warning",
      finding: "The default user guest is alive",
      why: "its password is known to everybody",
      mend: "rabbitmqctl delete_user guest",
    }];
  }
  if (name === DEV_USER && isLocal) return [];
  if (name === DEV_USER) {
    return [{
      id: "user-development",
      severity: "warning",
      finding: `The workshop's user ${DEV_USER} is alive on a broker that is not this machine's`,
      why: "its password stands in the source code",
      mend: `make users of your own, then: rabbitmqctl delete_user ${DEV_USER}`,
    }];
  }
  if (!permission || !Object.values(pick(permission)).every((pattern) => pattern === ".*")) {
    return [];
  }
  return [{
    id: "user-too-wide",
    severity: "warning",
    finding: `The user ${name} may configure, write and read everything in ${vhost}`,
    why: "a program that is taken over reaches every queue, also of other subscribers",
    mend: `rabbitmqctl set_permissions -p ${vhost} ${name} CONFIGURE WRITE READ`,
  }];
}

function pick({ configure, write, read }: NonNullable<UserFacts["permission"]>) {
  return { configure, write, read };
}
