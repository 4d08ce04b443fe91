// Shows what is pushed, also while no page is open, and opens what is tapped. It keeps nothing and fetches nothing.
"use strict";

self.addEventListener("push", (event) => {
  const said = event.data.json();
  const shown = {
    body: said.body,
    tag: said.tag,
    lang: said.lang,
    dir: said.lang === "ar" ? "rtl" : "ltr",
    silent: said.silent,
    renotify: !said.silent,
    icon: "/static/nabd.svg",
    actions: said.actions.map(({ action, title }) => ({ action, title })),
    data: { page: said.url, ...Object.fromEntries(said.actions.map(({ action, url }) => [action, url])) },
  };
  event.waitUntil(self.registration.showNotification(said.title, shown));
});

self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  event.waitUntil(self.clients.openWindow(event.notification.data[event.action || "page"]));
});
