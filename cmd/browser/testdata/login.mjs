// SPDX-License-Identifier: GPL-2.0-or-later
import { assert, comes, done, enter, hostile, login, page, step, visit } from "./lib.mjs";

const context = await visit();
const p = await context.newPage();

await step("nobody sees the table", async () => {
  await p.goto(page + "/?expr=dport+443");
  assert.match(p.url(), /\/web\/login\?next=/);
  assert.equal(await p.locator("table").count(), 0);
  assert.equal(await p.evaluate(() => document.activeElement.id), "user");
});
await step("a wrong password", async () => {
  await enter(p, "ann", "wrong");
  await comes(() => p.getByRole("alert").innerText(), /User name or password/);
  await comes(() => p.locator("#user").inputValue(), "ann");
  await comes(() => p.locator("#password").inputValue(), "");
  assert.equal((await context.cookies()).filter((c) => !/login/.test(c.name)).length, 0);
});
await step("the right one leads to where one wanted to go", async () => {
  await enter(p, "ann");
  await p.waitForSelector("#act");
  assert.equal(p.url(), page + "/?expr=dport+443");
});
await step("the cookie is kept from scripts and other sites", async () => {
  const cookies = await context.cookies();
  assert.equal(cookies.length, 1);
  const [c] = cookies;
  assert.equal(c.name, "__Host-nuconntrack-8580");
  assert.deepEqual([c.httpOnly, c.secure, c.sameSite, c.path, c.expires], [true, true, "Strict", "/", -1]);
  assert.equal(await p.evaluate(() => document.cookie), "");
});
await step("logging out ends the session", async () => {
  const old = await context.cookies();
  await p.getByRole("button", { name: "Log out" }).click();
  await p.waitForSelector("#password");
  assert.equal((await context.cookies()).filter((c) => c.name === old[0].name).length, 0);
  await context.addCookies(old);
  await p.goto(page + "/");
  assert.match(p.url(), /\/web\/login/);
});
await step("a new session at each login", async () => {
  const other = await login(context);
  const first = (await context.cookies())[0].value;
  await other.goto(page + "/web/login");
  await enter(other, "ann");
  await other.waitForSelector("#act");
  assert.notEqual((await context.cookies())[0].value, first);
});
await step("French by the browser's wish, and by the switch", async () => {
  const french = await visit({ locale: "fr-FR" });
  const q = await french.newPage();
  await q.goto(page + "/");
  assert.equal(await q.locator("html").getAttribute("lang"), "fr");
  await q.getByRole("button", { name: "Se connecter" }).waitFor();
  const language = (code) => comes(() => q.locator("html").getAttribute("lang"), code);
  await q.getByRole("link", { name: "English" }).click();
  await language("en");
  await enter(q, "ann");
  await q.waitForSelector("#act");
  await language("en");
  await q.getByRole("link", { name: "Français" }).click();
  await q.getByRole("button", { name: "Couper les connexions cochées" }).waitFor();
  await q.getByRole("link", { name: "Port source", exact: true }).click();
  await q.waitForURL(/sort=/);
  await language("fr");
  await comes(() => q.locator(".summary").innerText(), /connexions correspondent/);
  await french.close();
});
await step("markup in a user's name stays text", async () => {
  const bad = await visit();
  const q = await login(bad, hostile);
  assert.equal(await q.locator(".who bdi").innerText(), hostile);
  await q.goto(page + "/web/login");
  await enter(q, hostile + "<b>", "wrong");
  await q.getByRole("alert").waitFor();
  await comes(() => q.locator("#user").inputValue(), hostile + "<b>");
  await q.waitForLoadState();
  assert.equal(await q.locator("main b, main img").count(), 0);
  await bad.close();
});
await done();
