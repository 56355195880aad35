/**
 * Loaded by `sandbox_test.ts` before a command (`--preload`): says whether a file that nobody named can
 * be read, and when that ends.
 */
function isReadable(): boolean {
  try {
    Deno.readTextFileSync("deno.json");
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) return false;
    throw error;
  }
}

const say = (line: string) => Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));

function tellWhenWithheld(): void {
  if (isReadable()) return;
  say("withheld");
  clearInterval(timer);
}

say(isReadable() ? "readable" : "never readable");
const timer = setInterval(tellWhenWithheld, 5);
// n.b. the command begins once nothing is waited for here (Deno 2.9).
Deno.unrefTimer(timer);
