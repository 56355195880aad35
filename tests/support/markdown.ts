/** What a document says that can be checked: its links, its headings, the files and tests it names. */

/** A document without its blocks of code, and without its quoted lines of code where `inline` is false. */
function prose(markdown: string, { inline }: { inline: boolean }): string {
  const text = markdown.replaceAll(/^```.*\n[\s\S]*?^```$/gm, "");
  return inline ? text : text.replaceAll(/`[^`\n]+`/g, "");
}

/** The targets of all links that lead to another place of the project, as they are written. */
export function relativeLinks(markdown: string): string[] {
  const links = prose(markdown, { inline: false }).matchAll(/\]\(([^()\s]+)\)/g);
  return [...links].map(([, target]) => target!).filter((target) => !/^[a-z]+:/.test(target));
}

/** The anchors of all headings, as GitHub makes them: `the-users-api` of `## The users API`. */
export function headingAnchors(markdown: string): string[] {
  const seen = new Map<string, number>();
  return [...prose(markdown, { inline: true }).matchAll(/^#{1,6} (.+)$/gm)].map(([, heading]) => {
    const anchor = heading!.replaceAll(/\]\([^)]*\)/g, "").toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\p{M}_\- ]/gu, "").replaceAll(" ", "-");
    const before = seen.get(anchor) ?? 0;
    seen.set(anchor, before + 1);
    return before === 0 ? anchor : `${anchor}-${before}`;
  });
}

/** All that stands between backquotes in the running text. */
export function inlineCode(markdown: string): string[] {
  return [...prose(markdown, { inline: true }).matchAll(/`([^`\n]+)`/g)].map(([, code]) => code!);
}

/**
 * What a document is made of, in order and without its words, so that two languages can be compared:
 * headings by their level, blocks of code by their kind, tables by their rows.
 */
export function outline(markdown: string): string[] {
  const parts: string[] = [];
  let rows = 0;
  let isCode = false;
  for (const line of [...markdown.split("\n"), ""]) {
    if (!isCode && line.startsWith("|")) rows++;
    else if (rows > 0) {
      parts.push(`table of ${rows} lines`);
      rows = 0;
    }
    if (line.startsWith("```")) {
      isCode = !isCode;
      if (isCode) parts.push(line);
    } else if (!isCode && /^#{1,6} /.test(line)) parts.push(line.replace(/ .*/, ""));
  }
  return parts;
}

/** A test that a document quotes: its title, and the file where it stands. */
export interface QuotedTest {
  /** A path, or a short name that the document does not explain. */
  readonly file: string;
  readonly title: string;
}

/**
 * The tests that a document quotes, as `tests/unit/x_test.ts`: “title”; “another title of it”. A short
 * name may stand for the path, where the document says that “`x` is `tests/unit/x_test.ts`”, or that
 * “`x` and `y` are” two files, the second of them in the folder of the first.
 */
export function quotedTests(markdown: string): QuotedTest[] {
  const shortNames = readShortNames(markdown);
  const blocks = prose(markdown, { inline: true }).split(/\n\n|\n(?=\||- )/);
  return blocks.flatMap((block) => {
    let file: string | undefined;
    const quotes = block.replaceAll(/\s+/g, " ").matchAll(/(?:`([^`]+)`[:,] )?“([^”]+)”/g);
    return [...quotes].flatMap(([, name, title]) => {
      if (name !== undefined) file = shortNames.get(name) ?? name;
      // n.b. outside of tables, quotation marks may be just that.
      if (file === undefined && !block.startsWith("|")) return [];
      return [{ file: file ?? "a file that is not named", title: title! }];
    });
  });
}

const SHORT_NAMES = /((?:`\w+`(?:, | and )?)+) (?:is|are) ((?:`[\w/]+\.ts`(?:, | and )?)+)/g;

function readShortNames(markdown: string): ReadonlyMap<string, string> {
  const names = new Map<string, string>();
  for (const [, left, right] of markdown.replaceAll(/\s+/g, " ").matchAll(SHORT_NAMES)) {
    const paths = inlineCode(right!);
    const folder = paths[0]!.replace(/[^/]+$/, "");
    inlineCode(left!).forEach((name, i) => {
      const path = paths[i] ?? "";
      names.set(name, path.includes("/") ? path : folder + path);
    });
  }
  return names;
}

/**
 * Whether `source` has a test of this title. A title that is made in a loop matches where each value
 * in it is one that the source spells out.
 */
export function hasTest(source: string, title: string): boolean {
  return [...source.matchAll(TITLE)].some(([, plain, template]) => {
    if (plain !== undefined) return JSON.parse(plain) === title;
    const parts = template!.split(/\$\{[^}]*\}/).map(RegExp.escape);
    const values = new RegExp(`^${parts.join("(.+)")}$`).exec(title)?.slice(1);
    return values?.every((value) => new RegExp(`["\\W]${RegExp.escape(value)}\\W`).test(source)) ??
      false;
  });
}

const TITLE =
  /\b(?:test|postgresTest)\(\s*(?:\{\s*name:\s*)?(?:("(?:[^"\\]|\\.)*")|`((?:[^`\\]|\\.)*)`)/g;
