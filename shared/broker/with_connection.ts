/** A connection for one look at the broker. */
import type { ChannelModel } from "amqplib";
import { connectOnce } from "./connection.ts";

/**
 * What `use` returns, given a connection that is closed afterwards.
 *
 * @throws what {@link connectOnce} throws, which makes the connection, and `use`.
 */
export async function withConnection<T>(
  urls: readonly string[],
  role: string,
  use: (connection: ChannelModel) => T | Promise<T>,
  timeoutMs?: number,
): Promise<T> {
  const connection = await connectOnce(urls, role, timeoutMs);
  try {
    return await use(connection);
  } finally {
    // n.b. what is asked for has been answered; a connection that has ended would hide why.
    await connection.close().catch(() => {});
  }
}
