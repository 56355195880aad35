/** Invented events: valid, harmless, and the same again when asked for. */
import assert from "node:assert/strict";
import { EVENT_TYPES, EVENTS } from "@ecomarket/shared/contract/catalogue";
import { formOf } from "../../publisher/publish/events/event_forms.ts";
import { usuarioCreadoForm } from "../../publisher/publish/events/usuario_creado.ts";
import { generateRows, type Invent } from "../../publisher/publish/sources/generated.ts";

async function generate(invent: Invent, count: number, seed?: number) {
  const rows = await Array.fromAsync(generateRows({ invent, count, seed }));
  assert.deepEqual(rows.map(({ line }) => line), Array.from({ length: count }, (_, i) => i + 1));
  return rows.map(({ fields }) => fields);
}

Deno.test("generateRows() yields as many users as asked for, each valid and with an address of its own", async () => {
  const rows = await generate(usuarioCreadoForm.invent!, 2_000);
  const users = rows.map((fields) =>
    EVENTS.UsuarioCreado.create(fields as { user_id: string; nombre: string; email: string })
  );
  assert.equal(new Set(users.map(({ email }) => email)).size, 2_000);
  assert.equal(new Set(users.map(({ user_id }) => user_id)).size, 2_000);
  for (const { email } of users) assert.match(email, /^[a-z.]+\.\d+@example\.com$/);
});

for (const type of EVENT_TYPES) {
  const { invent } = formOf(type);
  if (!invent) continue;
  Deno.test(`generateRows() yields valid rows of ${type}, the same for the same seed`, async () => {
    for (const fields of await generate(invent, 200)) EVENTS[type].create(fields as never);
    assert.deepEqual(await generate(invent, 50, 7), await generate(invent, 50, 7));
    assert.notDeepEqual(await generate(invent, 50, 7), await generate(invent, 50, 8));
    assert.notDeepEqual(await generate(invent, 50), await generate(invent, 50));
  });
}
