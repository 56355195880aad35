/** What is played for the recording, in the terminal of asciinema: fixed, so that a recording can be made again. */
import { setTimeout as delay } from "node:timers/promises";
import { print, runCommand } from "@ecomarket/shared/process/main";

const USAGE = `
Usage: deno run -q -P=record tasks/record/script.ts

Plays what deno task record records: the commands, and what they print.
`;

/** What is said before the command runs. It is the first picture, and the only one for who wants no motion. */
export const CAPTION: readonly string[] = [
  "# Six users sign up. Email, loyalty and analytics hear of each, and the shop",
  "# knows none of them. One signup asks email to fail twice, one asks loyalty to",
  "# fail for ever. The last lines are read from the subscribers' stores.",
  "",
];

/** A command as a person types it, and the task that it runs. */
export const COMMAND = { typed: "npx -y deno@2 task demo", task: "demo" } as const;

/** How long the last picture stands. */
const LAST_PICTURE_MS = 3_000;

if (import.meta.main) {
  await runCommand(USAGE, async ({ args }) => {
    if (args.length > 0) return print(USAGE.trim());
    print([...CAPTION, `$ ${COMMAND.typed}`].join("\n")); // At once: it is one picture.
    const { code } = await new Deno.Command(Deno.execPath(), { args: ["task", "-q", COMMAND.task] })
      .spawn().status;
    await delay(LAST_PICTURE_MS); // The recording begins again after it: somebody reads the end.
    print("");
    return code;
  });
}
