// SPDX-License-Identifier: GPL-2.0-or-later
import { assert, done, enter, from, login, page, rows, step, visit } from "./lib.mjs";

// Sessions end a second after the last call here, and the script asks every two.
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
    await new Promise((r) => setTimeout(r, 1500));
    await p.getByRole("button", { name: "Kill marked" }).click();
    await p.waitForSelector("#password");
    if (!javaScriptEnabled) assert.match(await p.locator("main").innerText(), /Your session has ended/);
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
