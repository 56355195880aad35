/** Who decides: as the environment says, for asking the system is more than the sandbox allows. */

/** `user@host` of this process, as far as the environment tells it; else `unknown`. */
export function whoAmI(
  read: (name: string) => string | undefined = (name) => Deno.env.get(name),
): string {
  const first = (...names: string[]) => names.map(read).find((value) => value);
  const user = first("USER", "LOGNAME", "USERNAME") ?? "unknown";
  const host = first("HOSTNAME", "COMPUTERNAME");
  return host === undefined ? user : `${user}@${host}`;
}
