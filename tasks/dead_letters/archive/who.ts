/** Who decides: as the environment says, for asking the system is more than the sandbox allows. */

/** `user@host` of this process, as far as the environment tells it; else `unknown`. */
export function whoAmI(
  read: (name: string) => string | undefined = (name) => Deno.env.get(name),
): string {
  const user = read("USER") || read("LOGNAME") || read("USERNAME") || "unknown";
  const host = read("HOSTNAME") || read("COMPUTERNAME");
  return host ? `${user}@${host}` : user;
}
