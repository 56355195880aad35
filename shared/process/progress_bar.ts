/** The progress bar of something long, with lines of text scrolling by above it. */
import process from "node:process";
// @ts-types="@types/cli-progress"
import cliProgress from "cli-progress";
import { printableLines } from "./printable.ts";

/** A bar at the bottom of the terminal that the standard error is. */
export class ProgressBar {
  readonly #bars: cliProgress.MultiBar;
  readonly #bar: cliProgress.SingleBar;
  readonly #size: number;
  readonly #startedAt = performance.now();

  /** Shows an empty bar that is full at `size`. */
  constructor(size: number) {
    this.#size = size;
    this.#bars = new cliProgress.MultiBar({
      format: "[{bar}] {percentage}% {counts}, {left} left",
      barsize: 24,
      stream: process.stderr,
      clearOnComplete: true,
      hideCursor: true,
      linewrap: true, // Or the terminal cuts long lines of text, not the bar alone.
      gracefulExit: false, // Signals are the command's own business.
    }, cliProgress.Presets.shades_classic);
    this.#bar = this.#bars.create(size, 0, { counts: "…", left: "?" });
  }

  /** Shows that `position` is reached, and `counts` in words. Cheap: it is drawn ten times a second. */
  update(position: number, counts: string): void {
    // n.b. cli-progress judges the time left by the last ten updates: what is done comes in bursts.
    const elapsedMs = performance.now() - this.#startedAt;
    const left = position > 0 ? secondsLeft(elapsedMs, position / this.#size) : "?";
    this.#bar.update(position, { counts, left });
  }

  /** Prints one line above the bar. */
  print(line: string): void {
    this.#bars.log(`${printableLines(line).join("\n")}\n`);
  }

  /** Removes the bar. What was printed above it stays. */
  stop(): void {
    this.#bars.stop();
  }
}

function secondsLeft(elapsedMs: number, share: number): string {
  return `${Math.ceil(elapsedMs * (1 / share - 1) / 1000)} s`;
}
