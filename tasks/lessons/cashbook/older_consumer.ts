/** The cashbook as it was built when version 1 was all there was. */
import { subscriberSlice } from "@ecomarket/shared/contract/topology";
import { type Consumer, runConsumer } from "@ecomarket/shared/subscriber";
import { CASHBOOK, CASHBOOK_SUBSCRIPTION, FIRST_TABLE } from "./cashbook.ts";
import { FirstCompraRealizada } from "./first_version.ts";

/** What `eventConsumer` made of it then, from a catalogue that this project has no more. */
const olderCashbook: Consumer<FirstCompraRealizada> = {
  name: CASHBOOK,
  migrations: [FIRST_TABLE],
  spec: (delaysMs) => ({
    name: CASHBOOK,
    queue: CASHBOOK_SUBSCRIPTION.queue,
    topology: subscriberSlice(CASHBOOK_SUBSCRIPTION, delaysMs),
    failure: { kind: "retry", delaysMs },
    decode(message) {
      const event = FirstCompraRealizada.decode(message);
      return { id: event.event_id, payload: event };
    },
    handle: ({ event_id, total }) => [
      { sql: "INSERT INTO cashbook VALUES (?, ?)", params: [event_id, total] },
    ],
  }),
};

await runConsumer(olderCashbook);
