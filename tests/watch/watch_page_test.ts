/// <reference lib="dom" />
/**
 * The live page in a real browser: what a person sees there, what the buttons do, and that its numbers
 * are those of the stores after everything was killed.
 */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { findBroker } from "@ecomarket/setup/broker/broker";
import { withConnection } from "@ecomarket/shared/broker/with_connection";
import { isProcessAlive } from "@ecomarket/shared/process/platform";
import { total } from "@ecomarket/testbed/audit/event_audit";
import { holdingsOf, SUBSCRIBERS } from "@ecomarket/testbed/stores/effects";
import axe from "axe-core";
import type { Page } from "playwright-core";
import { eventually } from "../support/eventually.ts";
import { ROOT } from "../support/project_files.ts";
import { LivePage } from "../support/live_page.ts";

/** Longer than anything takes on a slow machine. */
const PATIENCE_MS = 60_000;

const row = (page: Page, name: string) =>
  page.locator("#accounts tbody tr").filter({ has: page.getByRole("rowheader", { name }) });
const press = (page: Page, name: string, button: string) =>
  row(page, name).getByRole("button", { name: button }).click();

/** The four numbers of a subscriber, as the page shows them. */
async function account(page: Page, name: string) {
  const number = async (term: string) =>
    Number(await row(page, name).locator(`[data-term=${term}] b`).textContent());
  return {
    published: await number("published"),
    effects: await number("effects"),
    deadLetters: await number("deadLetters"),
    waiting: await number("waiting"),
  };
}

const seesText = (page: Page, text: string | RegExp) =>
  page.getByText(text).first().waitFor({ timeout: PATIENCE_MS });

/** Keeps what is seen now as a picture of the documents, where `WATCH_PICTURES=1` asks for it. */
async function picture(page: Page, name: string): Promise<void> {
  if (Deno.env.get("WATCH_PICTURES") !== "1") return;
  await page.evaluate(() => scrollTo(0, 0));
  await page.screenshot({ path: `${ROOT}/docs/watch-${name}.png` });
}

