/**
 * WHAT NOT TO DO. The workshop's "before": `POST /users` calls every subscriber over HTTP, one after
 * the other, while the person waits.
 *
 * The times add up; a subscriber that is down fails the signup; and what the subscribers before it
 * did stays done: the welcome email is sent, the account was never made.
 */
import { messageOf } from "@ecomarket/shared/base/errors";
import type { UsuarioCreado } from "@ecomarket/shared/contract/usuario_creado";
import { runSignupApi } from "./signup_api.ts";
import { NotPassedOnError } from "./signup_app.ts";
import { subscriberUrls } from "./subscriber_urls.ts";

/** Who is called, in this order. */
const SUBSCRIBERS = [
  "email",
  "loyalty",
  "analytics",
];

const CALL_TIMEOUT_MS = 5_000;

await runSignupApi("coupled-api", () => {
  const urls = subscriberUrls(SUBSCRIBERS);
  return Promise.resolve({
    isReady: () => true,
    async passOn(event) {
      for (const [name, url] of urls) await call(name, url, event);
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  });
});

async function call(name: string, url: string, event: UsuarioCreado): Promise<void> {
  let response: Response;
  try {
    response = await fetch(url, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(event),
      signal: AbortSignal.timeout(CALL_TIMEOUT_MS),
    });
    await response.body?.cancel();
  } catch (error) {
    throw new NotPassedOnError(`${name} did not answer: ${messageOf(error)}`, { cause: error });
  }
  if (!response.ok) throw new NotPassedOnError(`${name} answered ${response.status}`);
}
