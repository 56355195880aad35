/** Ports on the loopback that nobody listens on. */
import { BrokerSetupError } from "@ecomarket/shared/base/errors";

/**
 * Where ports are drawn from: below every system's ephemeral range (Linux from 32768, macOS and
 * Windows from 49152), so that no outgoing connection takes a node's port while the node restarts.
 */
const FIRST = 20_000;
const LAST = 32_700;

/**
 * `count` different ports that are free on 127.0.0.1 and ::1 now. They are not reserved: another
 * process may still take one before it is used.
 */
export async function freePorts(count: number): Promise<readonly number[]> {
  const found = new Set<number>();
  for (let attempt = 0; attempt < 1_000 && found.size < count; attempt++) {
    const port = FIRST + Math.floor(Math.random() * (LAST - FIRST + 1));
    if (await isPortFree(port)) found.add(port);
  }
  if (found.size < count) {
    throw new BrokerSetupError(`Cannot find ${count} free ports from ${FIRST} to ${LAST}`);
  }
  return [...found];
}

/** Whether a node could listen on `port` of the loopback. */
export async function isPortFree(port: number): Promise<boolean> {
  for (const hostname of loopbackAddresses()) {
    // n.b. on macOS a bind to 127.0.0.1 succeeds beside a listener on 0.0.0.0: connecting tells.
    if (await accepts(hostname, port) || !canListen(hostname, port)) return false;
  }
  return true;
}

/** Whether this machine has an IPv6 loopback. */
export function hasIpv6Loopback(): boolean {
  return canListen("::1", 0);
}

function loopbackAddresses(): readonly string[] {
  return hasIpv6Loopback() ? ["127.0.0.1", "::1"] : ["127.0.0.1"];
}

async function accepts(hostname: string, port: number): Promise<boolean> {
  try {
    (await Deno.connect({ hostname, port })).close();
    return true;
  } catch {
    return false;
  }
}

function canListen(hostname: string, port: number): boolean {
  try {
    Deno.listen({ hostname, port }).close();
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) throw error;
    return false;
  }
}
