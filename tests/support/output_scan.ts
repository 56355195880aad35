/** All that a run of processes says, looked through for what must never be in it. */
import assert from "node:assert/strict";
import type { TextLine } from "@ecomarket/shared/process/text_lines";

/** What drives a terminal, forges a line or turns its text. */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u;
/** Findings that are kept: the first ones tell enough. */
const KEPT = 20;

/** Looks through outputs as they come, and keeps only what is wrong with them. */
export class OutputScan {
  readonly #secrets: readonly string[];
  readonly #findings: string[] = [];
  /** Lines that were looked through, by where they come from. */
  readonly lines = new Map<string, number>();

  constructor(secrets: readonly string[]) {
    this.#secrets = secrets;
  }

  /** Looks through one line of the output of `source`. */
  line(source: string, { text, problem }: Pick<TextLine, "text" | "problem">): void {
    this.lines.set(source, (this.lines.get(source) ?? 0) + 1);
    if (problem !== undefined) this.#find(source, `a line ${problem}`);
    if (UNPRINTABLE.test(text)) this.#find(source, `a control character: ${JSON.stringify(text)}`);
    if (this.#secrets.some((secret) => text.includes(secret))) {
      this.#find(source, `a secret: ${text}`);
    }
  }

  /** Looks through `text`, whose lines end with LF or CRLF. */
  text(source: string, text: string): void {
    for (const line of text.split(/\r?\n/)) this.line(source, { text: line });
  }

  /** Fails where anything was found. */
  assertClean(): void {
    assert.deepEqual(this.#findings, []);
  }

  #find(source: string, what: string): void {
    if (this.#findings.length < KEPT) this.#findings.push(`${source}: ${what.slice(0, 500)}`);
  }
}
