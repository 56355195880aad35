/** Text in lines that fit a terminal. */

/** `text` in lines of at most `width` characters, broken at spaces. A longer word has its own line. */
export function wrapText(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(/\s+/).filter((word) => word !== "")) {
    const line = lines.at(-1);
    if (line !== undefined && [...line].length + 1 + [...word].length <= width) {
      lines[lines.length - 1] = `${line} ${word}`;
    } else lines.push(word);
  }
  return lines;
}
