/** Invented users: valid, harmless, and the same again when asked for. */
import assert from "node:assert/strict";
import { userIdSchema } from "@ecomarket/shared/contract/fields";
import { newUserSchema } from "@ecomarket/shared/contract/usuario_creado";
import { generateUsers } from "../../publisher/publish/sources/generated.ts";

async function generate(count: number, seed?: number) {
  const rows = await Array.fromAsync(generateUsers(count, seed));
  return rows.map((row) => {
    assert.ok("user" in row);
    return row.user;
  });
}

Deno.test("generateUsers() yields as many users as asked for, each valid and with an address of its own", async () => {
  const users = await generate(2_000);
  assert.equal(users.length, 2_000);
  assert.equal(new Set(users.map(({ email }) => email)).size, 2_000);
  assert.equal(new Set(users.map(({ user_id }) => user_id)).size, 2_000);
  for (const user of users) {
    assert.deepEqual(newUserSchema.parse(user), { nombre: user.nombre, email: user.email });
    userIdSchema.parse(user.user_id);
    assert.match(user.email, /^[a-z.]+\.\d+@example\.com$/);
  }
});

Deno.test("generateUsers() yields the same users for the same seed, and others for another", async () => {
  assert.deepEqual(await generate(50, 7), await generate(50, 7));
  assert.notDeepEqual(await generate(50, 7), await generate(50, 8));
  assert.notDeepEqual(await generate(50), await generate(50));
});
