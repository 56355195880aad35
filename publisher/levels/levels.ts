/** The three levels of the workshop by name, for whoever lets a person choose one. */
import { PersistentPublisher } from "./persistent_publisher.ts";
import type { Publisher } from "./publisher.ts";
import { RobustPublisher, type RobustPublisherOptions } from "./robust_publisher.ts";
import { SimplePublisher } from "./simple_publisher.ts";

/** The levels, lowest first. */
export const LEVELS = ["simple", "persistent", "robust"] as const;
/** One of {@link LEVELS}. */
export type Level = typeof LEVELS[number];

/**
 * A connected publisher of `level`. The lower two take nothing of `options` but the URLs.
 *
 * @throws {BrokerUnreachableError} when no broker answers; {AccessRefusedError} when it refuses.
 */
export async function connectPublisher(
  level: Level,
  options: RobustPublisherOptions,
): Promise<Publisher> {
  switch (level) {
    case "simple":
      return await SimplePublisher.connect(options.urls);
    case "persistent":
      return await PersistentPublisher.connect(options.urls);
    case "robust":
      return await RobustPublisher.connect(options);
  }
}
