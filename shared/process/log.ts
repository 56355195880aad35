/**
 * Structured logs (LogTape) on the standard error, so that a command's result on the standard
 * output stays clean. To go to another logger, change this file alone.
 */
import {
  configure,
  dispose,
  type FormattedValues,
  getAnsiColorFormatter,
  getJsonLinesFormatter,
  getLogger,
  getTextFormatter,
  type LogLevel,
  type LogRecord,
  type TextFormatter,
} from "@logtape/logtape";
import { EMAIL_ADDRESS_PATTERN, redactByPattern } from "@logtape/redaction";
import { GatheredOutput } from "./gathered_output.ts";
import { printable } from "./printable.ts";

/** Writes structured records. What stands in braces in a message is taken from `properties`. */
export interface Logger {
  /** For whoever looks for a fault. */
  debug(message: string, properties?: Readonly<Record<string, unknown>>): void;
  /** What happens. */
  info(message: string, properties?: Readonly<Record<string, unknown>>): void;
  /** What goes wrong and is mended here. */
  warning(message: string, properties?: Readonly<Record<string, unknown>>): void;
  /** What goes wrong for good. */
  error(message: string, properties?: Readonly<Record<string, unknown>>): void;
  /** This logger, with `properties` in each record. */
  with(properties: Readonly<Record<string, unknown>>): Logger;
}

/** How a role logs. Parsed from the environment by `logConfig()`. */
export interface LogOptions {
  /** `pretty` for a person, `json` (one object a line) for a collector. */
  readonly format: "pretty" | "json";
  readonly level: LogLevel;
  /** Whether email addresses are replaced before a record is written. */
  readonly redactEmails: boolean;
}

/**
 * Sends every record at or above `options.level` to the standard error. Call it once, in `main`.
 *
 * Passwords never reach a record: URLs are logged through `redactUrl()` only. Each record is one line
 * that drives no terminal, whatever text from outside is in it.
 */
export async function configureLog(options: LogOptions): Promise<void> {
  const plain = formatter(options.format);
  const format = options.redactEmails ? redactByPattern(plain, [EMAIL]) : plain;
  await configure({
    reset: true,
    sinks: {
      stderr: (record) => output.write(format(short(record)), isUrgent(record.level)),
    },
    loggers: [
      { category: "ecomarket", lowestLevel: options.level, sinks: ["stderr"] },
      { category: ["logtape", "meta"], lowestLevel: "warning", sinks: ["stderr"] },
    ],
  });
}

const output = new GatheredOutput(Deno.stderr);

/** What somebody may have to act on is written at once, whatever ends the process then. */
function isUrgent(level: LogLevel): boolean {
  return level === "warning" || level === "error" || level === "fatal";
}

const EMAIL = { ...EMAIL_ADDRESS_PATTERN, replacement: "[email]" };

function formatter(format: LogOptions["format"]): TextFormatter {
  if (format === "json") {
    const lines = getJsonLinesFormatter({ properties: "flatten" });
    // n.b. JSON escapes the control characters of ASCII alone; escaped, it is the same JSON.
    return (record) => `${printable(lines(record).trimEnd())}\n`;
  }
  const pretty = {
    timestamp: "time",
    level: "FULL",
    category: (category: readonly string[]) => category.slice(1).join("/"),
    value: "bare",
    format: ({ timestamp, level, category, message }: FormattedValues) =>
      `${timestamp} ${level.padEnd(7)} ${category.padEnd(11)} ${message}`,
  } as const;
  const isColourful = !Deno.noColor && Deno.stderr.isTerminal();
  return harmless(isColourful ? getAnsiColorFormatter(pretty) : getTextFormatter(pretty));
}

/** Characters of one text in a record: a hostile message has room for 100,000. */
const MAX_TEXT = 2_000;

/** `record`, each of its texts short. */
function short(record: LogRecord): LogRecord {
  return {
    ...record,
    message: record.message.map(shortValue),
    properties: Object.fromEntries(
      Object.entries(record.properties).map(([name, value]) => [name, shortValue(value)]),
    ),
  };
}

function shortValue(value: unknown): unknown {
  return typeof value === "string" && value.length > MAX_TEXT
    ? `${value.slice(0, MAX_TEXT - 1)}…`
    : value;
}

/** `format` of records whose values are in one line that a terminal may show. n.b. colours come later. */
function harmless(format: TextFormatter): TextFormatter {
  const harmlessValue = (value: unknown) => {
    if (typeof value === "object") return printable(Deno.inspect(value, { colors: false }));
    return typeof value === "string" ? printable(value) : value;
  };
  return (record) => format({ ...record, message: record.message.map(harmlessValue) });
}

/** The logger of one role, for instance `roleLogger("email")`. */
export function roleLogger(...role: readonly string[]): Logger {
  return getLogger(["ecomarket", ...role]);
}

/** Writes at once what was logged so far: before something else goes to the standard error. */
export function writeLog(): void {
  output.flush();
}

/** Waits until every record is written. */
export async function flushLog(): Promise<void> {
  await dispose();
  writeLog();
}
