/** Archives every dead letter, so that it can be seen, understood and sent back. */
import { ARCHIVE, ARCHIVE_LETTER, ARCHIVE_MIGRATIONS } from "@ecomarket/shared/archive/tables";
import { messageId, type RawMessage } from "@ecomarket/shared/contract/message";
import {
  failureMessage,
  type FailureReport,
  readFailure,
  replayIdOf,
  retriesOfDeadLetter,
  takeOriginalProperties,
} from "@ecomarket/shared/contract/headers";
import { headersAsJson } from "@ecomarket/shared/contract/original_properties";
import { DEAD_LETTER_QUEUE, deadLetterSlice } from "@ecomarket/shared/contract/topology";
import { type Consumer, runConsumer } from "@ecomarket/shared/subscriber";

interface DeadLetter {
  readonly failure: FailureReport;
  readonly messageId: string;
  readonly message: RawMessage;
}

/** The archive. It takes anything: whatever arrives here has nowhere else to go. */
export const deadLetterConsumer: Consumer<DeadLetter> = {
  name: ARCHIVE,
  migrations: ARCHIVE_MIGRATIONS,
  spec: () => ({
    name: "dead-letter",
    queue: DEAD_LETTER_QUEUE,
    topology: deadLetterSlice(),
    failure: { kind: "stay" },
    decode(message) {
      const failure = readFailure(message.properties.headers);
      const id = messageId(message);
      return {
        // The same message may fail again after it was sent back: that is another dead letter. One
        // that nothing tells apart is archived each time that it comes, rather than not at all.
        id: failure.id === undefined ? crypto.randomUUID() : `${id} ${failure.id}`,
        payload: { failure, messageId: id, message },
      };
    },
    handle({ failure, messageId, message }, { log }) {
      const { headers: all = {}, ...properties } = message.properties;
      const { original, headers } = takeOriginalProperties(all);
      const replayId = replayIdOf(headers) ?? null;
      log.info("Dead letter from {queue}: {reason} ({detail})", {
        queue: failure.originQueue,
        reason: failure.reason,
        detail: failureMessage(failure.message),
        message_id: messageId,
      });
      return [{
        sql: ARCHIVE_LETTER,
        params: [
          messageId,
          failure.originQueue,
          failure.reason,
          failure.message,
          retriesOfDeadLetter(headers),
          failure.failedAt ?? null,
          new Date().toISOString(),
          JSON.stringify(properties),
          headersAsJson(headers),
          new Uint8Array(message.content),
          original ? new Uint8Array(original) : null,
          replayId,
          replayId,
          messageId,
          failure.originQueue,
        ],
      }];
    },
  }),
};

if (import.meta.main) await runConsumer(deadLetterConsumer);
