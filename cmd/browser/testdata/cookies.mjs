// SPDX-License-Identifier: GPL-2.0-or-later
import { assert, done, from, login, page, rows, step, visit } from "./lib.mjs";

const context = await visit();
const p = await login(context);
await step("the cookie is of this host alone, and only goes over TLS", async () => {
  const cookies = await context.cookies();
  assert.equal(cookies.length, 1);
  const [c] = cookies;
  assert.match(c.name, /^__Host-nuconntrack-\d+$/);
  assert.deepEqual([c.httpOnly, c.secure, c.sameSite, c.path, c.domain], [true, true, "Strict", "/", "127.0.0.1"]);
});
await step("a kill", async () => {
  await p.goto(page + "/?expr=src+192.0.2.70");
  await rows(p).first().getByRole("button").click();
  await p.getByLabel(/Watch/).uncheck();
  await p.getByRole("button", { name: "Kill 1 connection" }).click();
  await p.locator(".outcome-killed").waitFor();
  assert.equal(from("192.0.2.70").length, 0);
});
await done();
