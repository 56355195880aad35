/** JSON from outside, and small files: both within a limit. */
import assert from "node:assert/strict";
import { join } from "node:path";
import fc from "fast-check";
import { JsonDepthError, MAX_JSON_DEPTH, parseJson } from "@ecomarket/shared/base/json";
import { MAX_SMALL_FILE_BYTES, readSmallFileSync } from "@ecomarket/shared/process/small_file";
import { readCredentials } from "@ecomarket/shared/process/credentials_file";
import { parsePatch } from "../../tasks/dead_letters/replay/patch.ts";
import { temporaryFolder } from "../support/temporary_folder.ts";

const lists = (depth: number) => "[".repeat(depth) + "]".repeat(depth);

Deno.test("parseJson() takes what is nested as deep as allowed, and nothing deeper", () => {
  assert.ok(parseJson(lists(MAX_JSON_DEPTH)));
  assert.throws(() => parseJson(lists(MAX_JSON_DEPTH + 1)), JsonDepthError);
  assert.throws(() => parseJson('{"a":'.repeat(100_000)), JsonDepthError);
  assert.throws(() => parseJson("[".repeat(MAX_JSON_DEPTH)), SyntaxError);
});

Deno.test("parseJson() counts no bracket in a string, and gives what JSON.parse() gives", () => {
  assert.equal(parseJson(JSON.stringify("[".repeat(1_000))), "[".repeat(1_000));
  assert.deepEqual(parseJson(JSON.stringify(['\\"[', "[".repeat(100)])), ['\\"[', "[".repeat(100)]);
  const shallow = fc.jsonValue({ maxDepth: 20 });
  fc.assert(fc.property(shallow, (value) => {
    const text = JSON.stringify(value);
    assert.deepEqual(parseJson(text), JSON.parse(text));
  }));
});

Deno.test("parsePatch() refuses what is nested too deeply, with its next step", () => {
  assert.throws(
    () => parsePatch('{"a":'.repeat(5_000) + "1" + "}".repeat(5_000)),
    /^UsageError: --patch must be a JSON object such as .*: is nested more deeply than 64/,
  );
});

Deno.test("readSmallFileSync() reads a file whole, and no more of a longer one than it takes to know", async () => {
  await using folder = await temporaryFolder();
  const path = join(folder.path, "archivo");
  const text = "ñ".repeat(MAX_SMALL_FILE_BYTES / 2);
  await Deno.writeTextFile(path, text);
  assert.equal(readSmallFileSync(path), text);
  await Deno.writeTextFile(path, "x", { append: true });
  assert.throws(() => readSmallFileSync(path), /^Error: it is longer than 1048576 bytes$/);
});

Deno.test("readCredentials() refuses a file that is too long, by its path and with its mend", async () => {
  await using folder = await temporaryFolder();
  await Deno.mkdir(join(folder.path, "credentials"));
  const path = join(folder.path, "credentials", "email.json");
  await Deno.writeTextFile(path, " ".repeat(MAX_SMALL_FILE_BYTES + 1));
  assert.throws(
    () => readCredentials("email", folder.path),
    /^ConfigError: The credentials in .*email\.json cannot be used\. Make them anew: deno task/,
  );
});
