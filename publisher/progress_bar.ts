/** The progress bar of a long import, with lines of text scrolling by above it. */
import process from "node:process";
// @ts-types="@types/cli-progress"
import cliProgress from "cli-progress";

/** A bar at the bottom of the terminal that the standard error is. */
export class ProgressBar {
  readonly #bars: cliProgress.MultiBar;
  readonly #bar: cliProgress.SingleBar;

  /** Shows an empty bar that is full at `size`. */
  constructor(size: number) {
    this.#bars = new cliProgress.MultiBar({
      format:
        "[{bar}] {percentage}% {published} published, {rejected} rejected, {eta_formatted} left",
      barsize: 24,
      // The time left is judged by the last ten seconds, not by the last ten events.
      etaAsynchronousUpdate: true,
      etaBuffer: 100,
      stream: process.stderr,
      clearOnComplete: true,
      hideCursor: true,
      linewrap: true, // Or the terminal cuts long lines of text, not the bar alone.
      gracefulExit: false, // Signals are the command's own business.
    }, cliProgress.Presets.shades_classic);
    this.#bar = this.#bars.create(size, 0, { published: 0, rejected: 0 });
  }

  /** Shows that `position` is reached. Cheap: it is drawn ten times a second. */
  update(position: number, counts: { published: number; rejected: number }): void {
    this.#bar.update(position, counts);
  }

  /** Prints one line above the bar. */
  print(line: string): void {
    this.#bars.log(`${line}\n`);
  }

  /** Removes the bar. What was printed above it stays. */
  stop(): void {
    this.#bars.stop();
  }
}
