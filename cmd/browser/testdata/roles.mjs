// SPDX-License-Identifier: GPL-2.0-or-later
import { assert, comes, done, from, kernel, login, page, rows, shows, step, total, visit } from "./lib.mjs";

const ann = await visit();
const hers = await login(ann);
const keyOf = async (expr) => {
  await hers.goto(page + "/?expr=" + encodeURIComponent(expr));
  return rows(hers).first().locator("input[name=key]").getAttribute("value");
};

const viewer = await visit();
const v = await login(viewer, "vic");
// post sends a form that no page offered him, as his browser would.
const post = (context, path, token, fields) => context.request.post(page + path, {
  headers: { Origin: page, "Sec-Fetch-Site": "same-origin" }, form: { token, ...fields }, maxRedirects: 0,
});

await step("a viewer is offered nothing that he may not", async () => {
  assert.match(await v.locator(".who").innerText(), /vic \(role viewer\)/);
  assert.ok(await rows(v).count() > 0);
  assert.equal(await v.getByRole("button", { name: /Kill/ }).count(), 0);
  assert.equal(await rows(v).getByRole("checkbox").count(), 0);
  await v.getByRole("link", { name: /^Details of/ }).first().click();
  await v.waitForURL(/\/web\/connection\?/);
  await v.waitForLoadState();
  await shows(v, /Original/);
  assert.equal(await v.locator("main form").count(), 0);
  assert.doesNotMatch(await v.locator("main").innerText(), /Kill|Change/);
});
await step("a form that he made by hand is refused", async () => {
  const key = await keyOf("src 192.0.2.20");
  const token = await v.locator("input[name=token]").first().getAttribute("value");
  for (const [path, fields] of [["/web/kill", { one: key }], ["/web/kill/now", { key }], ["/web/kill/now", { all: "1", snapshot: "x", back: "/" }],
    ["/web/change", { key, field: "mark", value: "9" }], ["/web/change/now", { key, field: "mark", value: "9" }]]) {
    const answer = await post(viewer, path, token, fields);
    assert.equal(answer.status(), 403, path);
    assert.match(await answer.text(), /Your role does not permit this/);
  }
  assert.equal(from("192.0.2.20").length, 1);
  assert.match(from("192.0.2.20")[0], / mark=5120 /);
});

const tenant = await visit();
const t = await login(tenant, "tom");
await step("a role with a scope sees only what is in it", async () => {
  assert.equal(await total(t), 16);
  assert.match(await t.locator(".warnings").innerText(), /Your role shows only the connections of its scope/);
  assert.match(await t.locator(".summary").innerText(), /of 16/);
  const addresses = await t.locator("#act tbody").innerText();
  assert.doesNotMatch(addresses, /192\.0\.2\.(1[0-5]|[1-9]|3[2-9])\b/);
});
await step("and kills only that", async () => {
  const token = await t.locator("input[name=token]").first().getAttribute("value");
  const foreign = await keyOf("src 192.0.2.100");
  const answer = await post(tenant, "/web/kill/now", token, { key: foreign });
  assert.match(await answer.text(), /no such connection/);
  assert.equal((await tenant.request.get(page + "/web/connection?key=" + foreign)).status(), 404);
  assert.equal(from("192.0.2.100").length, 1);
  await t.reload();
  await t.getByRole("button", { name: "Kill all 16 that match" }).click();
  await shows(t, /all that you may see/);
  await t.getByLabel(/Watch for two seconds/).uncheck();
  await t.getByRole("button", { name: "Kill 16 connections" }).click();
  await comes(() => t.locator(".outcome-killed").count(), 16);
  assert.equal(kernel("-d", "198.51.100.7", "-p", "tcp").length, 104);
});
await done();
