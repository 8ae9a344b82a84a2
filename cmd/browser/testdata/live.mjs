// SPDX-License-Identifier: GPL-2.0-or-later
import { execFileSync } from "node:child_process";
import { assert, done, login, page, rows, step, until, visit } from "./lib.mjs";

const context = await visit({ viewport: { width: 700, height: 600 } });
const p = await login(context, "ann", "/?expr=" + encodeURIComponent("dst 198.51.100.7 and tcp") + "&sort=orig_src");
const taken = () => p.locator(".summary").innerText();
// renewed waits for the next table.
const renewed = async () => { const before = await taken(); await until("a new table", async () => (await taken()) !== before); };
let asked = 0;
context.on("request", (r) => { if (r.resourceType() === "fetch") asked++; });

await step("the table is refreshed in place", async () => {
  await p.evaluate(() => { window.same = true; });
  execFileSync("conntrack", ["-I", "-p", "tcp", "-s", "192.0.2.0", "-d", "198.51.100.7", "--sport", "1", "--dport", "2", "--state", "ESTABLISHED", "-t", "500", "-u", "SEEN_REPLY"], { stdio: "ignore" });
  await p.getByText("121 connections match").waitFor();
  assert.match(await rows(p).first().innerText(), /192\.0\.2\.0/);
  assert.equal(await p.evaluate(() => window.same), true);
});
await step("marks, the focus and the place stay", async () => {
  const name = "Mark tcp 192.0.2.40:40039 → 198.51.100.7:443";
  const box = p.getByRole("checkbox", { name });
  await box.check();
  await box.focus();
  await p.evaluate(() => { document.querySelector("#live .scroll").scrollLeft = 60; scrollTo(0, 700); });
  const place = () => p.evaluate(() => [scrollX, scrollY, document.querySelector("#live .scroll").scrollLeft]);
  const was = await place();
  await renewed();
  execFileSync("conntrack", ["-D", "-s", "192.0.2.41"], { stdio: "ignore" });
  await p.getByText("120 connections match").waitFor({ state: "attached" });
  assert.deepEqual(await place(), was);
  assert.equal(await box.isChecked(), true);
  assert.equal(await p.locator("input[name=key]:checked").count(), 1);
  assert.equal(await p.evaluate(() => document.activeElement.getAttribute("aria-label")), name);
});
await step("what is being written in the filter stays", async () => {
  await p.locator("#expr").fill("src 192.0");
  await renewed();
  assert.equal(await p.locator("#expr").inputValue(), "src 192.0");
  assert.equal(await p.evaluate(() => document.activeElement.id), "expr");
  await p.locator("#expr").press("p"); // not the key, here
  assert.equal(await p.locator("#pause").getAttribute("aria-pressed"), "false");
});
const still = async () => {
  const before = await taken(), count = asked;
  await new Promise((r) => setTimeout(r, 4500));
  assert.equal(await taken(), before);
  assert.equal(asked, count);
};
await step("the key pauses it, and goes on", async () => {
  await p.locator("h1").evaluate(() => document.activeElement.blur());
  await p.keyboard.press("p");
  assert.equal(await p.locator("#pause").getAttribute("aria-pressed"), "true");
  assert.match(await p.locator("#status").innerText(), /Paused/);
  await still();
  await p.keyboard.press("p");
  await renewed();
});
await step("it pauses while nobody sees it", async () => {
  const hide = (state) => p.evaluate((s) => {
    Object.defineProperty(document, "visibilityState", { value: s, configurable: true });
    Object.defineProperty(document, "hidden", { value: s === "hidden", configurable: true });
    document.dispatchEvent(new Event("visibilitychange"));
  }, state);
  await hide("hidden");
  await still();
  await hide("visible");
  await renewed();
});
await step("it says when the service does not answer, and goes on when it does", async () => {
  await context.route("**/*", (r) => r.abort());
  await p.getByText("could not be refreshed").waitFor();
  await context.unroute("**/*");
  await renewed();
});
await step("a page of a table that is kept does not change under one's eyes", async () => {
  await p.goto(page + "/?expr=tcp&size=25");
  await p.getByRole("link", { name: "Next" }).click();
  await p.getByText("a table that is kept").waitFor();
  const before = await p.locator("#act tbody").innerText();
  await new Promise((r) => setTimeout(r, 2500));
  assert.equal(await p.locator("#act tbody").innerText(), before);
});
await done();
