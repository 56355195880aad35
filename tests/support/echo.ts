/** Run by `sandboxed_process_test.ts`: says that it listens, then every line that it is told; ends at `end`. */
import { print, printError } from "@ecomarket/shared/process/main";
import { readLines } from "@ecomarket/shared/process/text_lines";

printError("neither a record nor a secret");
printError(JSON.stringify({
  message: "Listening",
  level: "INFO",
  state: "listening",
  url: "http://127.0.0.1:1",
}));
for await (const lines of readLines(Deno.stdin.readable)) {
  for (const { text } of lines) {
    if (text === "end") Deno.exit(3);
    print(text);
  }
}
