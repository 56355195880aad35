/**
 * DO NOT COPY: a consumer that puts back what fails. The broker hands it out again at once, before
 * everything that waits behind it, and that never ends.
 */
import { channel, deliveries } from "./naive_consumer.ts";
import { sendWelcomeEmail } from "./welcome_email.ts";

for await (const message of deliveries({ noAck: false })) {
  try {
    await sendWelcomeEmail(message);
    channel.ack(message);
  } catch {
    channel.nack(message, false, true);
  }
}
