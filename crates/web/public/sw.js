// Opens the page without a connection, and shows what is to be shown while nobody looks. It keeps the client's own files
// and nothing of what people say (the page itself does, see `client/model/kept.ts`). The two names in capitals are filled in when the client is built.

const VERSION = "__VERSION__";
const SHELL = __SHELL__;
const ABOUT = "/about.json";

/** Milliseconds that the server may take before the page is opened from what is kept. */
const PATIENCE_MS = 4000;

addEventListener("install", (event) => {
  skipWaiting();
  event.waitUntil(caches.open(VERSION).then((cache) => cache.addAll(SHELL.map((path) => new Request(path, { cache: "no-cache" })))));
});

addEventListener("activate", (event) => {
  const old = async () => {
    for (const name of await caches.keys()) if (name !== VERSION) await caches.delete(name);
    await clients.claim();
  };
  event.waitUntil(old());
});

/** From the server, in time; otherwise what is kept. */
async function fresh(request, path) {
  const cache = await caches.open(VERSION);
  const stop = new AbortController();
  const late = setTimeout(() => stop.abort(), PATIENCE_MS);
  try {
    const answer = await fetch(path === "/" ? path : request, { signal: stop.signal });
    if (path === ABOUT && answer.ok) await cache.put(path, answer.clone());
    return answer;
  } catch {
    return (await cache.match(path)) ?? Response.error();
  } finally {
    clearTimeout(late);
  }
}

addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== location.origin) return;
  if (url.pathname === "/" || url.pathname === ABOUT) event.respondWith(fresh(request, url.pathname));
  else if (SHELL.includes(url.pathname)) event.respondWith(caches.match(url.pathname).then((kept) => kept ?? fetch(request)));
});

addEventListener("notificationclick", (event) => {
  event.notification.close();
  const room = String(event.notification.data ?? "");
  const show = async () => {
    const [open] = await clients.matchAll({ type: "window" });
    if (!open) return clients.openWindow(room.startsWith("#") ? `/#${encodeURIComponent(room.slice(1))}` : "/");
    open.postMessage({ open: room });
    return open.focus();
  };
  event.waitUntil(show());
});
