// Has a memory snapshot of Python made while the tab is at rest, so that the worker's next start is a fast one.
//
// Once the line has been live for a while in a tab that is looked at, one tab of the browser starts a dedicated worker,
// /worker/snapshot.js, and ends it when it is done. No snapshot, no harm: what goes wrong is a line in the console.

const REST_MS = 5_000;
const PATIENCE_MS = 120_000;
const CLAIM = "partyline-snapshot";

const visible = () =>
  new Promise((resolve) => {
    const look = () => document.hidden || resolve();
    document.addEventListener("visibilitychange", look);
    look();
  });

const rest = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

const live = new Promise((resolve) => {
  const observer = new PerformanceObserver((list) => list.getEntriesByName("line-live").length && resolve());
  observer.observe({ type: "mark", buffered: true });
});

const idle = () => (window.requestIdleCallback ? new Promise((resolve) => requestIdleCallback(resolve)) : rest(0));

async function make() {
  const worker = new Worker("/worker/snapshot.js", { type: "module" });
  const said = new Promise((resolve, reject) => {
    worker.onmessage = (event) => resolve(event.data);
    worker.onerror = (event) => reject(new Error(event.message || "its worker could not be started"));
    setTimeout(() => reject(new Error(`it took longer than ${PATIENCE_MS / 1000} s`)), PATIENCE_MS);
  });
  return said.finally(() => worker.terminate());
}

// Runs `act` unless another tab is at it; where there are no Web Locks, that is told by the time of a claim.
async function alone(act) {
  if (navigator.locks) return navigator.locks.request(CLAIM, { ifAvailable: true }, (lock) => lock && act());
  if (Date.now() - (localStorage.getItem(CLAIM) ?? 0) < PATIENCE_MS) return null;
  localStorage.setItem(CLAIM, Date.now());
  return act().finally(() => localStorage.removeItem(CLAIM));
}

// Asked for while the page loads, when the server is there; it is not worth a word if it does not come.
const snapshots = import("/worker/snapshots.js").catch(() => ({ wanted: async () => false }));

async function main() {
  await live;
  const { build } = document.documentElement.dataset;
  const { wanted } = await snapshots;
  do {
    await rest(REST_MS);
    await visible();
    await idle();
  } while (document.documentElement.dataset.line !== "live");
  const told = (await wanted(build)) && (await alone(async () => (await wanted(build)) && make()));
  if (told) console.info(`partyline: ${told}`);
}

main().catch((error) => console.info(`partyline: no memory snapshot: ${error}`));
