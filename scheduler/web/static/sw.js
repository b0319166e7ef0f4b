// Shows the messages that are pushed to this browser, and opens their page.  Keeps no pages.
self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

self.addEventListener("push", (event) => {
  const told = event.data ? event.data.json() : { title: "Chung Tay", url: "/" };
  event.waitUntil(
    self.registration.showNotification(told.title, {
      body: told.body || "",
      tag: told.tag || "",
      renotify: Boolean(told.tag), // the newer one takes the place of the older, and is heard
      lang: told.lang || "vi",
      icon: "/static/favicon.svg",
      data: { url: told.url || "/" },
    }),
  );
});

self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  event.waitUntil(open(ours(event.notification.data.url)));
});

// An address of another house is not followed from here.
function ours(url) {
  try {
    const wish = new URL(url, self.location.origin);
    return wish.origin === self.location.origin ? wish.href : "/";
  } catch {
    return "/";
  }
}

async function open(url) {
  const windows = await self.clients.matchAll({ type: "window", includeUncontrolled: true });
  const there = windows.find((each) => each.url === new URL(url, self.location.origin).href);
  return there ? there.focus() : self.clients.openWindow(url);
}
