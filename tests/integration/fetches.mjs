// node fetches.mjs FETCHES SERVER: watches fetches as the worker does; a line of JSON says what was counted.
import { pathToFileURL } from "node:url";

globalThis.self = globalThis;
globalThis.location = new URL(process.argv[3]);
const { watchFetches } = await import(pathToFileURL(process.argv[2]));
const plain = fetch;
const get = async (path, options) => (await fetch(`${location.origin}${path}`, options)).text();

const seen = { counted: [], failed: [] };
const stop = watchFetches(
  (loaded) => seen.counted.push(loaded),
  `${location.origin}/api/`,
  (error) => seen.failed.push(error.message),
);
const kept = fetch; // as a library does that is imported meanwhile
seen.body = await get("/api/topics");
await get("/healthz");
await get("/api/topics", { method: "HEAD" });
await get("/api/no-such-thing");
await fetch("http://127.0.0.1:1/").catch((error) => error);
while (seen.counted.length === 0) await new Promise((resolve) => setTimeout(resolve, 10));

const other = (...request) => kept(...request);
globalThis.fetch = other;
stop();
seen.leavesOthers = fetch === other;
seen.later = await get("/api/topics");

globalThis.fetch = plain;
watchFetches(() => {})();
seen.restored = fetch === plain;
console.log(JSON.stringify(seen));
