/**
 * Opens the page when the server does not answer. The server writes the name of its tree of files and what is in it into
 * this text: each version has a worker of its own, which takes the place of the one before at once.
 *
 * The page is asked of the server first, always; the one that is kept is for when there is no answer. Files stand under
 * the hash of their tree and cannot be stale. Nothing else is touched.
 */
const TREE = "__STATIC__";
const FILES = "__FILES__".split(" ");
const PAGE = "/play";
/** Milliseconds the server may take for the page. */
const PATIENCE = 8000;

const kept = () => caches.open(TREE);

async function keep() {
  const page = await fetch(PAGE, { cache: "no-store" });
  const words = await page.clone().text();
  if (!page.ok || !words.includes(`${TREE}/`)) throw new Error("the server has another version by now");
  const cache = await kept();
  await cache.addAll(FILES.map((name) => `${TREE}/${name}`));
  await cache.put(PAGE, page);
  await self.skipWaiting();
}

async function begin() {
  const others = (await caches.keys()).filter((name) => name.startsWith("/static/") && name !== TREE);
  await Promise.all(others.map((name) => caches.delete(name)));
  await self.clients.claim();
}

async function page(request) {
  let answer = Response.error();
  try {
    answer = await fetch(request, { signal: AbortSignal.timeout(PATIENCE) });
    if (answer.status < 500) return answer;
  } catch {
    // no answer
  }
  return (await (await kept()).match(PAGE)) ?? answer;
}

const file = async (request) => (await (await kept()).match(request)) ?? fetch(request);

self.addEventListener("install", (event) => event.waitUntil(keep()));
self.addEventListener("activate", (event) => event.waitUntil(begin()));
self.addEventListener("fetch", (event) => {
  const { request } = event;
  const { origin, pathname } = new URL(request.url);
  if (origin !== location.origin || request.method !== "GET") return;
  if (request.mode !== "navigate") {
    if (pathname.startsWith(`${TREE}/`)) event.respondWith(file(request));
  } else if (pathname === PAGE) event.respondWith(page(request));
});
