/**
 * The Erlang port mapper daemon, spoken to directly: which nodes are alive on this machine, and
 * ending the daemon, which outlives the node that started it. No Erlang program is needed.
 *
 * The protocol: https://www.erlang.org/doc/apps/erts/erl_dist_protocol.html#epmd-protocol
 */

/** `NAMES_REQ` and `KILL_REQ`. */
const NAMES = 110;
const KILL = 107;

/** How long a daemon on this machine may take to answer, in milliseconds. */
const ANSWER_TIMEOUT_MS = 2_000;

/**
 * The nodes that the daemon on `port` knows, and their distribution ports. The daemon holds a
 * connection to each: a node is here exactly as long as its process lives, also when it is hung.
 *
 * @returns an empty map when no daemon answers.
 */
export async function registeredNodes(port: number): Promise<ReadonlyMap<string, number>> {
  const answer = await ask(port, NAMES);
  const lines = answer.matchAll(/^name (\S+) at port (\d+)$/gm);
  return new Map([...lines].map(([, name, dist]) => [name!, Number(dist)]));
}

/**
 * Ends the daemon on `port`, unless a node is still registered: the daemon itself refuses then, so
 * that the last node of a cluster to go takes the daemon along. Nothing happens where none answers.
 */
export async function stopEpmd(port: number): Promise<void> {
  await ask(port, KILL);
}

/** Sends one request and reads the answer as text, without the four bytes of `NAMES_REQ`'s port. */
async function ask(port: number, request: number): Promise<string> {
  let connection: Deno.TcpConn | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  try {
    connection = await Deno.connect({ hostname: "127.0.0.1", port });
    // Closing ends a pending read: a thing that accepts and says nothing cannot hold us.
    timer = setTimeout(() => connection?.close(), ANSWER_TIMEOUT_MS);
    await connection.write(Uint8Array.of(0, 1, request));
    const bytes = await readToEnd(connection);
    return new TextDecoder().decode(request === NAMES ? bytes.subarray(4) : bytes);
  } catch {
    return "";
  } finally {
    clearTimeout(timer);
    closeQuietly(connection);
  }
}

async function readToEnd(connection: Deno.TcpConn): Promise<Uint8Array> {
  const chunks: number[] = [];
  const buffer = new Uint8Array(4_096);
  for (let n = await connection.read(buffer); n !== null; n = await connection.read(buffer)) {
    chunks.push(...buffer.subarray(0, n));
  }
  return Uint8Array.from(chunks);
}

function closeQuietly(connection: Deno.TcpConn | undefined): void {
  try {
    connection?.close();
  } catch {
    // Closed by the timer.
  }
}
