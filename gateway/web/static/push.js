// Lets this browser be pushed to: asks it for a subscription and hands that to the page's own address.
"use strict";

const panel = document.getElementById("push");
const part = (name) => document.getElementById(`push-${name}`);

function bytes(text) {
  const packed = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(packed, (letter) => letter.charCodeAt(0));
}

// As gateway/notify/browsers.py names a subscription.
async function named(given) {
  const hash = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(given.endpoint));
  return `browser-${Array.from(new Uint8Array(hash, 0, 4), (byte) => byte.toString(16).padStart(2, "0")).join("")}`;
}

async function begin(worker) {
  part("refused").hidden = true;
  try {
    const given = await worker.pushManager.subscribe({
      userVisibleOnly: true,
      applicationServerKey: bytes(panel.dataset.key),
    });
    const said = await fetch(panel.dataset.to, {
      method: "POST",
      body: new URLSearchParams({ subscription: JSON.stringify(given) }),
    });
    if (!said.ok) throw new Error(String(said.status));
    location.replace(said.url);
  } catch {
    part("refused").hidden = false;
  }
}

async function ready() {
  // Offered only where it can work: an address by http in the home is no secure context.
  if (!window.isSecureContext || !("serviceWorker" in navigator) || !("PushManager" in window)) return;
  const worker = await navigator.serviceWorker.register("/static/worker.js");
  const given = await worker.pushManager.getSubscription();
  const told = given && document.querySelector(`[data-browser="${await named(given)}"]`);
  part("cannot").hidden = true;
  part("told").hidden = !told;
  part("start").hidden = Boolean(told);
  if (given && !told) await given.unsubscribe();
  part("start").addEventListener("click", () => begin(worker));
}

if (panel?.dataset.key) ready();
