/**
 * A guide in Markdown, read as what its reader does and sees. Its fenced blocks are:
 *
 * - `sh`: commands, one a line, each run to its end; `sh exit=N`: each ends with N.
 * - `sh terminal=NAME`: one command that goes on running in a terminal of that name.
 * - `keys terminal=NAME`: `Ctrl+C` in that terminal.
 * - `text`: what the block before it has printed; `text terminal=NAME`: what a terminal prints
 *   next. `…` stands for any text, on a line of its own for any lines.
 * - `ts file=PATH`: a file that the reader writes.
 * - `mermaid`: a picture.
 *
 * What names no terminal is in terminal 1. A reader does not see these words: above a block that is
 * in another terminal than the one before it stands `Terminal NAME:`.
 */

/** One thing that the reader of a guide does, or sees. `line` is where it stands. */
export type Step =
  | { readonly kind: "run"; readonly line: number; readonly command: string; readonly exit: number }
  | {
    readonly kind: "open";
    readonly line: number;
    readonly terminal: string;
    readonly command: string;
  }
  | { readonly kind: "interrupt"; readonly line: number; readonly terminal: string }
  | {
    readonly kind: "write";
    readonly line: number;
    readonly path: string;
    readonly content: string;
  }
  /** Of the commands of the block before it, where no terminal is named. */
  | {
    readonly kind: "see";
    readonly line: number;
    readonly terminal?: string;
    readonly text: string;
  };

/** A guide, read. */
export interface Guide {
  readonly steps: readonly Step[];
  /** The code in its running text. */
  readonly inlineCode: readonly string[];
}

interface Block {
  readonly line: number;
  readonly language: string;
  readonly attributes: ReadonlyMap<string, string>;
  readonly body: string;
  /** The last line of text above it. */
  readonly above: string;
}

const FENCE = /^```(.*)$/;

/** @throws {Error} that names the line of a block that is of no kind that is known. */
export function parseGuide(markdown: string): Guide {
  const { blocks, prose } = split(markdown);
  const steps: Step[] = [];
  let lastTerminal: string | undefined;
  let shown = "1";
  for (const block of blocks) {
    const terminal = terminalOf(block, lastTerminal);
    if (terminal !== undefined && terminal !== shown) {
      if (block.above !== `Terminal ${terminal}:`) {
        throw new Error(`Above the block of line ${block.line} must stand "Terminal ${terminal}:"`);
      }
      shown = terminal;
    }
    steps.push(...stepsOf(block, lastTerminal));
    if (block.language === "sh") lastTerminal = block.attributes.get("terminal");
  }
  const inlineCode = [...prose.matchAll(/`([^`]+)`/g)].map(([, code]) => code!);
  return { steps, inlineCode };
}

/** Where the reader does or sees what is in `block`; `undefined` where that is in no terminal. */
function terminalOf({ language, attributes }: Block, lastTerminal?: string): string | undefined {
  if (!["sh", "text", "keys"].includes(language)) return undefined;
  return attributes.get("terminal") ?? (language === "text" ? lastTerminal : undefined) ?? "1";
}

/** What both guides must have alike: everything but where it stands. */
export function withoutLines(steps: readonly Step[]): unknown[] {
  return steps.map(({ line: _, ...step }) => step);
}

function split(markdown: string): { blocks: Block[]; prose: string } {
  const blocks: Block[] = [];
  const prose: string[] = [];
  let open: { line: number; info: string; body: string[]; above: string } | undefined;
  for (const [index, text] of markdown.split("\n").entries()) {
    const info = FENCE.exec(text)?.[1];
    if (open && info !== "") open.body.push(text);
    else if (open) {
      const [language = "", ...words] = open.info.split(/\s+/);
      const attributes = new Map(words.map((word) => word.split("=", 2) as [string, string]));
      const body = open.body.join("\n");
      blocks.push({ line: open.line, language, attributes, body, above: open.above });
      open = undefined;
    } else if (info !== undefined) {
      const above = prose.findLast((line) => line.trim() !== "") ?? "";
      open = { line: index + 1, info, body: [], above };
    } else prose.push(text);
  }
  if (open) throw new Error(`The block of line ${open.line} has no end`);
  return { blocks, prose: prose.join("\n") };
}

function stepsOf({ line, language, attributes, body }: Block, lastTerminal?: string): Step[] {
  const terminal = attributes.get("terminal");
  const path = attributes.get("file");
  switch (language) {
    case "sh": {
      const commands = body.replaceAll("\\\n", " ").split("\n").filter((it) => it.trim() !== "");
      if (terminal === undefined) {
        const exit = Number(attributes.get("exit") ?? 0);
        return commands.map((command) => ({ kind: "run", line, command, exit }));
      }
      if (commands.length === 1) return [{ kind: "open", line, terminal, command: commands[0]! }];
      throw new Error(`The block of line ${line} must hold one command: it goes on running`);
    }
    case "text": {
      const where = terminal ?? lastTerminal;
      return [{
        kind: "see",
        line,
        text: body,
        ...(where === undefined ? {} : { terminal: where }),
      }];
    }
    case "keys":
      if (terminal !== undefined && body.trim() === "Ctrl+C") {
        return [{ kind: "interrupt", line, terminal }];
      }
      break;
    case "ts":
      if (path !== undefined) return [{ kind: "write", line, path, content: `${body}\n` }];
      break;
    case "mermaid":
      return [];
  }
  throw new Error(`The block of line ${line} ("${language}") is of no kind that can be executed`);
}

/**
 * Where `expected` ends in `output`, or `undefined` where it is not. Both are compared line by line,
 * without regard to blank lines and to how much white space there is.
 */
export function findText(output: string, expected: string): number | undefined {
  const wanted = expected.split("\n").map(squeezed).filter((line) => line !== "");
  // n.b. each element keeps where its line ends, for the next search to begin there.
  const lines: { text: string; end: number }[] = [];
  for (const match of output.matchAll(/[^\n]*\n/g)) {
    const text = squeezed(match[0]);
    if (text !== "" && !text.startsWith("Task ")) {
      lines.push({ text, end: match.index + match[0].length });
    }
  }
  const pattern = wanted.map((line) =>
    line === "…" ? "(?:.*\n)*?" : `${line.split("…").map(escaped).join(".*")}\n`
  ).join("");
  const text = lines.map((line) => `${line.text}\n`).join("");
  const match = new RegExp(`^${pattern}`, "m").exec(text);
  if (!match) return undefined;
  const count = text.slice(0, match.index + match[0].length).split("\n").length - 1;
  return count === 0 ? 0 : lines[count - 1]!.end;
}

function squeezed(line: string): string {
  return line.trim().replaceAll(/\s+/g, " ");
}

function escaped(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&");
}
