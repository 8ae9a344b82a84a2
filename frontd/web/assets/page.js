// SPDX-License-Identifier: GPL-2.0-or-later

// The table refreshes itself every two seconds. Everything works without this script: it asks
// for the same address again and takes over the part of the answer with the table, which the
// server has rendered and escaped. Marks, the focus and the place on the page stay as they are.
"use strict";
(() => {
  const live = document.getElementById("live");
  const controls = document.getElementById("controls");
  if (!live || !controls || !live.dataset.refresh) return;
  const pauseButton = document.getElementById("pause");
  const status = document.getElementById("status");
  const every = Number(live.dataset.refresh);
  const slowest = 15 * every;
  const text = controls.dataset;
  let paused = false, ended = false, timer = 0, wait = every, running = null;
  // attended: somebody is there. A refresh that nobody sees does not keep the session alive.
  let attended = false;
  const attend = (e) => { if (e.type !== "pointermove" || e.movementX || e.movementY) attended = true; };
  for (const type of ["pointermove", "pointerdown", "keydown", "wheel", "touchmove"]) addEventListener(type, attend, { passive: true });

  // say tells the status only where it is another one: what listens must not chatter.
  const say = (words) => { if (status.textContent !== words) status.textContent = words; };

  const again = (delay) => {
    clearTimeout(timer);
    if (!paused && !ended && !document.hidden) timer = setTimeout(refresh, delay);
  };

  // nameOf names an element so that it can be found again in the next table.
  const nameOf = (e) => {
    if (!e || !live.contains(e)) return null;
    const row = e.closest("tr");
    const box = row && row.querySelector("input[name=key]");
    const kill = row && row.querySelector("button[name=one]");
    return {
      id: e.id, tag: e.tagName, name: e.getAttribute("name"), label: e.getAttribute("aria-label"),
      key: box ? box.value : kill ? kill.value : "", text: e.textContent,
      scroll: e.classList.contains("scroll"),
    };
  };
  const find = (was) => {
    if (was.id) return document.getElementById(was.id);
    if (was.scroll) return live.querySelector(".scroll");
    for (const e of live.querySelectorAll(was.tag)) {
      if (e.getAttribute("name") !== was.name) continue;
      if (was.key) { const now = nameOf(e); if (now.key === was.key && now.label === was.label) return e; continue; }
      if (e.getAttribute("aria-label") === was.label && e.textContent === was.text) return e;
    }
    return null;
  };

  const takeOver = (next) => {
    const marked = new Set(Array.from(live.querySelectorAll("input[name=key]:checked"), (e) => e.value));
    const was = nameOf(document.activeElement);
    const open = Array.from(live.querySelectorAll("details[open][id]"), (e) => e.id);
    const box = live.querySelector(".scroll");
    const left = box ? box.scrollLeft : 0, x = scrollX, y = scrollY;
    live.replaceChildren(...Array.from(next.childNodes, (n) => document.importNode(n, true)));
    for (const e of live.querySelectorAll("input[name=key]")) e.checked = marked.has(e.value);
    for (const id of open) { const e = document.getElementById(id); if (e) e.open = true; }
    const now = live.querySelector(".scroll");
    if (now) now.scrollLeft = left;
    if (was) { const e = find(was); if (e) e.focus({ preventScroll: true }); }
    scrollTo(x, y);
  };

  // busy says that a new table would get in the way: text is being selected in it, or a button held.
  const busy = () => {
    const s = getSelection();
    return live.querySelector(":active") !== null ||
      s !== null && !s.isCollapsed && s.rangeCount > 0 && s.getRangeAt(0).intersectsNode(live);
  };

  const refresh = async () => {
    if (busy()) { again(every); return; }
    const abort = new AbortController();
    running = abort;
    const limit = setTimeout(() => abort.abort(), 30000);
    const seen = attended;
    const headers = seen ? {} : { "Nuconntrack-Unattended": "1" };
    attended = false;
    try {
      const answer = await fetch(location.href, { credentials: "same-origin", cache: "no-store", signal: abort.signal, headers });
      if (answer.redirected) { ended = true; say(text.ended); return; }
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const next = page.getElementById("live");
      if (!next || !answer.ok) throw new Error(String(answer.status));
      if (!paused && !busy()) takeOver(next);
      if (wait !== every) say("");
      wait = every;
    } catch (e) {
      attended = attended || seen;
      if (!paused && !document.hidden) { wait = Math.min(2 * wait, slowest); say(text.failed); }
    } finally {
      clearTimeout(limit);
      if (running === abort) running = null;
      again(wait);
    }
  };

  const pause = (on) => {
    paused = on;
    pauseButton.setAttribute("aria-pressed", String(on));
    say(on ? text.paused : text.running);
    if (on && running) running.abort();
    again(0);
  };

  pauseButton.addEventListener("click", () => pause(!paused));
  document.addEventListener("keydown", (e) => {
    const typing = e.target instanceof Element && e.target.closest("input:not([type=checkbox]), select, textarea");
    if (e.key === "p" && !typing && !e.ctrlKey && !e.metaKey && !e.altKey) { e.preventDefault(); pause(!paused); }
  });
  document.addEventListener("visibilitychange", () => {
    if (document.hidden && running) running.abort();
    again(document.hidden ? 0 : Math.min(wait, 200));
  });
  // Leaving the page must not end as a failure on it.
  addEventListener("pagehide", () => { clearTimeout(timer); if (running) running.abort(); });
  addEventListener("pageshow", (e) => { if (e.persisted) again(200); });

  controls.hidden = false;
  again(every);
})();
