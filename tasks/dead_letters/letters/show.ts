/** `dead-letters show ID`: all that is known of one dead letter. */
import { Buffer } from "node:buffer";
import { UsageError } from "@ecomarket/shared/base/errors";
import { parseArguments } from "@ecomarket/shared/process/args";
import { dataDir } from "@ecomarket/shared/process/config";
import { print } from "@ecomarket/shared/process/main";
import { wrapText } from "@ecomarket/shared/process/wrap_text";
import { Archive, ArchiveError } from "../archive/archive.ts";
import { LocalInboxes } from "../archive/inboxes.ts";
import type { FullLetter } from "../archive/letters.ts";
import { contractProblem, eventIdOf } from "../replay/message.ts";
import { bodyLines, MAX_BODY_CHARACTERS, textOf } from "./body_text.ts";
import { groupId } from "./group.ts";
import { historyOf } from "./history.ts";
import { printable, printableJson, shortened } from "@ecomarket/shared/process/printable";
import { parseId } from "./selection.ts";

/** Characters of a header's value that are shown, where not all is asked for. */
const MAX_VALUE = 200;

/** Shows the dead letter that `args` name. */
export function show(args: readonly string[]): void {
  const { values, positionals: [word] } = parseArguments(
    args,
    { full: { type: "boolean" }, json: { type: "boolean" } },
    1,
  );
  if (word === undefined) throw new UsageError("Say which dead letter to show: its number");
  const id = parseId(word);
  using archive = Archive.open();
  using inboxes = new LocalInboxes(dataDir(""));
  const letter = archive.letters.find(id);
  if (!letter) throw new ArchiveError(`There is no dead letter ${id} in ${archive.directory}`);
  const history = historyOf(letter, archive, inboxes);
  if (values.json) print(printableJson(asJson(letter, history)));
  else letterLines(letter, history, values.full ?? false).forEach(print);
}

function asJson(letter: FullLetter, history: readonly string[]) {
  const { body, originalProperties, properties, headers, ...facts } = letter;
  const text = textOf(body);
  const original = originalProperties && Buffer.from(originalProperties).toString();
  return {
    ...facts,
    group: groupId(letter),
    eventId: eventIdOf(letter),
    problem: letter.discardedIn === undefined ? contractProblem(letter) : undefined,
    properties: JSON.parse(properties),
    headers: JSON.parse(headers),
    originalProperties: original,
    ...(text === undefined ? { bodyBase64: body.toBase64() } : { body: text }),
    history,
  };
}

function letterLines(letter: FullLetter, history: readonly string[], isFull: boolean): string[] {
  const width = isFull ? Infinity : MAX_VALUE;
  const field = (name: string, value: string) => wrapped(`${name.padEnd(10)} `, value, width);
  const head = [
    `Dead letter ${letter.id}`,
    ...field("origin", letter.originQueue),
    ...field("reason", letter.reason),
  ];
  const past = history.flatMap((line) => wrapped("- ", line, isFull ? Infinity : 1_000));
  if (letter.discardedIn !== undefined) {
    return [...head, ...field("message", letter.messageId), "", "History", ...past];
  }
  return [
    ...head,
    ...field("error", letter.failureMessage),
    ...field("today", contractProblem(letter) ?? "the contract accepts it as it is"),
    ...field("event", eventIdOf(letter)),
    ...field("group", groupId(letter)),
    "",
    "History",
    ...past,
    "",
    "Properties",
    ...memberLines(letter.properties, width),
    "",
    "Headers",
    ...memberLines(letter.headers, width),
    "",
    `Body (${letter.body.length} bytes)`,
    ...bodyLines(letter.body, isFull ? Infinity : MAX_BODY_CHARACTERS),
  ];
}

function wrapped(head: string, text: string, maxCharacters: number): string[] {
  const [first = "", ...others] = wrapText(shortened(text, maxCharacters), 78 - head.length);
  return [`${head}${first}`, ...others.map((line) => `${" ".repeat(head.length)}${line}`)];
}

/** The members of a JSON object, one a line. */
function memberLines(json: string, maxCharacters: number): string[] {
  return Object.entries(JSON.parse(json)).map(([name, value]) => {
    const text = typeof value === "string" ? value : JSON.stringify(value);
    return `${printable(name)}: ${shortened(text, maxCharacters)}`;
  });
}
