/** The marked parts of a document that a command writes: `<!-- figures: name -->` … `<!-- /figures -->`. */
import { DocumentError } from "./document_error.ts";

const SECTION = /^<!-- figures: (\S+) -->$\n[\s\S]*?^<!-- \/figures -->$/gm;
const MARKER = /^<!-- \/?figures\b.*$/gm;

/**
 * `markdown` with each marked part holding what `bodies` has under its name; everything else stays.
 * The formatter is told to leave these parts alone.
 *
 * @throws {DocumentError} A marker is without its other half, or `bodies` has nothing of its name.
 */
export function fillSections(
  markdown: string,
  bodies: Readonly<Record<string, string>>,
): string {
  const markers = markdown.match(MARKER)?.length ?? 0;
  if (markers !== 2 * sectionNames(markdown).length) {
    throw new DocumentError(
      "A part with figures does not end, or begins twice: write each as " +
        "<!-- figures: name --> and <!-- /figures -->, on lines of their own",
    );
  }
  return markdown.replace(SECTION, (_, name: string) => {
    const body = bodies[name];
    if (body === undefined) {
      throw new DocumentError(
        `There are no figures called "${name}": one of ${Object.keys(bodies).join(", ")}`,
      );
    }
    return [
      `<!-- figures: ${name} -->`,
      "<!-- deno-fmt-ignore-start -->",
      `\n${body}\n`,
      "<!-- deno-fmt-ignore-end -->",
      "<!-- /figures -->",
    ].join("\n");
  });
}

/** The names of the marked parts, in their order. */
export function sectionNames(markdown: string): string[] {
  return [...markdown.matchAll(SECTION)].map(([, name]) => name!);
}
