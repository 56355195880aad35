/**
 * Whether a role is well, for what can only run a command, such as the health check of a container:
 * `deno run --allow-net=127.0.0.1:9464 shared/health/check.ts http://127.0.0.1:9464/readyz`. Prints
 * what the role answers, and ends with 0 where that is a 200, else with 1.
 */
import { get, type IncomingMessage } from "node:http";
import { messageOf } from "../base/errors.ts";
import { print, printError } from "../process/main.ts";

/** How long an answer may take. */
const TIMEOUT_MS = 5_000;
/** As much of an answer is shown: a report has some hundreds. */
const MAX_ANSWER_CHARACTERS = 10_000;

/** Asks `url`. @returns whether it answered 200. */
async function check(url: string): Promise<boolean> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  // n.b. fetch() asks the proxy of HTTP_PROXY, which Docker may set, also for the loopback (Deno 2.9).
  get(url, { signal: AbortSignal.timeout(TIMEOUT_MS) }, resolve).once("error", reject);
  const response = await promise;
  print(await limitedText(response));
  return response.statusCode === 200;
}

/** What `response` says, up to {@link MAX_ANSWER_CHARACTERS}. */
async function limitedText(response: IncomingMessage): Promise<string> {
  let text = "";
  for await (const chunk of response.setEncoding("utf8")) {
    text += chunk;
    if (text.length > MAX_ANSWER_CHARACTERS) return `${text.slice(0, MAX_ANSWER_CHARACTERS)}…`;
  }
  return text;
}

if (import.meta.main) {
  const [url = "http://127.0.0.1:9464/readyz"] = Deno.args;
  const isWell = await check(url).catch((error) => {
    printError(`error: Cannot ask ${url}: ${messageOf(error)}`);
    return false;
  });
  Deno.exit(isWell ? 0 : 1);
}
