/** `deno task watch` in a fresh copy of the project, and a real browser that looks at its page. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { requireChromium } from "@ecomarket/setup/machine/chromium";
import { poll } from "@ecomarket/shared/base/poll";
import { printError } from "@ecomarket/shared/process/main";
import { readLines } from "@ecomarket/shared/process/text_lines";
import { stopProcess } from "@ecomarket/shared/process/platform";
import { copyProject } from "@ecomarket/testbed/project/project_copy";
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";
import { temporaryFolder } from "./temporary_folder.ts";

/** How long the program may take until its page can be opened. */
const START_TIMEOUT_MS = 120_000;

/** The program that serves the page, and what it has said. */
export class LivePage implements AsyncDisposable {
  readonly lines: string[] = [];

  private constructor(
    /** The copy's folder. */
    readonly root: string,
    /** What the browser of the desktop was asked to open, and the file behind it. */
    readonly opened: () => Promise<{ readonly target: string; readonly html: string }>,
    readonly child: Deno.ChildProcess,
    readonly browser: Browser,
    readonly cleanup: AsyncDisposableStack,
  ) {}

  /** Starts it, with a private broker of its own. */
  static async start(env: Readonly<Record<string, string>>): Promise<LivePage> {
    await using cleanup = new AsyncDisposableStack();
    const read = (name: string) => Deno.env.get(name);
    const executablePath = await requireChromium({ read, say: printError });
    const copy = cleanup.use(await copyProject());
    const desktop = cleanup.use(await fakeDesktop());
    const child = new Deno.Command(Deno.execPath(), {
      args: ["run", "-q", "-P=operator", "watch/watch.ts", "--empty", "--open"],
      cwd: copy.path,
      env: {
        PATH: desktop.path,
        AMQP_URL: "",
        MANAGEMENT_URL: "",
        DATA_DIR: "",
        BROKER_DOCKER: "never",
        ...env,
      },
      stdin: "null",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    cleanup.defer(() => stopProcess(child, 60_000).then(() => {}));
    // n.b. in a container Chromium's own sandbox cannot be set up; its pages are ours.
    const browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
    cleanup.defer(() => browser.close());
    const page = new LivePage(copy.path, desktop.opened, child, browser, cleanup.move());
    void page.#read();
    return page;
  }

  /** The address that the terminal shows, with its token. */
  async address(): Promise<string> {
    const found = await poll(() => this.#said(/^The page: (\S+)/), {
      timeoutMs: START_TIMEOUT_MS,
    });
    assert.ok(found, `no address in: ${this.lines.join("\n")}`);
    return found;
  }

  /** Resolves once everything that the page starts by itself is started. */
  async isBegun(): Promise<void> {
    assert.ok(await poll(() => this.#said(/^(Ctrl\+C ends it)/), { timeoutMs: START_TIMEOUT_MS }));
  }

  /** Opens the page, with the token unless it is not wanted. Whatever it complains of fails the test. */
  async open(
    { withToken = true, ...options }: BrowserContextOptions & { withToken?: boolean } = {},
  ): Promise<{ page: Page; complaints: string[] }> {
    const context = await this.browser.newContext({ locale: "en-US", ...options });
    const page = await context.newPage();
    const complaints: string[] = [];
    page.on("pageerror", (error) => complaints.push(error.message));
    page.on("console", (message) => {
      if (message.type() === "error") complaints.push(message.text());
    });
    const address = await this.address();
    await page.goto(withToken ? address : new URL(address).origin);
    await page.locator("#status[data-connection=live]").waitFor();
    return { page, complaints };
  }

  /** Its broker, as an administrator. */
  async brokerUrl(): Promise<string> {
    const record = await Deno.readTextFile(join(this.root, ".broker", "broker.json"));
    return JSON.parse(record).amqpUrl;
  }

  /** Where the store of `name` is. */
  readonly dataDirOf = (name: string): string => join(this.root, "data", name);

  async [Symbol.asyncDispose](): Promise<void> {
    await this.cleanup.disposeAsync();
  }

  #said(pattern: RegExp): string | undefined {
    return this.lines.map((line) => pattern.exec(line)?.[1]).find((match) => match !== undefined);
  }

  async #read(): Promise<void> {
    for await (const lines of readLines(this.child.stdout)) {
      this.lines.push(...lines.map(({ text }) => text));
    }
  }
}

/** A `PATH` whose `xdg-open` opens nothing, and notes what it was given. */
async function fakeDesktop() {
  const folder = await temporaryFolder();
  const note = join(folder.path, "opened");
  const script = `#!/bin/sh\ncp "$1" ${note}.html && printf '%s' "$1" > ${note}\n`;
  await Deno.writeTextFile(join(folder.path, "xdg-open"), script, { mode: 0o755 });
  return {
    path: `${folder.path}:${Deno.env.get("PATH")}`,
    opened: async () => ({
      target: await Deno.readTextFile(note),
      html: await Deno.readTextFile(`${note}.html`),
    }),
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  };
}
