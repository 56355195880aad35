/** SQL text as PostgreSQL reads it. */

/** What a `?` is no parameter in: strings, quoted names, `$$` strings and comments. */
const OPAQUE = /'(?:[^']|'')*'|"(?:[^"]|"")*"|\$\$[\s\S]*?\$\$|--[^\n]*|\/\*[\s\S]*?\*\/|\?/g;

/** `sql`, whose parameters are `?`, with `$1`, `$2` and so on in their place. */
export function withNumberedParameters(sql: string): string {
  let n = 0;
  return sql.replace(OPAQUE, (text) => text === "?" ? `$${++n}` : text);
}

/** `name` as the name of a schema, a table or a column, whatever it is. */
export function quoteName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** `text` as a string constant. */
export function quoteText(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
