/**
 * DO NOT COPY: a consumer with `noAck`. The broker forgets a message as soon as it has written it to
 * the socket, so all that this process holds is lost when it dies.
 */
import { deliveries } from "./naive_consumer.ts";
import { sendWelcomeEmail } from "./welcome_email.ts";

for await (const message of deliveries({ noAck: true })) {
  await sendWelcomeEmail(message);
}
