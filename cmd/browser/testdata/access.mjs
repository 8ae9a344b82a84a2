// SPDX-License-Identifier: GPL-2.0-or-later

// Who sees little, uses the keyboard, has a small screen, or paper.
import { assert, axeSource, comes, done, enter, from, login, page, rows, shows, step, visit } from "./lib.mjs";

const context = await visit();
const guest = await context.newPage();
await guest.goto(page + "/web/login");
const p = await login(await visit());
await p.goto(page + "/?expr=src+192.0.2.60");
const details = page + await rows(p).first().getByRole("link").getAttribute("href");

// places are the main pages, each with how to get there.
const places = {
  "the login": async () => { await guest.goto(page + "/web/login"); return guest; },
  "a login that failed": async () => { await enter(guest, "ann", "wrong"); await guest.getByRole("alert").waitFor(); return guest; },
  "the table": async () => { await p.goto(page + "/?size=25"); return p; },
  "the table with its columns": async () => { await p.getByText("Columns", { exact: true }).first().click(); return p; },
  "a mistake in the filter": async () => { await p.goto(page + "/?expr=nonsense&src=x&sort=none"); return p; },
  "an empty table": async () => { await p.goto(page + "/?expr=dport+1"); return p; },
  "a connection": async () => { await p.goto(details); return p; },
  "the question before a change": async () => {
    await p.getByLabel("Timeout in seconds").fill("500");
    await p.getByRole("button", { name: "Change …" }).last().click();
    await shows(p, /Really change this\?/);
    return p;
  },
  "the question before a kill": async () => {
    await p.goto(page + "/?expr=src+192.0.2.61");
    await p.getByRole("button", { name: /^Kill tcp/ }).click();
    await p.getByLabel(/Watch/).uncheck();
    return p;
  },
  "what became of it": async () => { await p.getByRole("button", { name: /^Kill 1/ }).click(); await p.locator(".sums").waitFor(); return p; },
  "who talks most": async () => { await p.goto(page + "/web/talkers"); return p; },
  "no such page": async () => { await p.goto(page + "/web/nothing"); return p; },
};

for (const [name, go] of Object.entries(places)) {
  await step(`${name}: axe finds nothing grave, light or dark, and it fits into 320 pixels`, async () => {
    const q = await go();
    await q.waitForLoadState();
    // What is looked at must not be replaced meanwhile.
    const pause = q.locator("#pause");
    if (await pause.isVisible()) await pause.click();
    for (const colorScheme of ["light", "dark"]) {
      await q.emulateMedia({ colorScheme });
      // By the debugger, which the policy for content does not bind.
      await q.evaluate(axeSource());
      const found = await q.evaluate(() => axe.run(document, { resultTypes: ["violations"] }));
      const grave = found.violations.filter((v) => v.impact === "serious" || v.impact === "critical")
        .map((v) => `${v.id}: ${v.help}: ${v.nodes.map((n) => n.html).slice(0, 3).join(" ")}`);
      assert.deepEqual(grave, [], colorScheme);
    }
    await q.setViewportSize({ width: 320, height: 640 });
    const over = await q.evaluate(() => {
      const limit = document.documentElement.clientWidth;
      const wide = Array.from(document.querySelectorAll("body *")).filter((e) =>
        e.getBoundingClientRect().right > limit + 1 && !e.closest(".scroll") && !e.matches(".visually-hidden, .visually-hidden *"));
      return { width: document.documentElement.scrollWidth - limit, wide: wide.map((e) => e.outerHTML.slice(0, 120)) };
    });
    assert.deepEqual(over, { width: 0, wide: [] });
    // What can be scrolled can be reached by the keyboard.
    const boxes = await q.evaluate(() => Array.from(document.querySelectorAll("*")).filter((e) =>
      e.scrollWidth > e.clientWidth + 1 && /auto|scroll/.test(getComputedStyle(e).overflowX) && e.tabIndex < 0).map((e) => e.outerHTML.slice(0, 120)));
    assert.deepEqual(boxes, []);
    await q.setViewportSize({ width: 1280, height: 900 });
  });
}

const keys = await login(await visit());
// tabTo presses Tab until an element has the focus, which has to be seen all the way.
const tabTo = async (what, most = 400) => {
  for (let i = 0; i < most; i++) {
    await keys.keyboard.press("Tab");
    const at = await keys.evaluate((selector) => {
      const e = document.activeElement, s = getComputedStyle(e), r = e.getBoundingClientRect();
      return { found: e.matches(selector), html: e.outerHTML.slice(0, 150), seen: (s.outlineStyle !== "none" && parseFloat(s.outlineWidth) >= 2) && r.width > 1 && r.height > 1 };
    }, what);
    assert.ok(at.seen, `focus is not seen on ${at.html}`);
    if (at.found) return;
  }
  assert.fail(`Tab does not reach ${what}`);
};
await step("a kill by the keyboard alone", async () => {
  await keys.goto(page + "/");
  await tabTo(".skip", 1);
  await keys.keyboard.press("Enter");
  await tabTo("#expr");
  await keys.keyboard.type("src 192.0.2.62-192.0.2.64");
  await keys.keyboard.press("Enter");
  await keys.waitForURL(/expr=/);
  await tabTo("th a");
  await tabTo("input[name=key]");
  await keys.keyboard.press("Space");
  await tabTo("button[name=marked]");
  await keys.keyboard.press("Enter");
  await keys.waitForURL(/\/web\/kill$/);
  await tabTo("input[name=watch]");
  await keys.keyboard.press("Space");
  await tabTo("button.danger");
  await keys.keyboard.press("Enter");
  await comes(() => keys.locator(".outcome-killed").count(), 1);
  assert.equal(from("192.0.2.62").length + from("192.0.2.63").length + from("192.0.2.64").length, 2);
});
await step("on paper there is the table, and nothing to press", async () => {
  await keys.goto(page + "/?expr=dst+198.51.100.7");
  await keys.emulateMedia({ media: "print", colorScheme: "dark" });
  assert.equal(await keys.getByRole("button").count(), 0);
  assert.ok(await keys.locator("#act tbody tr").first().isVisible());
  assert.equal(await keys.locator("form.filter").isVisible(), false);
  const [ink, paper] = await keys.evaluate(() => [getComputedStyle(document.querySelector("#act td + td")).color, getComputedStyle(document.documentElement).backgroundColor]);
  assert.deepEqual([ink, paper], ["rgb(0, 0, 0)", "rgb(255, 255, 255)"]);
});
await done();
