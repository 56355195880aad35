/** Ours: what the whole project publishes with. */
import { RobustPublisher } from "@ecomarket/publisher/levels/robust_publisher";
import { roleLogger } from "@ecomarket/shared/process/log";
import type { Sender, SenderOptions } from "./sender.ts";

/** `RobustPublisher` as it is. */
export async function openRobust({ amqpUrl, window }: SenderOptions): Promise<Sender> {
  const publisher = await RobustPublisher.connect({
    urls: [amqpUrl],
    log: roleLogger("bench"),
    window,
  });
  return {
    async send(event) {
      const outcome = await publisher.publish(event);
      if (outcome.status === "confirmed") return;
      throw new Error("error" in outcome ? outcome.error.message : outcome.status);
    },
    [Symbol.asyncDispose]: () => publisher.close(),
  };
}
