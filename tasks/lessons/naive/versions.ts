/**
 * DO NOT COPY: a consumer that trusts what it reads. It was written when all purchases were in euros,
 * looks at no `schema_version`, and takes the total of any other purchase for euros as well.
 */
import { CASHBOOK_SUBSCRIPTION, CURRENCY_COLUMN, FIRST_TABLE } from "../cashbook/cashbook.ts";
import { channel, db, deliveries } from "./naive_consumer.ts";

db.exec(FIRST_TABLE);
db.exec(CURRENCY_COLUMN); // Always in euros, as this consumer has it.
const insert = db.prepare("INSERT INTO cashbook (event_id, total) VALUES (?, ?)");

for await (
  const message of deliveries({ noAck: false, queue: CASHBOOK_SUBSCRIPTION.queue })
) {
  const { event_id, total } = JSON.parse(message.content.toString());
  insert.run(event_id, total);
  channel.ack(message);
}
