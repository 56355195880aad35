/**
 * The command line, read in one way everywhere: `node:util` `parseArgs`, with its errors turned
 * into {@link UsageError}s. To go back to `@std/cli`, change this file alone.
 */
import { parseArgs, type ParseArgsConfig } from "node:util";
import { messageOf, UsageError } from "../base/errors.ts";

type Options = NonNullable<ParseArgsConfig["options"]>;
type Parsed<O extends Options> = ReturnType<
  typeof parseArgs<{ options: O & HelpOption; strict: true; allowPositionals: true }>
>;
type HelpOption = { help: { type: "boolean"; short: "h" } };

/** The values and positionals of a command line. */
export interface Arguments<O extends Options> {
  readonly values: Parsed<O>["values"];
  readonly positionals: readonly string[];
}

/**
 * Parses `args` against `options`; `--help` and `-h` are always understood (`values.help`).
 *
 * @throws {UsageError} for an unknown option, a missing value, or more than `maxPositionals` words.
 */
export function parseArguments<const O extends Options>(
  args: readonly string[],
  options: O,
  maxPositionals = 0,
): Arguments<O> {
  let parsed;
  try {
    parsed = parseArgs({
      args: withNegativeValues(args, options),
      options: { ...options, help: { type: "boolean", short: "h" } },
      strict: true,
      allowPositionals: true,
    });
  } catch (error) {
    // n.b. behind the first sentence Node tells how to write an argument that begins with a dash.
    const [problem = ""] = messageOf(error).split(". ", 1);
    throw new UsageError(problem.replace(/argument is ambiguous$/, "needs a value"));
  }
  if (parsed.positionals.length > maxPositionals) {
    throw new UsageError(`Unexpected argument: ${parsed.positionals[maxPositionals]}`);
  }
  return parsed as unknown as Arguments<O>;
}

/** n.b. Node takes `-3` behind an option for another option; none of ours is a digit. */
function withNegativeValues(args: readonly string[], options: Options): string[] {
  const end = args.includes("--") ? args.indexOf("--") : args.length;
  const takesValue = (arg = "") => arg.startsWith("--") && options[arg.slice(2)]?.type === "string";
  const joined: string[] = [];
  for (const [index, arg] of args.entries()) {
    const isValue = index < end && /^-\d/.test(arg) && takesValue(args[index - 1]);
    joined.push(isValue ? `${joined.pop()}=${arg}` : arg);
  }
  return joined;
}

/**
 * The whole number that `--name` was given, or `fallback` where it was not given.
 *
 * @throws {UsageError} when `text` is no whole number from `min` to `max`.
 */
export function wholeNumber(
  name: string,
  text: string | undefined,
  fallback: number,
  { min = 0, max = Number.MAX_SAFE_INTEGER }: { min?: number; max?: number } = {},
): number {
  if (text === undefined) return fallback;
  const value = /^\d+$/.test(text) ? Number(text) : NaN;
  if (!(value >= min && value <= max)) {
    const range = max === Number.MAX_SAFE_INTEGER ? `${min} up` : `${min} to ${max}`;
    throw new UsageError(`--${name} must be a whole number from ${range}, got "${text}"`);
  }
  return value;
}

/**
 * The number that `--name` was given, such as `0.05` or `800`, or `fallback` where it was not given.
 *
 * @throws {UsageError} when `text` is no decimal number from `min` to `max`.
 */
export function numberBetween(
  name: string,
  text: string | undefined,
  fallback: number,
  { min, max }: { min: number; max: number },
): number {
  if (text === undefined) return fallback;
  const value = /^\d+(\.\d+)?$/.test(text) ? Number(text) : NaN;
  if (!(value >= min && value <= max)) {
    throw new UsageError(`--${name} must be a number from ${min} to ${max}, got "${text}"`);
  }
  return value;
}
