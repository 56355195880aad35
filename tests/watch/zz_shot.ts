import { chromium } from "playwright-core";
const [url, out, ...opts] = Deno.args;
const b = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox"] });
const dark = opts.includes("dark"), phone = opts.includes("phone"), es = opts.includes("es");
const c = await b.newContext({
  viewport: phone ? { width: 390, height: 844 } : { width: 1280, height: 900 },
  colorScheme: dark ? "dark" : "light",
  locale: es ? "es-MX" : "en-US",
});
const p = await c.newPage();
p.on("console", (m) => console.log(m.type(), m.text()));
p.on("pageerror", (e) => console.log("ERR", e.message));
await p.goto(url!);
await p.waitForTimeout(2500);
for (const o of opts.filter((x) => x.startsWith("click="))) {
  await p.getByText(o.slice(6)).first().click();
  await p.waitForTimeout(1500);
}
await p.screenshot({ path: out!, fullPage: !opts.includes("view") });
await b.close();
