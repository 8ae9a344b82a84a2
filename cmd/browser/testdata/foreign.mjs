// SPDX-License-Identifier: GPL-2.0-or-later

// What pages of other sites make a visitor's browser do, and forms that are not the session's.
import { createServer } from "node:http";
import { assert, done, from, login, page, rows, step, trouble, visit } from "./lib.mjs";

// The other site has the same host as far as cookies go, but another port; and another host.
let html = "";
const site = createServer((_, w) => { w.setHeader("Content-Type", "text/html; charset=utf-8"); w.end(html); });
await new Promise((ready) => site.listen(0, "127.0.0.1", ready));
const port = site.address().port;
const escaped = (s) => s.replace(/&/g, "&amp;").replace(/"/g, "&quot;").replace(/</g, "&lt;");
const form = (path, fields, type = "application/x-www-form-urlencoded") =>
  `<!DOCTYPE html><title>evil</title><form id="f" method="post" enctype="${type}" action="${page}${path}">` +
  Object.entries(fields).map(([n, v]) => `<input type="hidden" name="${n}" value="${escaped(v)}">`).join("") + "</form>";

const context = await visit({ elsewhere: true });
const p = await login(context);
await p.goto(page + "/?expr=src+192.0.2.50");
const key = await rows(p).first().locator("input[name=key]").getAttribute("value");
const token = await p.locator("input[name=token]").first().getAttribute("value");
const evil = await context.newPage();
const send = async (host) => {
  await evil.goto(`http://${host}:${port}/`);
  const [answer] = await Promise.all([
    evil.waitForNavigation(), evil.evaluate(() => document.getElementById("f").submit()),
  ]);
  assert.equal(answer.request().method(), "POST");
  return answer;
};

for (const host of ["127.0.0.1", "localhost"]) {
  await step(`forms from ${host} on another port are refused`, async () => {
    for (const path of ["/web/kill/now", "/web/change/now", "/web/logout"]) {
      html = form(path, { token, key, field: "mark", value: "66", back: "/" });
      assert.equal((await send(host)).status(), 403, path);
    }
    html = form("/web/login", { token, user: "ann", password: "x" });
    assert.equal((await send(host)).status(), 403, "login");
    html = form("/web/kill/now", { token, key }, "text/plain");
    assert.notEqual((await send(host)).status(), 200, "text/plain");
    html = form("/RPC2", { "<?xml version": "'1.0'?><methodCall><methodName>system.listMethods</methodName></methodCall>" }, "text/plain");
    assert.notEqual((await send(host)).status(), 200, "XML-RPC");
    assert.equal(from("192.0.2.50").length, 1);
    assert.doesNotMatch(from("192.0.2.50")[0], / mark=66 /);
  });
  await step(`a page of ${host} on another port reads nothing`, async () => {
    html = "<!DOCTYPE html><title>evil</title>";
    await evil.goto(`http://${host}:${port}/`);
    const read = await evil.evaluate((at) => fetch(at, { credentials: "include" }).then((r) => r.text(), (e) => `refused: ${e.name}`), page + "/");
    assert.equal(read, "refused: TypeError");
    await trouble(/blocked by CORS policy/);
  });
}
await step("the page is in no frame", async () => {
  html = `<!DOCTYPE html><title>evil</title><iframe src="${page}/"></iframe><iframe src="${page}/web/login"></iframe>`;
  await evil.goto(`http://127.0.0.1:${port}/`);
  await trouble(/frame-ancestors|X-Frame-Options/i);
  for (const f of evil.frames().slice(1)) {
    assert.equal(await f.locator("#act, #password").count().catch(() => 0), 0);
  }
});
await step("a link from another site shows the table all the same", async () => {
  html = `<!DOCTYPE html><title>mail</title><a href="${page}/?expr=src+192.0.2.51">look</a>`;
  await evil.goto(`http://localhost:${port}/`);
  await evil.getByRole("link").click();
  await evil.waitForSelector("#act");
  assert.equal(evil.url(), page + "/?expr=src+192.0.2.51");
});
await step("tokens of another session, changed ones and none are refused", async () => {
  const other = await visit();
  const q = await login(other, "vic");
  const his = await q.locator("input[name=token]").first().getAttribute("value");
  for (const wrong of [his, token.slice(0, -1), token + "A", token.toUpperCase(), ""]) {
    const answer = await context.request.post(page + "/web/kill/now", { headers: { Origin: page }, form: { token: wrong, key } });
    assert.equal(answer.status(), 403);
  }
  assert.equal(from("192.0.2.50").length, 1);
});
await step("a form of the session before is refused, and says what to do", async () => {
  const q = await login(await visit());
  await q.goto(page + "/?expr=src+192.0.2.50");
  const second = await q.context().newPage();
  await second.goto(page + "/");
  await second.getByRole("button", { name: "Log out" }).click();
  await second.locator("#user").fill("ann");
  await second.locator("#password").fill(process.env.PASSWORD);
  await second.locator("#password").press("Enter");
  await second.waitForSelector("#act");
  // At one stroke, the button looked for too: a refresh between would bring the token that is good
  // now, and leave a button in the hand that is in no page any more.
  const [answer] = await Promise.all([q.waitForResponse((r) => r.request().method() === "POST"),
    q.evaluate((old) => {
      const button = document.querySelector('#act button[aria-label^="Kill tcp 192.0.2.50:"]');
      button.form.elements.token.value = old;
      button.click();
    }, token)]);
  assert.equal(answer.status(), 403);
  await q.getByText("The form is too old").waitFor();
  assert.equal(from("192.0.2.50").length, 1);
});
await step("a name that is not this service's is refused", async () => {
  const answer = await context.request.get(page + "/", { headers: { Host: "evil.example" } });
  assert.equal(answer.status(), 421);
});
await step("no answer may be kept, framed or sniffed", async () => {
  for (const path of ["/", "/web/login", "/web/talkers", "/web/nothing"]) {
    const h = (await context.request.get(page + path)).headers();
    assert.match(h["content-security-policy"], /^default-src 'none';/);
    assert.match(h["content-security-policy"], /frame-ancestors 'none'/);
    assert.doesNotMatch(h["content-security-policy"], /unsafe|\*|data:|https?:/);
    assert.deepEqual([h["x-content-type-options"], h["cache-control"]], ["nosniff", "no-store"]);
  }
});
site.close();
site.closeAllConnections();
await done();
