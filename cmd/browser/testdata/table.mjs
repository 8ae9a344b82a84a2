// SPDX-License-Identifier: GPL-2.0-or-later
import { assert, comes, done, login, page, rows, shows, step, total, until, visit } from "./lib.mjs";

const context = await visit();
const p = await login(context);
const show = () => p.getByRole("button", { name: "Show", exact: true }).click();
const totals = (many) => comes(() => total(p), many);
const column = async (name) => {
  const heads = await p.locator("#act thead th").allInnerTexts();
  const at = heads.findIndex((h) => h.replace(/[▲▼]/g, "").trim() === name);
  assert.notEqual(at, -1, `no column ${name} in ${heads}`);
  return (await p.locator(`#act tbody tr > *:nth-child(${at + 1})`).allInnerTexts()).map((s) => s.trim());
};

await step("an expression", async () => {
  await p.locator("#expr").fill("proto tcp and dst 198.51.100.7");
  await p.keyboard.press("Enter");
  await totals(120);
  await comes(() => rows(p).count(), 100);
});
await step("a mistake in it, with its place", async () => {
  await p.locator("#expr").fill("proto tcp and nonsense 5");
  await p.keyboard.press("Enter");
  await p.locator("#expr-wrong").waitFor();
  await comes(() => p.locator("#expr-wrong").innerText(), /At character 15 .*nonsense/);
  assert.equal(await p.locator("#expr").getAttribute("aria-invalid"), "true");
  assert.equal(await p.locator("#expr").inputValue(), "proto tcp and nonsense 5");
  await p.waitForLoadState();
  assert.equal(await p.locator("#act").count(), 0);
});
await step("the boxes", async () => {
  await p.locator("#expr").fill("");
  await p.getByLabel("Source", { exact: true }).first().fill("192.0.2.16/28");
  await p.getByLabel("Protocol", { exact: true }).first().fill("tcp");
  await show();
  await totals(16);
  await p.locator("#q-src").fill("300.1.2.3");
  await show();
  await comes(() => p.locator("#w-src").innerText(), /300\.1\.2\.3/);
  assert.equal(await p.locator("#q-src").getAttribute("aria-describedby"), "w-src");
  await p.getByRole("link", { name: "Show everything" }).click();
  await until("everything is shown", async () => await total(p) >= 125);
});
await step("sorting", async () => {
  await p.goto(page + "/?expr=dst+198.51.100.7+and+tcp&size=25");
  await p.getByRole("link", { name: "Source port", exact: true }).click();
  await comes(() => p.locator("th[aria-sort]").getAttribute("aria-sort"), "descending");
  await comes(async () => (await column("Source port"))[0], "40119");
  await p.getByRole("link", { name: /^Source port/ }).click();
  await comes(() => p.locator("th[aria-sort]").getAttribute("aria-sort"), "ascending");
  await comes(async () => (await column("Source port"))[0], "40000");
});
await step("pages neither skip nor repeat", async () => {
  const all = [];
  for (let number = 1; ; number++) {
    await comes(() => p.locator(".pages").first().innerText(), new RegExp(`\\b${25 * number - 24} to `));
    await p.waitForLoadState();
    all.push(...await column("Source port"));
    const next = p.getByRole("link", { name: "Next" });
    if (await next.count() === 0) break;
    await next.click();
  }
  assert.deepEqual(all, Array.from({ length: 120 }, (_, i) => String(40000 + i)));
  await p.getByRole("link", { name: "First" }).click();
  await p.getByText("1 to 25").first().waitFor();
});
await step("columns", async () => {
  await p.getByText("Columns", { exact: true }).first().click();
  await p.getByRole("checkbox", { name: "Id", exact: true }).check();
  await p.getByRole("checkbox", { name: "Timeout", exact: true }).uncheck();
  await p.getByRole("button", { name: "Show these columns" }).click();
  await p.waitForURL(/cols=/);
  const heads = async () => (await p.locator("#act thead th").allInnerTexts()).map((h) => h.trim());
  await until("the columns asked for", async () => { const h = await heads(); return h.includes("Id") && !h.includes("Timeout"); });
  await p.waitForLoadState();
});
await step("a colleague sees the same by the address", async () => {
  const colleague = await visit();
  const address = p.url().slice(page.length).replace(/&?snapshot=[^&]*/, "");
  const q = await login(colleague, "vic", address);
  assert.equal(q.url(), page + address);
  const mine = (await p.locator("#act thead th a").allInnerTexts()), his = await q.locator("#act thead th a").allInnerTexts();
  assert.deepEqual(his, mine);
  await colleague.close();
});
await step("translated addresses are seen in the table and explained", async () => {
  await p.goto(page + "/?expr=" + encodeURIComponent("src 10.0.0.5"));
  assert.match(await rows(p).first().innerText(), /192\.0\.2\.254/);
  await p.getByRole("link", { name: /^Details of/ }).click();
  await shows(p, /The source is translated: .*10\.0\.0\.5:33333 .*192\.0\.2\.254:61000/);
  await p.goto(page + "/?expr=" + encodeURIComponent("src 2001:db8::/32"));
  assert.match(await rows(p).first().innerText(), /fd00:1234:5678:9abc:def0:1234:5678:9abc/);
});
await step("markup in the name of a connection's user stays text", async () => {
  await p.goto(page + "/?expr=" + encodeURIComponent("dport 22") + "&cols=orig_src,username");
  assert.match(await rows(p).first().innerText(), /<b>mallory<\/b><script>alert\(2\)<\/script>/);
  await p.getByRole("link", { name: /^Details of/ }).click();
  await shows(p, /<b>mallory<\/b>/);
});
await step("labels are a number, whatever the rules call them", async () => {
  await p.goto(page + "/?expr=" + encodeURIComponent("labels 0x8000000000000021") + "&cols=orig_src,labels");
  assert.equal(await total(p), 1);
  assert.match(await rows(p).first().innerText(), /192\.0\.2\.200\s+0x8000000000000021\s/);
  await p.getByRole("link", { name: /^Details of/ }).click();
  await shows(p, /Labels\s+0x8000000000000021/);
});
await step("markup in the filter stays text", async () => {
  await p.goto(page + "/?expr=" + encodeURIComponent('"><script>alert(3)</script>') + "&src=" + encodeURIComponent("<img src=x onerror=alert(4)>"));
  assert.equal(await p.locator("#expr").inputValue(), '"><script>alert(3)</script>');
  assert.equal(await p.locator("main img, main script").count(), 0);
});
await step("who talks most, and back to their connections", async () => {
  await p.goto(page + "/");
  await p.getByRole("link", { name: "Top talkers" }).click();
  const choose = (name) => p.locator(".choices").getByRole("link", { name, exact: true }).click();
  await choose("Connections");
  await choose("Destination");
  const first = p.locator("main tbody tr").first();
  await comes(() => first.innerText(), /198\.51\.100\.7\s+121/);
  await first.getByRole("link").click();
  await totals(121);
  await p.getByRole("link", { name: "Top talkers" }).click();
  await choose("Dest. port");
  await comes(() => p.locator("main tbody").innerText(), /443\s+120/);
});
await done();
