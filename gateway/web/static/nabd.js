// Takes changed parts of the page from /events and lets ages tick. Without it the page asks for itself again.
"use strict";

const SILENCE = 25_000; // two beats and a half: the line is dead, though nobody told us (sleep, another network)
const language = document.documentElement.lang;
const ages = new Intl.RelativeTimeFormat(`${language}-u-nu-latn`, { numeric: "always" });
const justNow = new Intl.RelativeTimeFormat(language, { numeric: "auto" }).format(0, "second");
const lost = document.getElementById("lost");
const full = document.getElementById("full");
const shown = new Map(); // what each part says already: a new connection tells all of them again
let ahead = Number(document.body.dataset.now) - Date.now(); // of the gateway's clock before this device's
let heard = Date.now();
let source = null;

// As gateway/web/words.py: 119 seconds, then 2 minutes.
function said(seconds) {
  if (seconds < 1) return justNow;
  if (seconds < 120) return ages.format(-seconds, "second");
  if (seconds < 7200) return ages.format(-Math.floor(seconds / 60), "minute");
  if (seconds < 172800) return ages.format(-Math.floor(seconds / 3600), "hour");
  return ages.format(-Math.floor(seconds / 86400), "day");
}

function tick() {
  const now = Date.now() + ahead;
  for (const age of document.querySelectorAll("time[data-at]")) {
    age.textContent = said(Math.max(0, Math.floor((now - Number(age.dataset.at)) / 1000)));
  }
  if (source && Date.now() - heard > SILENCE) listen();
}

function listen() {
  source?.close();
  heard = Date.now();
  const home = document.body.dataset.home; // which of many an operator looks at
  source = new EventSource(`/events?lang=${language}${home ? `&home=${encodeURIComponent(home)}` : ""}`);
  source.addEventListener("beat", (event) => {
    heard = Date.now();
    ahead = JSON.parse(event.data) - heard;
    lost.hidden = full.hidden = true;
  });
  source.addEventListener("part", (event) => {
    const { id, html } = JSON.parse(event.data);
    const element = document.getElementById(id);
    if (!element || shown.get(id) === html) return;
    shown.set(id, html);
    element.innerHTML = html;
    tick();
  });
  source.addEventListener("anew", () => location.reload());
  source.addEventListener("full", (event) => {
    source.close();
    source = null;
    lost.hidden = true;
    full.hidden = false;
    // Give or take a half, or all that were refused together would come again together.
    setTimeout(renew, JSON.parse(event.data) * (500 + 1000 * Math.random()));
  });
  source.addEventListener("error", () => {
    lost.hidden = false;
    // The browser tries again by itself but for a refusal: signed out, or a proxy without us.
    if (source.readyState === EventSource.CLOSED) setTimeout(ask, 10_000);
  });
}

const parts = (page) => [...page.querySelectorAll("#summary, #alerts, .cards > li")];
const names = (page) => parts(page).map((part) => part.id).join(" ");

// Without a place to listen: takes all parts from a whole page, then asks for a place again.
async function renew() {
  try {
    const answer = await fetch(location.href);
    if (answer.status === 401) return location.reload();
    if (answer.ok) {
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
      if (names(fresh) !== names(document)) return location.reload();
      for (const part of parts(fresh)) document.getElementById(part.id).innerHTML = part.innerHTML;
      ahead = Number(fresh.body.dataset.now) - Date.now();
      shown.clear();
    }
  } catch {
    // Nobody answers: listening says so.
  }
  listen();
}

function ask() {
  fetch("/", { method: "HEAD" }).then((answer) => (answer.status === 401 ? location.reload() : listen()), listen);
}

setInterval(tick, 1000);
listen();
