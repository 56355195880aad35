/** Opens the page in the browser, without telling its token to whoever lists the processes. */
import { print } from "@ecomarket/shared/process/main";
import { openInBrowser } from "@ecomarket/shared/process/platform";

/**
 * Opens `address` by way of a file that only this user can read, as its token may stand in no command
 * line. The file goes with `cleanup`.
 */
export async function openPage(address: string, cleanup: AsyncDisposableStack): Promise<void> {
  const file = await Deno.makeTempFile({ prefix: "ecomarket_watch_", suffix: ".html" });
  cleanup.defer(() => Deno.remove(file));
  await Deno.writeTextFile(file, redirect(address));
  if (await openInBrowser(file)) return;
  print("No browser could be opened here: open the address yourself.");
}

/** A page that leads to `address`, whose characters are those of a URL: none needs to be escaped. */
export function redirect(address: string): string {
  return `<!doctype html><meta charset="utf-8"><meta http-equiv="refresh" content="0; url=${address}">`;
}
