/** Users that never existed, for demonstrations and load. */
import type { UserRow, UserSource } from "./user_row.ts";

/** {@link generateUsers}, as a source. */
export function generatedUsers(count: number, seed?: number): UserSource {
  let position = 0;
  async function* rows() {
    for await (const row of generateUsers(count, seed)) {
      position = row.line;
      yield row;
    }
  }
  return {
    rows: rows(),
    place: (line) => `user ${line}`,
    extent: { size: count, position: () => position, rows: count },
  };
}

/**
 * Yields `count` users with Mexican names and addresses below example.com, where no mail arrives.
 * The same `seed` gives the same users, ids included; their events are new ones all the same.
 */
export async function* generateUsers(count: number, seed?: number): AsyncGenerator<UserRow> {
  // n.b. loaded here alone: the lists of names would slow the start of every other use.
  const { faker } = await import("@faker-js/faker/locale/es_MX");
  faker.seed(seed);
  for (let line = 1; line <= count; line++) {
    const firstName = faker.person.firstName();
    const lastName = faker.person.lastName();
    yield {
      line,
      user: {
        nombre: `${firstName} ${lastName}`,
        email: `${asciiWords(firstName)}.${asciiWords(lastName)}.${line}@example.com`,
        user_id: faker.string.uuid(),
      },
    };
  }
}

/** `José Ángel` as `jose.angel`. */
function asciiWords(name: string): string {
  return name.normalize("NFD").toLowerCase().replaceAll(/[^a-z ]/g, "").replaceAll(/ +/g, ".");
}
