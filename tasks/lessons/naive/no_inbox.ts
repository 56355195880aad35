/**
 * DO NOT COPY: a consumer that acknowledges after the effect, and does not write down which events it
 * has done. One that dies between the two does the same event again.
 */
import { channel, deliveries } from "./naive_consumer.ts";
import { sendWelcomeEmail } from "./welcome_email.ts";

for await (const message of deliveries({ noAck: false })) {
  await sendWelcomeEmail(message);
  channel.ack(message);
}
