// Shows the messages that are pushed to this browser, and opens their page.  Shows the copies of
// pages that keep.js put here when the network fails: one reader's, and gone with that reader.
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

const PATIENCE = 3000; // ms that a page may take where a copy of it is at hand
const LIFE = 7 * 24 * 3600 * 1000; // a copy that nobody renewed for so long tells of the past

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (url.origin !== self.location.origin) return;
  if (request.method !== "GET") {
    if (url.pathname === "/sign-out") event.waitUntil(forget());
  } else if (request.mode === "navigate") event.respondWith(page(event, url));
  else if (url.pathname.startsWith("/static/")) event.respondWith(file(request));
});

const kept = (what, how) => caches.match(what, { cacheName: "kept", ...how });
const owner = async () => (await kept("/kept"))?.json();
const forget = () => caches.delete("kept");

async function page(event, url) {
  const whose = await owner();
  const fresh = fetch(event.request);
  if (!whose) return fresh;
  const path = url.search ? "" : url.pathname;
  event.waitUntil(fresh.then((answer) => learn(answer.clone(), whose, path)).catch(() => {}));
  try {
    return await (whose.pages.includes(path) ? Promise.race([fresh, tooLate()]) : fresh);
  } catch (fault) {
    return (await copy(path)) ?? (fault === "late" ? fresh.catch(noPage) : noPage());
  }
}

const tooLate = () => new Promise((_, give) => setTimeout(give, PATIENCE, "late"));
const noPage = async () => (await copy("/offline")) ?? Response.error();

// Whatever page comes says whose it is: anybody else's, or nobody's, ends the copies.
async function learn(answer, { reader, pages }, path) {
  const said = answer.ok && answer.headers.get("x-reader");
  if (!said) return;
  if (said !== reader) await forget();
  else if (pages.includes(path) && !answer.redirected) {
    const dated = await renewed(answer);
    // Not after a sign-out that came in the meantime.
    if ((await owner())?.reader === reader) await (await caches.open("kept")).put(path, dated);
    if ((await owner())?.reader !== reader) await forget();
  }
}

async function renewed(answer) {
  const headers = { "x-kept": Date.now() };
  for (const name of ["content-type", "content-security-policy"]) {
    headers[name] = answer.headers.get(name);
  }
  return new Response(await answer.blob(), { headers });
}

async function copy(path) {
  const found = path && (await owner()) && (await kept(path));
  if (!found || !(Date.now() - found.headers.get("x-kept") < LIFE)) return undefined;
  const text = (await found.text()).replace('id="kept" hidden', 'id="kept"');
  return new Response(text, { headers: found.headers });
}

async function file(request) {
  const found = await kept(request);
  if (found) return found;
  try {
    const answer = await fetch(request);
    if (answer.ok && (await owner())) {
      const cache = await caches.open("kept");
      await cache.delete(request, { ignoreSearch: true }); // what an earlier page looked like
      await cache.put(request, answer.clone());
    }
    return answer;
  } catch {
    return (await kept(request, { ignoreSearch: true })) ?? Response.error();
  }
}
