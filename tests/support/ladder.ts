/** What the search for a broker meets: an environment, and strangers on a port. */

/** An environment of these variables alone, in which Docker and `apt-get` are out of the question. */
export function environment(
  variables: Record<string, string> = {},
): (name: string) => string | undefined {
  const all: Record<string, string> = {
    BROKER_DOCKER: "never",
    BROKER_INSTALL: "never",
    ...variables,
  };
  return (name) => all[name];
}

/** Listens on a free port and does with each connection what `behave` says. */
export function listen(behave: (connection: Deno.Conn) => unknown): Disposable & { port: number } {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const connections: Deno.Conn[] = [];
  (async () => {
    for await (const connection of listener) {
      connections.push(connection);
      await Promise.resolve(behave(connection)).catch(() => {});
    }
  })();
  return {
    port: (listener.addr as Deno.NetAddr).port,
    [Symbol.dispose]: () => {
      listener.close();
      for (const connection of connections) {
        try {
          connection.close();
        } catch {
          // It closed itself.
        }
      }
    },
  };
}
