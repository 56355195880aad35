/** A virtual host of one's own on a broker: the fixed names, without anybody else's messages. */
import type { ManagementClient } from "@ecomarket/shared/broker/management";

/** A virtual host that goes, with all that is in it, when it is disposed of. */
export interface PrivateVhost extends AsyncDisposable {
  readonly name: string;
  /** The broker's AMQP URLs, with this virtual host. */
  readonly amqpUrls: readonly string[];
}

/**
 * Creates a virtual host with a name that begins with `prefix`, and gives the client's user every
 * right in it.
 *
 * @throws {BrokerUnreachableError} when the management API is not there, or the user may not.
 */
export async function createVhost(
  client: ManagementClient,
  amqpUrls: readonly string[],
  prefix: string,
): Promise<PrivateVhost> {
  const name = `${prefix}_${crypto.randomUUID()}`;
  const user = new URL(client.url).username;
  await client.put(`vhosts/${name}`);
  await client.put(`permissions/${name}/${user}`, { configure: ".*", write: ".*", read: ".*" });
  return {
    name,
    amqpUrls: amqpUrls.map((url) => {
      const own = new URL(url);
      own.pathname = name;
      return own.href;
    }),
    [Symbol.asyncDispose]: () => client.delete(`vhosts/${name}`),
  };
}
