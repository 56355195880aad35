/** What a lesson says when it does not come as far as its table. */
import { EcoMarketError } from "@ecomarket/shared/base/errors";

/** How long a lesson waits for one thing. */
export const WAIT_TIMEOUT_MS = 60_000;

/** Something that a lesson needs to happen did not. */
export class LessonError extends EcoMarketError {
  override readonly code = "LESSON_FAILED";

  /** `what` did not come within {@link WAIT_TIMEOUT_MS}. */
  static late(what: string): LessonError {
    const seconds = WAIT_TIMEOUT_MS / 1000;
    return new LessonError(
      `The lesson waited for ${what}, and it did not come within ${seconds} s. Run it again ` +
        "when the machine has less to do; if it fails again, please open an issue",
    );
  }
}
