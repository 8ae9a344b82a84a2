// SPDX-License-Identifier: GPL-2.0-or-later

// What the journeys have in common: a browser that tells of everything that goes wrong in it, and
// the kernel's own word, by conntrack(8), about which connections there are.
import { strict as assert } from "node:assert";
import { execFileSync } from "node:child_process";
import { createRequire } from "node:module";

const require = createRequire(import.meta.url); // which heeds NODE_PATH
const { chromium } = require("playwright-core");

export { assert };
export const page = process.env.PAGE;
export const password = process.env.PASSWORD;
export const hostile = process.env.HOSTILE;
export const axeSource = () => require("axe-core").source;

const browser = await chromium.launch({
  executablePath: "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync"],
});

// troubles are what no page may cause: messages of the console such as those of the policy for
// content, scripts that fail, dialogues that hostile text opened, requests to anywhere else.
export const troubles = [];

const wanted = [];

// patience is how long a journey waits for what has to come, in ms: only one that fails takes it.
const patience = 60000;

// trouble waits for one that has to come, and forgives it from then on: the browser tells of it in
// its own time, and perhaps more than once.
export async function trouble(like) {
  await until(`a message like ${like}`, () => troubles.some((t) => like.test(t)));
  wanted.push(like);
}

// visit opens a browser of its own, without cookies.
export async function visit(options = {}) {
  const context = await browser.newContext({ locale: "en-GB", ignoreHTTPSErrors: true, viewport: { width: 1280, height: 900 }, ...options });
  context.setDefaultTimeout(patience);
  context.on("console", (m) => {
    if ((m.type() === "error" || m.type() === "warning") && !/^Failed to load resource/.test(m.text())) troubles.push(`console: ${m.text()}`);
  });
  context.on("weberror", (e) => troubles.push(`script: ${e.error()}`));
  context.on("dialog", (d) => { troubles.push(`dialogue: ${d.message()}`); d.dismiss(); });
  context.on("request", (r) => { if (!options.elsewhere && !r.url().startsWith(page + "/")) troubles.push(`request: ${r.url()}`); });
  if (options.javaScriptEnabled !== false) {
    await context.addInitScript(() => document.addEventListener("securitypolicyviolation",
      (e) => console.error(`securitypolicyviolation: ${e.violatedDirective} ${e.blockedURI}`)));
  }
  return context;
}

// login logs in on a new page, and returns that.
export async function login(context, user = "ann", at = "/") {
  const p = await context.newPage();
  await p.goto(page + at);
  await enter(p, user);
  await p.waitForSelector("#act, main .message");
  await p.waitForLoadState();
  return p;
}

export async function enter(p, user, secret = password) {
  await p.locator("#user").fill(user);
  await p.locator("#password").fill(secret);
  await p.locator("main button[type=submit]").click();
}

// step says what is being done, so that the last line before a failure names it.
export async function step(name, todo) {
  const began = Date.now();
  process.stdout.write(name);
  await todo();
  process.stdout.write(` (${Date.now() - began} ms)\n`);
}

// done ends the journey.
export async function done() {
  await browser.close();
  assert.deepEqual(troubles.filter((t) => !wanted.some((like) => like.test(t))), []);
}

// until waits for what the kernel or the page has to come to.
export async function until(what, so) {
  for (const end = Date.now() + patience; !(await so());) {
    if (Date.now() > end) throw new Error(`waited in vain: ${what}`);
    await new Promise((r) => setTimeout(r, 50));
  }
}

// comes waits until what get reads is want, or matches it where that is a regular expression. What
// follows a click is read by it: the next page may not be there yet, or only its beginning.
export async function comes(get, want) {
  for (const end = Date.now() + patience; ;) {
    let got, wrong;
    try {
      got = await get();
      if (want instanceof RegExp) assert.match(got, want); else assert.deepEqual(got, want);
      return;
    } catch (e) {
      wrong = e; // also of a page that is left in the middle of the reading
    }
    if (Date.now() > end) throw wrong;
    await new Promise((r) => setTimeout(r, 50));
  }
}

// shows waits until the main part of a page says something.
export const shows = (p, words) => comes(() => p.locator("main").innerText(), words);

// kernel lists connections as conntrack(8) prints them, by its options.
export function kernel(...options) {
  return execFileSync("conntrack", ["-L", "-o", "id,extended", ...options], { stdio: ["ignore", "pipe", "ignore"] })
    .toString().split("\n").filter((line) => line !== "");
}

// from lists those from an address.
export const from = (address) => kernel("--orig-src", address);

// rows are the addresses and ports of the table's rows as it shows them.
export const rows = (p) => p.locator("#act tbody tr");
export const total = async (p) => Number((await p.locator(".summary strong").innerText()).replace(/\D/g, ""));
