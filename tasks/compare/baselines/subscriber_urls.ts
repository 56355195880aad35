/** Where the HTTP subscribers of the coupled baseline listen: a deployment's business, not the code's. */
import { ConfigError } from "@ecomarket/shared/base/errors";

/** The environment variable: `email=http://127.0.0.1:20001/,loyalty=…`. */
export const SUBSCRIBER_URLS = "SUBSCRIBER_URLS";

/**
 * The URL of each of `names`, in their order.
 *
 * @throws {ConfigError} when one is not in `text`.
 */
export function subscriberUrls(
  names: readonly string[],
  text: string = Deno.env.get(SUBSCRIBER_URLS) ?? "",
): readonly (readonly [string, string])[] {
  const urls = new Map(
    text.split(",").filter((pair) => pair.includes("=")).map((pair) => {
      const at = pair.indexOf("=");
      return [pair.slice(0, at), pair.slice(at + 1)];
    }),
  );
  return names.map((name) => {
    const url = urls.get(name);
    if (url !== undefined && URL.canParse(url)) return [name, url] as const;
    throw new ConfigError(`${SUBSCRIBER_URLS} must hold ${name}=http://host:port/`);
  });
}
