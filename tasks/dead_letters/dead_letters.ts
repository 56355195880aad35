/** `deno task dead-letters`: sees why messages died, and sends them back to the one queue that failed. */
import { UsageError } from "@ecomarket/shared/base/errors";
import { logConfig } from "@ecomarket/shared/process/config";
import { configureLog } from "@ecomarket/shared/process/log";
import { type CommandContext, print, runCommand } from "@ecomarket/shared/process/main";
import { discard } from "./discard/discard.ts";
import { groups } from "./letters/groups.ts";
import { list } from "./letters/list.ts";
import { show } from "./letters/show.ts";
import { operations } from "./operations/operations_command.ts";
import { replay } from "./replay/replay.ts";

const USAGE = `
Usage: deno task dead-letters list | groups [FILTER…] [--json]
       deno task dead-letters show ID [--full] [--json]
       deno task dead-letters replay ID… | --group G | --all [OPTION…]
       deno task dead-letters discard ID… | --group G | --older-than AGE |
                              --keep-size SIZE --reason TEXT
       deno task dead-letters operations [show ID | resume ID | abort ID]

Shows what could not be handled, by what it died of, and sends it back to the
queue of the one subscriber that failed. Nothing is deleted by that.

Filters, for all but show and operations:
  --group G           one group; its id is from: groups
  --subscriber NAME   email, loyalty, analytics, or a queue
  --reason-code CODE  such as invalid-message or retries-exhausted
  --older-than AGE    archived longer ago than 90d, 2h, 30m or 45s
  --newer-than AGE    archived since then
  --replayed          those as well that were sent back already

replay:
  --limit N           N of them first (a canary); the others wait in the same
                      operation, until: operations resume ID [--limit N]
  --rate R            at most R messages per second
  --dry-run           show what would be sent; send and record nothing
  --patch JSON        merge this into each body, such as '{"email":"a@b.mx"}'
                      (null takes a field away); the archived one stays
  --new-id            send it as a new event, also where it was done already
  --poison            those as well that killed their consumer (delivery_limit)
  --again             those as well that were sent back before
  --all, --yes        all dead letters, without being asked
  --reason TEXT       why, for the record (discard demands it)
  --no-wait           do not wait for what becomes of them (up to 15 s)

discard keeps a tombstone: when, who, why, the ids; body and headers are gone.
  --yes               all that is meant, without being asked (ids are not asked
                      about)
  --keep-size SIZE    the oldest, until the others have SIZE (500MB) together
  --dry-run           say how many
list --limit N shows the newest N (50). Each takes --json. -h, --help: this.

Exit codes: 0 done; 1 some were refused or failed again; 2 the command line
cannot be used, or it was not confirmed; 130 interrupted.
`;

async function deadLetters({ args, signal }: CommandContext): Promise<number | void> {
  const [verb, ...others] = args;
  if (args.some((word) => word === "--help" || word === "-h")) return print(USAGE.trim());
  await configureLog(logConfig());
  switch (verb) {
    case "list":
      return list(others);
    case "groups":
      return groups(others);
    case "show":
      return show(others);
    case "replay":
      return await replay(others, signal);
    case "discard":
      return await discard(others, signal);
    case "operations":
      return await operations(others, signal);
    default:
      throw new UsageError(
        verb === undefined ? "Say what to do with dead letters" : `Unknown command: ${verb}`,
      );
  }
}

if (import.meta.main) await runCommand(USAGE, deadLetters);
