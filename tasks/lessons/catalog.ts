/** The lessons, in the order of the workshop. */
import { autoAck } from "./auto_ack.ts";
import { hotLoop } from "./hot_loop.ts";
import type { Lesson } from "./lesson.ts";
import { noInbox } from "./no_inbox.ts";
import { persistentPublisher } from "./persistent_publisher.ts";
import { simplePublisher } from "./simple_publisher.ts";
import { versions } from "./versions.ts";

export const LESSONS: readonly Lesson[] = [
  simplePublisher,
  persistentPublisher,
  autoAck,
  hotLoop,
  noInbox,
  versions,
];
