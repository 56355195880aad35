/** The command line of `deno task publish`. */
import { UsageError } from "@ecomarket/shared/base/errors";
import { formatFailurePlan, parseFailurePlan } from "@ecomarket/shared/contract/simulated_failure";
import { parseArguments, wholeNumber } from "@ecomarket/shared/process/args";
import { type Level, LEVELS } from "../levels/levels.ts";

export const USAGE = `
Usage: deno task publish --nombre NAME --email ADDRESS [--user-id ID]
       deno task publish --count N [--seed N]
       deno task publish --file users.csv|users.jsonl|-

Publishes a UsuarioCreado for each user. Rows that are no valid user are
reported with their line and reason; the rest is published.

  --nombre NAME      the user's name
  --email ADDRESS    the user's email address
  --user-id ID       the user's id (default: a random UUID)
  --count N          publish N invented users, with addresses below example.com
  --seed N           invent the same users each time
  --file PATH        users from a .csv, .jsonl or .ndjson file, or - (stdin);
                     a CSV has a header row with nombre, email and maybe user_id
  --level LEVEL      simple, persistent or robust (default: robust)
  --fail NAME:TIMES  ask the subscriber NAME to fail TIMES times, "always", or to
                     die each time ("crash"); repeatable. Consumers do so with
                     SIMULATE_FAILURES=1 only
  --json             print one JSON object at the end: published, confirmed,
                     rejected (line, reason), and failed (line, status, reason)
                     if any. It lists every such row, so it holds them in memory
  -h, --help         show this text

Exit codes: 0 every user was published; 1 some were not; 2 the command line or
the file cannot be used, or the file has no user; 130 interrupted.
`;

/** Whom to announce. */
export type RowsRequest =
  | { readonly kind: "one"; readonly fields: Readonly<Record<string, unknown>> }
  | { readonly kind: "generated"; readonly count: number; readonly seed: number | undefined }
  | { readonly kind: "file"; readonly path: string };

/** What is asked of the command. */
export interface PublishRequest {
  readonly users: RowsRequest;
  readonly level: Level;
  /** As the header `x-simulate-failures` writes it. */
  readonly failures: string | undefined;
  readonly json: boolean;
}

const OPTIONS = {
  nombre: { type: "string" },
  email: { type: "string" },
  "user-id": { type: "string" },
  count: { type: "string" },
  seed: { type: "string" },
  file: { type: "string" },
  level: { type: "string" },
  fail: { type: "string", multiple: true },
  json: { type: "boolean" },
} as const;

/**
 * @returns `undefined` when help is asked for.
 * @throws {UsageError} when the options do not go together, or one has an impossible value.
 */
export function parsePublishArguments(args: readonly string[]): PublishRequest | undefined {
  const { values } = parseArguments(args, OPTIONS);
  if (values.help) return undefined;
  return {
    users: usersRequest(values),
    level: parseLevel(values.level),
    failures: values.fail && formatFailurePlan(parseFailurePlan(values.fail.join(","))),
    json: values.json ?? false,
  };
}

type Values = ReturnType<typeof parseArguments<typeof OPTIONS>>["values"];

function usersRequest(values: Values): RowsRequest {
  const { nombre, email, "user-id": user_id, count, seed, file } = values;
  const isOne = [nombre, email, user_id].some((value) => value !== undefined);
  const sources = [isOne, count !== undefined, file !== undefined].filter(Boolean).length;
  if (sources !== 1) {
    throw new UsageError("Give one of: --nombre and --email, --count, or --file");
  }
  if (seed !== undefined && count === undefined) throw new UsageError("--seed needs --count");
  if (file !== undefined) return { kind: "file", path: file };
  if (count !== undefined) {
    return {
      kind: "generated",
      count: wholeNumber("count", count, 1, { min: 1 }),
      seed: seed === undefined ? undefined : wholeNumber("seed", seed, 0, { max: 0xffff_ffff }),
    };
  }
  if (nombre === undefined) throw new UsageError("--nombre is missing");
  if (email === undefined) throw new UsageError("--email is missing");
  return { kind: "one", fields: { nombre, email, user_id } };
}

function parseLevel(text: string = "robust"): Level {
  const level = LEVELS.find((known) => known === text);
  if (!level) throw new UsageError(`--level must be one of ${LEVELS.join(", ")}, got "${text}"`);
  return level;
}