/** Each breach of the accessibility rules on the page as it is now. */
async function breaches(page: Page): Promise<string[]> {
  await page.evaluate(axe.source);
  const { violations } = await page.evaluate(() =>
    (globalThis as unknown as { axe: typeof axe }).axe.run(document)
  );
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" | ")}`);
}

Deno.test({
  name: "deno task watch: what is on the page is what the stores hold, whatever was killed",
  // n.b. Playwright keeps its connection to the browser beyond its end.
  sanitizeOps: false,
  sanitizeResources: false,
  async fn(t) {
    await using live = await LivePage.start({ FAST_RETRY: "1" });
    const { page, complaints } = await live.open({ viewport: { width: 1280, height: 1180 } });
    await live.isBegun();
    let published = 0;

    await t.step(
      "--open opens the page, and tells its token to nobody who lists processes",
      async () => {
        const { target, html } = await eventually(() => live.opened());
        assert.doesNotMatch(target, /token/);
        assert.ok(html.includes(`url=${await live.address()}"`));
        assert.equal((await Deno.stat(target)).mode! & 0o077, 0, "only this user may read it");
      },
    );

    await t.step("a person finds out which subscriber is down, and what waits for it", async () => {
      await seesText(page, "Everything runs. No event was published yet.");
      await press(page, "email", "Stop");
      await seesText(page, "email is down. Nothing waits for it yet.");
      await page.getByRole("button", { name: "Publish one" }).click();
      await seesText(page, "email is down. 1 event waits for it in its queue; none is lost.");
      await page.getByRole("button", { name: "Publish 100" }).click();
      const told = "email is down. 101 events wait for it in its queue; none is lost.";
      await seesText(page, told);
      for (const readme of ["README.md", "README.es.md"]) {
        const text = await Deno.readTextFile(`${ROOT}/${readme}`);
        assert.ok(text.includes(told), `${readme} shows what the page says`);
      }
      await page.locator("#map").getByText("101 waiting").first().waitFor({ timeout: PATIENCE_MS });
      await row(page, "email").getByText("✓ adds up: the rest is on the broker")
        .waitFor({ timeout: PATIENCE_MS });
      await picture(page, "down");
      published += 101;
      await press(page, "email", "Start");
      await seesText(page, /^Everything runs\. 101 events were published\.$/);
    });

    await t.step("and why an event died, attempt by attempt", async () => {
      await page.getByRole("button", { name: "One that fails for ever at loyalty" }).click();
      await seesText(page, "1 dead letter waits for your decision: see why below.");
      published++;
      const letter = page.locator("#letters li").first();
      assert.match(await letter.innerText(), /Died at loyalty: every attempt failed\./);
      assert.match(await letter.innerText(), /simulated failure, asked for by the message/);
      await letter.getByRole("button", { name: /^The story of/ }).click();
      const story = page.getByRole("dialog");
      for (const attempt of ["attempt 1 failed; again after 0.2 s", "attempt 4 failed; given up"]) {
        await story.getByText(`loyalty: ${attempt}`).waitFor();
      }
      await picture(page, "story");
      assert.match(await story.locator("#story-headers").innerText(), /loyalty:always/);
      assert.deepEqual(await breaches(page), []);
      await story.getByRole("button", { name: "Close" }).click();
    });

    await t.step(
      "a chaos of kills from its buttons ends with the numbers of the stores",
      async () => {
        await page.getByRole("button", { name: "One that fails twice at email" }).click();
        published++;
        await page.locator("#events [data-state=retrying] .ring").first().waitFor();
        await picture(page, "flow");
        for (const name of SUBSCRIBERS) {
          await page.getByRole("button", { name: "Publish 100" }).click();
          await press(page, name, "Kill");
          await row(page, name).getByText(/was killed/).waitFor({ timeout: PATIENCE_MS });
          await page.getByRole("button", { name: "One that fails twice at email" }).click();
          published += 101;
          await press(page, name, "Start");
        }
        await page.getByRole("button", { name: "Stop the broker" }).click();
        await seesText(page, /^The broker is stopped\./);
        await page.getByRole("button", { name: "Start the broker" }).click();
        await row(page, "email").locator("[data-state=consuming]").waitFor({
          timeout: PATIENCE_MS,
        });
        await page.getByRole("button", { name: "Publish one" }).click();
        published++;

        for (const name of SUBSCRIBERS) {
          await eventually(async () => {
            const { effects, deadLetters } = holdingsOf(name, live.dataDirOf);
            assert.deepEqual(await account(page, name), {
              published,
              effects: effects.size,
              deadLetters: deadLetters.size,
              waiting: 0,
            });
            assert.equal(total(effects), effects.size, "no event is done twice");
            assert.equal(
              await row(page, name).locator(".verdict").innerText(),
              "✓ adds up: each has its end",
            );
          }, PATIENCE_MS);
        }
        assert.deepEqual((await account(page, "loyalty")).deadLetters, 1);
      },
    );

    await t.step(
      "a dead letter is sent back by its button, and dies again with its story told",
      async () => {
        await page.locator("#letters").getByRole("button", { name: "Send it back" }).first()
          .click();
        await eventually(async () => {
          const told = await page.locator("#deeds li").first().innerText();
          assert.match(told, /deno task dead-letters replay 1/);
          assert.match(told, /failed/, "the message still asks to fail");
        }, PATIENCE_MS);
        await eventually(async () => {
          assert.match(await page.locator("#letters").innerText(), /sent back, and died again/);
        }, PATIENCE_MS);
        assert.equal((await account(page, "loyalty")).deadLetters, 1, "it is one event still");
      },
    );

    await t.step("what somebody else publishes is seen, and is text whatever it says", async () => {
      const nombre = '<img src=x onerror="document.title=1">';
      const { success } = await new Deno.Command(Deno.execPath(), {
        args: ["task", "-q", "publish", "--nombre", nombre, "--email", "ana@example.com"],
        cwd: live.root,
        env: { AMQP_URL: "" },
      }).output();
      assert.ok(success);
      published++;
      await page.getByRole("button", { name: nombre, exact: true }).waitFor({
        timeout: PATIENCE_MS,
      });
      await seesText(page, /published by somebody else/);
      assert.equal(await page.locator("#events img").count(), 0);
      await eventually(async () => {
        assert.equal((await account(page, "analytics")).effects, published);
      }, PATIENCE_MS);
    });

    await t.step(
      "a script's invalid event without a message id is given up, and accounted for",
      async () => {
        const event = {
          event_type: "UsuarioCreado",
          event_id: "py-1",
          user_id: "7",
          nombre: "Ana",
        };
        await withConnection([await live.brokerUrl()], "test", async (connection) => {
          const channel = await connection.createConfirmChannel();
          const body = Buffer.from(JSON.stringify({ ...event, email: "none" }));
          channel.publish("user_events", "", body, { persistent: true });
          await channel.waitForConfirms();
        });
        published++;
        for (const name of SUBSCRIBERS) {
          await eventually(async () => {
            const { deadLetters, waiting, ...counts } = await account(page, name);
            assert.deepEqual([deadLetters, waiting], [name === "loyalty" ? 2 : 1, 0]);
            assert.equal(counts.published, published);
          }, PATIENCE_MS);
        }
        await seesText(page, "Died at email: the message is no valid event.");
      },
    );

    await t.step(
      "no rule of accessibility is broken, in light and dark, on a phone, in Spanish",
      async () => {
        assert.deepEqual(await breaches(page), []);
        const phone = await live.open({
          viewport: { width: 375, height: 812 },
          colorScheme: "dark",
          reducedMotion: "reduce",
          locale: "es-MX",
        });
        await seesText(phone.page, "¿Cuadra?");
        assert.equal(await phone.page.locator("html").getAttribute("lang"), "es");
        assert.deepEqual(await breaches(phone.page), []);
        const { wide } = await phone.page.evaluate(() => ({
          wide: document.documentElement.scrollWidth - document.documentElement.clientWidth,
        }));
        assert.equal(wide, 0, "the page is not wider than the phone");
        await picture(phone.page, "phone");
        complaints.push(...phone.complaints);
      },
    );

    await t.step(
      "without the token the page can be looked at, and no button does anything",
      async () => {
        const reader = await live.open({ withToken: false });
        await seesText(
          reader.page,
          "You can look. To press buttons, open the address that the terminal shows.",
        );
        for (const button of await reader.page.locator("#publish button").all()) {
          assert.ok(await button.isDisabled());
        }
        complaints.push(...reader.complaints);
      },
    );

    await t.step(
      "what stands otherwise is marked, and an event that reached no queue is named",
      async () => {
        await withConnection([await live.brokerUrl()], "test", async (connection) => {
          const channel = await connection.createChannel();
          await channel.assertQueue("sms_queue", { arguments: { "x-queue-type": "quorum" } });
          await channel.bindQueue("sms_queue", "user_events", "");
          await channel.unbindQueue("analytics_queue", "user_events", "");
        });
        await seesText(page, "The broker stands otherwise than wanted in 1 place: see below.");
        await seesText(page, 'The binding of "analytics_queue" to "user_events" is missing.');
        await page.locator("#map polyline[data-state=missing]").waitFor({ state: "attached" });
        await seesText(page, "A further subscriber listens: sms_queue.");
        await page.getByRole("button", { name: "Publish one" }).click();
        const verdict = row(page, "analytics").locator(".verdict");
        await eventually(async () => {
          assert.match(
            await verdict.innerText(),
            /^✗ 1 nowhere, of: [0-9a-f-]{36} · 0 on the broker$/,
          );
        }, PATIENCE_MS);
        await seesText(page, "1 event for analytics cannot be found anywhere.");
      },
    );

    await t.step(
      "the page has broken no rule of its own, and Ctrl+C ends all that it has started",
      async () => {
        assert.deepEqual(complaints, []);
        const pids = (await page.locator(".instance").allInnerTexts())
          .map((text) => Number(/process (\d+)/.exec(text)?.[1]));
        assert.equal(pids.length, 4);
        assert.ok(pids.every(isProcessAlive), "they run");
        live.child.kill("SIGTERM");
        const { code } = await live.child.status;
        assert.equal(code, 0);
        assert.ok(!pids.some(isProcessAlive), "and are gone");
        const directory = `${live.root}/.broker`;
        const read = () => undefined;
        const ports = { amqp: 1, management: 1 };
        assert.equal(await findBroker({ directory, read, ports }), undefined);
      },
    );
  },
});
