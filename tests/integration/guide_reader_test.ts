/** The reader of guides: it must not be content with less than the guide shows. */
import assert from "node:assert/strict";
import { parseGuide } from "../support/guide.ts";
import { GuideReader } from "../support/guide_reader.ts";
import { temporaryFolder } from "../support/temporary_folder.ts";

/** Follows a guide of these blocks, each the info string and the body. */
async function follow(...blocks: readonly (readonly [string, string])[]): Promise<string[]> {
  await using folder = await temporaryFolder();
  await using reader = new GuideReader(folder.path);
  const markdown = blocks.map(([info, body]) => `\`\`\`${info}\n${body}\n\`\`\`\n`).join("");
  for (const step of parseGuide(markdown).steps) await reader.follow(step);
  return reader.busy;
}

Deno.test("follow() runs each command in its folder, and sees what both streams print", async () => {
  await follow(
    ["ts file=hola.txt", "hola"],
    ["sh", "cat hola.txt\necho fin >&2"],
    ["text", "hola\nfin"],
  );
});

Deno.test("follow() rejects when a command ends with another exit code", async () => {
  await assert.rejects(follow(["sh", "exit 3"]), /exit 3 ended with 3, not with 0/);
  await assert.rejects(follow(["sh exit=137", "true"]), /true ended with 0, not with 137/);
});

Deno.test("follow() rejects when a command prints something else", async () => {
  const blocks = [["sh", "echo 1 lost"], ["text", "0 lost"]] as const;
  await assert.rejects(follow(...blocks), /Line 4 of the guide shows\n0 lost[^]*1 lost/);
});

Deno.test("follow() does not see in a second block what the first one printed", async () => {
  await assert.rejects(follow(["sh", "echo uno"], ["sh", "echo dos"], ["text", "uno"]), /Line 7/);
});

/** Says that it is ready, and ends in order at Ctrl+C. */
const SERVER = 'trap "echo adiós; exit 0" INT; echo listo; while :; do sleep 0.1; done';

Deno.test("follow() keeps a terminal open until Ctrl+C, and waits for what it prints", async () => {
  const open = [["sh terminal=1", SERVER], ["text", "listo"]] as const;
  assert.deepEqual(await follow(...open), ["1"]);
  const closed = [["keys terminal=1", "Ctrl+C"], ["text terminal=1", "adiós"]] as const;
  assert.deepEqual(await follow(...open, ...closed), []);
  assert.deepEqual(await follow(...open, ...closed, ...open), ["1"], "it can be used again");
});

Deno.test("follow() gives commands no configuration of the test's own environment", async () => {
  Deno.env.set("FAST_RETRY", "1");
  try {
    await follow(["sh", 'echo "FAST_RETRY=<$FAST_RETRY>"'], ["text", "FAST_RETRY=<>"]);
  } finally {
    Deno.env.delete("FAST_RETRY");
  }
});
