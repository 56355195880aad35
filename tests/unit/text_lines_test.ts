/** readLines(): numbered lines, whatever the pieces in which their bytes arrive. */
import assert from "node:assert/strict";
import { MAX_LINE_BYTES, readLines, type TextLine } from "@ecomarket/shared/process/text_lines";

async function linesOf(text: string, chunkBytes: number): Promise<TextLine[]> {
  const bytes = new TextEncoder().encode(text);
  async function* chunks() {
    for (let at = 0; at < bytes.length; at += chunkBytes) {
      yield await Promise.resolve(bytes.slice(at, at + chunkBytes));
    }
  }
  return (await Array.fromAsync(readLines(chunks()))).flat();
}

for (const chunkBytes of [1, 3, 1_000]) {
  Deno.test(`readLines() drops line breaks and the byte order mark, ${chunkBytes} bytes at a time`, async () => {
    assert.deepEqual(await linesOf("\uFEFFÑandú\r\n\r\n🌱\nlast\rone", chunkBytes), [
      { line: 1, text: "Ñandú" },
      { line: 2, text: "" },
      { line: 3, text: "🌱" },
      { line: 4, text: "last\rone" },
    ]);
  });
}

for (const chunkBytes of [50_000, MAX_LINE_BYTES, 2 * MAX_LINE_BYTES]) {
  Deno.test(`readLines() keeps no line over the limit, ${chunkBytes} bytes at a time`, async () => {
    const atLimit = "x".repeat(MAX_LINE_BYTES);
    const problem = `is longer than ${MAX_LINE_BYTES} bytes`;
    assert.deepEqual(
      await linesOf(`${atLimit}\n${atLimit}x\n${atLimit}${atLimit}\nEva`, chunkBytes),
      [
        { line: 1, text: atLimit },
        { line: 2, text: "", problem },
        { line: 3, text: "", problem },
        { line: 4, text: "Eva" },
      ],
    );
  });
}
