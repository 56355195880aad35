/**
 * WHAT NOT TO DO for an event that everybody gets. The workshop's second step: `POST /users`
 * publishes to a direct exchange, once for every routing key.
 *
 * The publisher knows no queue any more, but keys, which is the same list under another name: a
 * subscriber with a key of its own is a new release of the publisher, and without a broker there is
 * no signup. A direct exchange is right where a message is for some and not for others.
 */
import { runSignupApi } from "./signup_api.ts";
import { ConfirmedSender } from "./confirmed_sender.ts";
import { USERS_DIRECT } from "./users_direct.ts";

/** The key of each kind of reader. */
const ROUTING_KEYS = [
  "email",
  "loyalty",
  "analytics",
];

await runSignupApi("direct-api", async (options) => {
  const routes = ROUTING_KEYS.map((routingKey) => ({ exchange: USERS_DIRECT, routingKey }));
  return await ConfirmedSender.connect({ ...options, routes });
});
