// SPDX-License-Identifier: GPL-2.0-or-later
import { assert, comes, done, from, kernel, login, page, rows, shows, step, total, until, visit } from "./lib.mjs";

const scripts = process.env.SCRIPTS === "on";
const context = await visit({ javaScriptEnabled: scripts });
const p = await login(context);
const filter = (words) => p.goto(page + "/?expr=" + encodeURIComponent(words));
const mark = async () => { for (const box of await rows(p).getByRole("checkbox").all()) await box.check(); };
const outcomes = (name, many) => comes(() => p.locator(".outcome-" + name).count(), many);

await step("without a mark nothing is killed", async () => {
  await p.getByRole("button", { name: "Kill marked" }).click();
  await shows(p, /No connection is marked/);
});
await step("one is killed, after a question", async () => {
  await filter("src 192.0.2.1");
  await p.getByRole("button", { name: "Kill tcp 192.0.2.1:40000" }).click();
  await shows(p, /1 connection is to be killed:[^]*192\.0\.2\.1:40000 → 198\.51\.100\.7:443/);
  assert.equal(from("192.0.2.1").length, 1);
  await p.getByRole("link", { name: "Cancel" }).click();
  assert.equal(from("192.0.2.1").length, 1);
  await p.getByRole("button", { name: "Kill tcp 192.0.2.1:40000" }).click();
  await p.getByLabel(/Watch for two seconds/).uncheck();
  await p.getByRole("button", { name: "Kill 1 connection" }).click();
  await outcomes("killed", 1);
  assert.equal(from("192.0.2.1").length, 0);
  assert.equal(from("192.0.2.2").length, 1);
  await p.getByRole("link", { name: "Back to the connections" }).click();
  await shows(p, /No connection matches/);
  assert.match(p.url(), /expr=src/);
});
await step("marked ones are killed, a protected one is not", async () => {
  await filter("src 192.0.2.2-192.0.2.3 or udp");
  await mark();
  await p.getByRole("button", { name: "Kill marked" }).click();
  await shows(p, /3 connections are to be killed/);
  await p.getByLabel(/Watch for two seconds/).uncheck();
  await p.getByRole("button", { name: "Kill 3 connections" }).click();
  await outcomes("protected", 1);
  await outcomes("killed", 2);
  assert.match(await p.locator(".outcome-protected").innerText(), /name-servers/);
  assert.deepEqual([from("192.0.2.2").length, from("192.0.2.3").length, kernel("-p", "udp").length], [0, 0, 1]);
});
await step("all that match are killed, and no other", async () => {
  await filter("src 192.0.2.64/26");
  assert.equal(await total(p), 57);
  await p.getByRole("button", { name: "Kill all 57 that match" }).click();
  await shows(p, /57 connections are to be killed[^]*src 192\.0\.2\.64\/26[^]*and 47 more/);
  assert.equal(kernel("-d", "198.51.100.7").length, 118);
  await p.getByLabel(/Watch for two seconds/).uncheck();
  await p.getByRole("button", { name: "Kill 57 connections" }).click();
  await outcomes("killed", 57);
  assert.equal(kernel("-d", "198.51.100.7").length, 61);
});
await step("the connection that carries the page wants another step", async () => {
  // The browser chooses over which of its connections it asks, and may open another one.
  await until("it asks over one that was marked", async () => {
    await filter("dport 8580 and state established");
    if (scripts) await p.locator("#pause").click();
    await mark();
    await p.getByRole("button", { name: "Kill marked" }).click();
    await p.getByLabel(/Watch for two seconds/).uncheck();
    await p.getByRole("button", { name: /^Kill \d+ connection/ }).click();
    await p.locator(".sums").waitFor();
    await p.waitForLoadState();
    return await p.locator(".outcome-own").count() > 0;
  });
  await shows(p, /the connection over which your browser loads this very page/);
  await p.getByRole("button", { name: "Kill this one too" }).click();
  await p.locator(".outcome-killed, .outcome-gone").first().waitFor();
});
await step("a mark is changed", async () => {
  await filter("src 192.0.2.10");
  await p.getByRole("link", { name: /^Details of/ }).click();
  await p.getByLabel("Mark", { exact: true }).fill("0x10/0xf0");
  await p.getByRole("button", { name: "Change …" }).first().click();
  await shows(p, /Really change this\?/);
  assert.match(from("192.0.2.10")[0], / mark=2560 /);
  await p.getByRole("button", { name: "Change it" }).click();
  await p.getByRole("heading", { name: "Changed" }).waitFor();
  assert.match(from("192.0.2.10")[0], / mark=2576 /);
  await p.getByRole("link", { name: "Back to the connection", exact: true }).click();
  await shows(p, /0xa10/);
});
await step("a mark that is none", async () => {
  await p.getByLabel("Mark", { exact: true }).fill("red");
  await p.getByRole("button", { name: "Change …" }).first().click();
  await comes(() => p.getByRole("alert").innerText(), /"red"/);
});
await step("a timeout is changed, once", async () => {
  await filter("src 192.0.2.11");
  await p.getByRole("link", { name: /^Details of/ }).click();
  await p.getByLabel("Timeout in seconds").fill("77");
  await p.getByRole("button", { name: "Change …" }).last().click();
  await shows(p, /nobody can take it back/);
  await p.getByRole("button", { name: "Change it" }).click();
  await p.getByRole("heading", { name: "Changed" }).waitFor();
  assert.match(from("192.0.2.11")[0], / [4-7]\d ESTABLISHED /);
  await p.getByRole("link", { name: "Back to the connection", exact: true }).click();
  await shows(p, /has been fixed already/);
  assert.equal(await p.getByLabel("Timeout in seconds").count(), 0);
});
await step("one that is gone meanwhile", async () => {
  await filter("src 192.0.2.12");
  await p.getByRole("link", { name: /^Details of/ }).click();
  const at = p.url();
  await p.getByRole("button", { name: "Kill this connection" }).click();
  await p.getByRole("button", { name: "Kill 1 connection" }).click();
  await outcomes("killed", 1);
  const answer = await p.goto(at);
  assert.equal(answer.status(), 404);
  assert.match(await p.getByRole("alert").innerText(), /no such connection/);
});
await done();
