// SPDX-License-Identifier: GPL-2.0-or-later
import { assert, done, enter, from, login, page, rows, shows, step, until, visit } from "./lib.mjs";

// Sessions end six seconds after the last call here, and the script asks every two: but those of its
// calls that nobody asked for do not count.

// ended waits for the end of a session, by calls that do not count either.
async function ended(context) {
  const [cookie] = await context.cookies();
  const headers = { Cookie: `${cookie.name}=${cookie.value}`, "Nuconntrack-Unattended": "1" };
  await until("the end of the session", async () => (await fetch(page + "/", { headers, redirect: "manual" })).status === 303);
}

for (const javaScriptEnabled of [true, false]) {
  const context = await visit({ javaScriptEnabled });
  const at = "/?expr=dport+443&size=25&sort=orig_src";
  const p = await login(context, "ann", at);
  if (javaScriptEnabled) {
    await step("the script says that the session has ended", async () => {
      await p.getByText("The session has ended.").waitFor();
    });
  }
  await step("a form of an ended session does nothing", async () => {
    await rows(p).first().getByRole("checkbox").check();
    await ended(context);
    await p.getByRole("button", { name: "Kill marked" }).click();
    await p.waitForSelector("#password");
    if (!javaScriptEnabled) await shows(p, /Your session has ended/);
    assert.equal(from("192.0.2.1").length, 1);
  });
  await step("logging in leads back to the same address", async () => {
    await enter(p, "ann");
    await p.waitForSelector("#act");
    const was = new URL(at, page).searchParams, now = new URL(p.url()).searchParams;
    assert.deepEqual([...now].sort(), [...was].sort());
  });
  await context.close();
}
await done();
