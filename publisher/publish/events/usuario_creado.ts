/** How a user is given to `deno task publish`. */
import { type EventForm, idOf } from "./event_form.ts";

/**
 * In a row, `name` is understood for `nombre`, and `id` for `user_id`, also as a number. A user
 * without an id gets a random one. Invented users have addresses below example.com, where no mail
 * arrives.
 */
export const usuarioCreadoForm: EventForm = {
  noun: "user",
  idField: "user_id",
  flags: {
    nombre: { field: "nombre", isRequired: true },
    email: { field: "email", isRequired: true },
    "user-id": { field: "user_id" },
  },
  usage: {
    calls: "--nombre NAME --email ADDRESS [--user-id ID]",
    options: `
  --nombre NAME      the user's name
  --email ADDRESS    the user's email address
  --user-id ID       the user's id (default: a random UUID)
  CSV columns        nombre, email, and maybe user_id`,
  },
  columns: [["nombre", "name"], ["email"]],
  toFields: ({ nombre, name, email, user_id, id }) => ({
    user_id: idOf(user_id ?? id) ?? crypto.randomUUID(),
    nombre: nombre ?? name,
    email,
  }),
  invent: (faker, n) => {
    const firstName = faker.person.firstName();
    const lastName = faker.person.lastName();
    return {
      nombre: `${firstName} ${lastName}`,
      email: `${asciiWords(firstName)}.${asciiWords(lastName)}.${n}@example.com`,
      user_id: faker.string.uuid(),
    };
  },
};

/** `José Ángel` as `jose.angel`. */
function asciiWords(name: string): string {
  return name.normalize("NFD").toLowerCase().replaceAll(/[^a-z ]/g, "").replaceAll(/ +/g, ".");
}
