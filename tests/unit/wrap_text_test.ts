import assert from "node:assert/strict";
import { wrapText } from "@ecomarket/shared/process/wrap_text";

Deno.test("wrapText() breaks at spaces, and leaves a word that is too long whole", () => {
  assert.deepEqual(wrapText("uno dos  tres\ncuatro", 8), ["uno dos", "tres", "cuatro"]);
  assert.deepEqual(wrapText("a indivisible b", 5), ["a", "indivisible", "b"]);
  assert.deepEqual(wrapText("", 5), []);
});
