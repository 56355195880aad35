/** Texts that are meant to do harm, and rows of files and requests that are made of them. */
import fc from "fast-check";

/** What drives a terminal, forges a line, turns the direction of text, or begins a formula. */
export const hostileText = fc.constantFrom(
  "\u001b[2J\u001b]0;título\u0007",
  "\u009b31mroja",
  "Juan\r\n12:00:00.000 INFO forjada",
  "\u202eadajrof\u2066",
  "\u2028\u2029\u200b\ufeff",
  "\u0000\u0008\u007f",
  '=HYPERLINK("http://example.com","Juan")',
  "+1+cmd|' /C calc'!A0",
  "'; DROP TABLE sent_emails; --",
  "../../etc/passwd",
  "{{7*7}}${7*7}",
  "juan@example.com\r\nBcc: eva@example.com",
);

/** Text with whatever JavaScript strings may hold, lone surrogates included. */
export const anyText = fc.oneof(
  fc.string({ unit: "binary", maxLength: 80 }),
  hostileText,
  fc.array(fc.integer({ min: 0xd800, max: 0xdfff }), { maxLength: 5 })
    .map((units) => String.fromCharCode(...units)),
);

const cell = fc.oneof(anyText, fc.constantFrom("juan@example.com", "Juan", "", "x".repeat(300)));
/** n.b. what comes from a file has no lone surrogate: UTF-8 cannot write one. */
const quoted = (text: string) => `"${text.toWellFormed().replaceAll('"', '""')}"`;

/** One record of a CSV with the columns `nombre`, `email` and `user_id`, on one line or several. */
export const csvRecord: fc.Arbitrary<string> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.array(cell, { minLength: 1, maxLength: 5 }).map((row) => row.map(quoted).join()),
  },
  {
    weight: 4,
    arbitrary: fc.tuple(cell, fc.uuid()).map(([name, id]) =>
      `${quoted(name)},juan@example.com,${id}`
    ),
  },
  // A quote where none belongs, and more columns than anybody counts.
  { weight: 2, arbitrary: fc.constantFrom('a"b,juan@example.com,1', 'a,b"c"d,"', 'x "y" z') },
  {
    weight: 1,
    arbitrary: fc.integer({ min: 10, max: 10_000 }).map((count) => `x${",".repeat(count)}`),
  },
);

/** One line of a JSONL file that is not blank. */
export const jsonLine: fc.Arbitrary<string> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ nombre: cell, email: cell, user_id: cell }, { requiredKeys: [] })
      .map((row) => JSON.stringify(row)),
  },
  {
    weight: 4,
    arbitrary: fc.tuple(cell, fc.uuid())
      .map(([nombre, user_id]) => JSON.stringify({ nombre, email: "juan@example.com", user_id })),
  },
  { weight: 3, arbitrary: fc.jsonValue().map((value) => JSON.stringify(value)) },
  { weight: 1, arbitrary: fc.integer({ min: 1, max: 20_000 }).map((depth) => "[".repeat(depth)) },
  {
    weight: 1,
    arbitrary: fc.integer({ min: 1, max: 5_000 }).map((depth) =>
      `${'{"a":'.repeat(depth)}1${"}".repeat(depth)}`
    ),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom('{"nombre":', "{]", "NaN", '{"__proto__":{"nombre":"x"}}', "'"),
  },
);

const path = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom("/users", "/purchases") },
  {
    weight: 2,
    arbitrary: fc.constantFrom("/healthz", "/readyz", "/metrics", "/users/../../etc/passwd"),
  },
  { weight: 1, arbitrary: fc.webPath().map((text) => text || "/") },
  {
    weight: 2,
    arbitrary: anyText.map((text) => `/users/${encodeURIComponent(text.toWellFormed())}`),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      "/%",
      "/users/%c0%ae",
      "//",
      "http://[::1",
      "*",
      `/${"x".repeat(20_000)}`,
    ),
  },
);
const method = fc.oneof(
  { weight: 6, arbitrary: fc.constant("POST") },
  { weight: 3, arbitrary: fc.constantFrom("GET", "PUT", "DELETE", "OPTIONS", "TRACE", "PATCH") },
  { weight: 1, arbitrary: fc.constantFrom("", "get", "JUNTO", "P\u0000ST", "POST\u001b[2J") },
);
/** n.b. one that breaks a line is another header: that is tried as well. */
const header = fc.oneof(
  fc.tuple(
    fc.constantFrom(
      "Content-Type",
      "Idempotency-Key",
      "Content-Encoding",
      "X-Forwarded-For",
      "Accept",
    ),
    fc.oneof(fc.constant("application/json"), anyText.map((text) => text.toWellFormed())),
  ).map(([name, value]) => `${name}: ${value}`),
  fc.constantFrom(
    "Content-Length: -1",
    "Content-Length: 5, 6",
    "Transfer-Encoding: chunked, identity",
    "sin dos puntos",
    " doblada: 1",
    `X-Larga: ${"x".repeat(20_000)}`,
    "Expect: 100-continue",
  ),
);
const requestBody = fc.oneof(
  fc.record({ nombre: cell, email: cell }, { requiredKeys: [] }).map((row) => JSON.stringify(row)),
  fc.tuple(cell, fc.nat()).map(([nombre, n]) =>
    JSON.stringify({ nombre, email: `juan${n}@example.com` })
  ),
  fc.jsonValue().map((value) => JSON.stringify(value)),
  anyText.map((text) => text.toWellFormed()),
  fc.constantFrom("[".repeat(16_000), `"${"x".repeat(20_000)}"`, '{"a":'.repeat(3_000)),
);

/** A request as it goes on the wire. It asks for its connection to be closed, if it can be read. */
export const httpRequest: fc.Arbitrary<string> = fc
  .tuple(method, path, fc.array(header, { maxLength: 4 }), requestBody, fc.boolean())
  .map(([method, path, headers, body, isJson]) =>
    [
      `${method} ${path} HTTP/1.1`,
      "Host: 127.0.0.1",
      "Connection: close",
      ...(isJson ? ["Content-Type: application/json"] : headers),
      `Content-Length: ${new TextEncoder().encode(body).length}`,
      "",
      body,
    ].join("\r\n")
  );
