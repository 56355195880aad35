/**
 * WHAT NOT TO DO, unless there are two subscribers and there will never be a third. The workshop's
 * first step: `POST /users` publishes once for every subscriber, straight into its queue.
 *
 * Nobody waits for a subscriber any more. But the publisher knows every queue's name, a new
 * subscriber is a new release of the publisher, and without a broker there is no signup.
 */
import { runSignupApi } from "./signup_api.ts";
import { ConfirmedSender } from "./confirmed_sender.ts";

/** The queues of all who want to know. */
const QUEUES = [
  "email_queue",
  "loyalty_queue",
  "analytics_queue",
];

await runSignupApi("queue-each-api", async (options) => {
  // n.b. the default exchange leads to every queue by its name.
  const routes = QUEUES.map((queue) => ({ exchange: "", routingKey: queue }));
  return await ConfirmedSender.connect({ ...options, routes });
});
