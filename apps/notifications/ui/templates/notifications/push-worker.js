{% load static %}/** Shows what is pushed, also while no page of the vault is open, and opens what a click asks for. It keeps nothing and answers no requests. */

self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

self.addEventListener("push", (event) => {
  const told = event.data.json();
  const picture = "{% static "img/favicon.svg" %}";
  event.waitUntil(
    self.registration.showNotification(told.title, {
      body: told.body,
      tag: told.tag,
      lang: told.lang,
      dir: "auto",
      timestamp: told.at,
      icon: picture,
      data: { path: told.path },
    }),
  );
});

self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  // A path of this host alone: whoever could push another one would lead people elsewhere.
  const address = new URL(event.notification.data.path, self.location.origin);
  if (address.origin !== self.location.origin) return;
  event.waitUntil(open(address.href));
});

async function open(href) {
  const pages = await self.clients.matchAll({ type: "window" });
  const page = pages.find((one) => one.url === href) ?? pages.find((one) => one.visibilityState === "visible");
  if (!page) return void (await self.clients.openWindow(href));
  // The page goes there itself, and what it sends goes on.
  if (page.url !== href) page.postMessage({ open: href });
  await page.focus();
}
