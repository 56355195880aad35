/** Many waiting times, and the percentiles of them. */
import { build, type Histogram } from "hdr-histogram-js";

/** Milliseconds within which half, 95 % and 99 % were answered. */
export interface Percentiles {
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
}

const MAX_US = 3_600_000_000;

/** An HDR histogram of milliseconds, exact to three digits from a microsecond to an hour. */
export class Latencies {
  readonly #histogram: Histogram = build({
    lowestDiscernibleValue: 1,
    highestTrackableValue: MAX_US,
    numberOfSignificantValueDigits: 3,
    useWebAssembly: false,
  });

  /** The histogram of `milliseconds`. */
  static of(milliseconds: Iterable<number>): Latencies {
    const latencies = new Latencies();
    for (const ms of milliseconds) latencies.record(ms);
    return latencies;
  }

  record(ms: number): void {
    this.#histogram.recordValue(Math.min(Math.max(1, Math.round(ms * 1000)), MAX_US));
  }

  /** @throws {Error} when nothing was recorded: no percentile of nothing is a number. */
  get percentiles(): Percentiles {
    return { p50: this.at(50), p95: this.at(95), p99: this.at(99) };
  }

  /** Milliseconds within which `percentile` percent were answered. @throws {Error} as {@link percentiles}. */
  at(percentile: number): number {
    if (this.#histogram.totalCount === 0) throw new Error("No latency was recorded");
    return Number((this.#histogram.getValueAtPercentile(percentile) / 1000).toFixed(2));
  }
}
