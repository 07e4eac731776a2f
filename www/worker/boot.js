// Loads Pyodide in the worker, and holds what tabs say until Python is there to hear it. From `shell.start` on, Python
// owns the ports and the WebSocket. The address says which worker this is: build, generation and rung of the ladder.

const place = Object.fromEntries(new URL(self.location).searchParams);
const waiting = []; // {port, said}: tabs that came before Python
let told = null;
let shell = null;
let channel; // what reaches all tabs

// Handlers are assigned before the first await: what comes earlier would be lost.
if (place.rung === "shared") {
  self.onconnect = (event) => connect(event.ports[0]);
  channel = new BroadcastChannel(self.name);
} else if (place.rung === "elected") {
  const ports = new BroadcastChannel(`${self.name}-ports`);
  ports.onmessage = talk((to, text) => ports.postMessage({ to, text }));
  // tabs whose hello came too early say it again
  const anew = { kind: "booting", stage: "starting", loaded: 0, total: 0, anew: true };
  ports.postMessage({ to: "all", text: JSON.stringify(anew) });
  channel = new BroadcastChannel(self.name);
} else {
  self.onmessage = talk((to, text) => self.postMessage({ to, text }));
  channel = { postMessage: (text) => self.postMessage({ to: "all", text }), close() {} };
}

// Where tabs have no MessagePort of their own, each is given what looks like one: a name on messages that all share.
function talk(post) {
  const ports = new Map();
  return ({ data: { from, text } }) => {
    if (from === undefined) return; // what this side posted, or another that has taken over
    if (!ports.has(from)) {
      const port = { postMessage: (answer) => post(from, answer), close: () => ports.delete(from) };
      ports.set(from, port);
      connect(port);
    }
    ports.get(from).onmessage({ data: text });
  };
}

function connect(port) {
  if (shell) {
    shell.connect(port, "[]");
    return;
  }
  const tab = { port, said: [] };
  waiting.push(tab);
  port.onmessage = (message) => tab.said.push(message.data);
  port.postMessage(JSON.stringify(told));
  if (told.kind === "failed") self.close();
}

function tell(news) {
  told = { ...told, ...news };
  const text = JSON.stringify(told);
  for (const tab of waiting) tab.port.postMessage(text);
}

// Watching is the only way to learn that a start failed: Pyodide waits for ever for WebAssembly that does not come, or is
// broken.
function watchStart(watchFetches, total, fail) {
  const { instantiate, instantiateStreaming } = WebAssembly;
  const watched = (act) => (...given) => {
    const done = act.apply(WebAssembly, given);
    done.catch((error) => fail(new Error(`Python's WebAssembly is broken: ${error.message}`)));
    return done;
  };
  Object.assign(WebAssembly, { instantiate: watched(instantiate), instantiateStreaming: watched(instantiateStreaming) });
  let shown = 0;
  const counted = (loaded) => {
    if (loaded - shown <= total / 100) return;
    shown = loaded;
    tell({ loaded: Math.min(loaded, total) }); // a start from a snapshot that fails loads twice
  };
  const stop = watchFetches(counted, "", fail);
  return () => {
    stop();
    Object.assign(WebAssembly, { instantiate, instantiateStreaming });
  };
}

async function get(url) {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`The server answered ${response.status} for ${url}`);
  return response;
}

const snapshots = import("./snapshots.js"); // asked for at once, needed later
const guard = import("./turns.js");
const fetches = import("./fetches.js");

// Python with our modules in it, out of this build's memory snapshot where there is one (see snapshots.js), else plainly.
async function loadPython(config, bundle) {
  // not by Pyodide itself, whose own promise of it nobody would hear break
  const lock = get(`${config.packages}pyodide-lock.json`).then((response) => response.json());
  const parts = [import(`${config.pyodide}pyodide.mjs`), bundle, lock, snapshots];
  const [{ loadPyodide }, ours, packages, { restore, proven }] = await Promise.all(parts);
  const packageBaseUrl = new URL(config.packages, self.location).href;
  const load = async (options) => {
    const lockFileContents = structuredClone(packages);
    const pyodide = await loadPyodide({ indexURL: config.pyodide, lockFileContents, packageBaseUrl, ...options });
    pyodide.unpackArchive(ours, "zip");
    return pyodide;
  };
  const restored = await restore(config.build, async (bytes) => {
    const pyodide = await load({ _loadSnapshot: bytes });
    pyodide.pyimport("snapshot").restored();
    return pyodide;
  });
  if (restored) return { pyodide: restored, kind: "snapshot", done: () => proven(config.build) };
  return { pyodide: await load(), kind: "plain", done: () => {} };
}

async function boot() {
  if (typeof WebSocket === "undefined") throw new Error("This browser has no WebSocket in workers, or it is turned off.");
  const config = await (await get("/worker/boot.json")).json();
  tell({ stage: "loading", total: config.bytes });
  let stopWatching;
  const { watchFetches } = await fetches;
  const trouble = new Promise((_, reject) => {
    stopWatching = watchStart(watchFetches, config.bytes, reject);
  });
  const bundle = get(config.bundle).then((response) => response.arrayBuffer());
  const { pyodide, kind, done } = await Promise.race([loadPython(config, bundle), trouble]).finally(stopWatching);
  tell({ stage: "starting", loaded: config.bytes });
  const how = { start: kind, start_seconds: performance.now() / 1000 };
  const settings = { ...place, ...how, name: self.name, asked: place.build, build: config.build };
  const { watch, turns } = await guard;
  watch(pyodide);
  const hub = await pyodide.pyimport("shell").start(JSON.stringify(settings), channel, { turns, watchFetches });
  for (const { port, said } of waiting) hub.connect(port, JSON.stringify(said));
  waiting.length = 0;
  shell = hub;
  done();
}

function start() {
  tell({ kind: "booting", stage: "starting", loaded: 0, total: 0 });
  boot().catch((error) => {
    console.error(error);
    tell({ kind: "failed", code: "boot_failed", message: String(error.message ?? error).trim().split("\n").pop() });
    // a file that came broken stays so for as long as this worker lives; the next one asks anew
    if (waiting.length) self.close();
  });
}

start();
