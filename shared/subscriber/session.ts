/** The link on which a delivery came, and on which alone it can be settled. */
import type { PublishChannel } from "../broker/publish_channel.ts";
import type { GroupedAcks } from "./grouped_acks.ts";

/** What a delivery is settled with. When it ends, whatever is not settled comes again. */
export interface Session {
  /** How deliveries of the channel that it came from are settled. */
  readonly acks: Pick<GroupedAcks, "ack" | "nack" | "reject">;
  /** Where it leaves by when it goes on elsewhere. */
  readonly publishChannel: PublishChannel;
  /** Aborts when the session has ended. */
  readonly signal: AbortSignal;
  /** Ends it: the link is replaced, and what is not settled comes again. */
  giveUp(reason: Error): void;
}
