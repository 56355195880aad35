/** A role that tells how it is, and what it tells. */
import assert from "node:assert/strict";
import type { LogRecord } from "@ecomarket/testbed/processes/log_record";
import { eventually } from "./eventually.ts";

/** Listens to the log of a role, started with `HEALTH_PORT=0`, for where its health is told. */
export class HealthClient {
  #url: string | undefined;

  /** To be given every record of the role's log. */
  readonly onRecord = ({ healthUrl }: LogRecord): void => {
    this.#url ??= healthUrl;
  };

  /** Asks `path`. */
  async fetch(path: string, init?: RequestInit): Promise<Response> {
    return await fetch(`${await this.url()}${path}`, init);
  }

  /** Where it is, once the role has said so. */
  url(): Promise<string> {
    return eventually(() => this.#url ?? assert.fail("the role has not told where its health is"));
  }

  /** What `/readyz` says, with its status; without the time, which differs. */
  async readiness(): Promise<Record<string, unknown>> {
    const response = await this.fetch("/readyz");
    const { since: _since, ...body } = await response.json();
    return { code: response.status, ...body };
  }

  /** The value of each series, by its name and its labels but for the subscriber's. */
  async metrics(): Promise<Readonly<Record<string, number>>> {
    const response = await this.fetch("/metrics");
    assert.equal(response.status, 200);
    assert.match(response.headers.get("Content-Type")!, /^text\/plain; version=0\.0\.4/);
    return parseMetrics(await response.text());
  }
}

/** The series of a text in Prometheus' format. */
export function parseMetrics(text: string): Readonly<Record<string, number>> {
  const lines = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return Object.fromEntries(lines.map((line) => {
    const at = line.lastIndexOf(" ");
    const series = line.slice(0, at).replace(/,?subscriber="[^"]*"/, "").replace("{}", "");
    return [series, Number(line.slice(at + 1))];
  }));
}
