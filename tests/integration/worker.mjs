// The worker without a browser: its Python runs on the Pyodide that stands in a folder, with the server's bundle, and talks
// to the server over a real WebSocket. Tabs are played here: `connect(heard)` gives a function that says a frame to the
// worker; `heard` is told each frame that the worker posts to this tab.
import { pathToFileURL } from "node:url";

export async function startWorker(server, folder) {
  const plainFetch = globalThis.fetch;

  // what a worker has, and Node has under another name or not at all
  globalThis.self = globalThis;
  globalThis.location = new URL(server);
  globalThis.addEventListener ??= () => {}; // nobody tells that the network is back
  const whole = (address) => (typeof address === "string" && address.startsWith("/") ? server + address : address);
  globalThis.fetch = (address, ...rest) => plainFetch(whole(address), ...rest);
  globalThis.Request = class extends Request {
    constructor(address, ...rest) {
      super(whole(address), ...rest);
    }
  };

  const { loadPyodide } = await import(pathToFileURL(`${folder}/pyodide.mjs`));
  const pyodide = await loadPyodide({ indexURL: folder, stdout: console.error, stderr: console.error });
  const config = await (await fetch("/worker/boot.json")).json();
  pyodide.unpackArchive(await (await fetch(config.bundle)).arrayBuffer(), "zip");
  const load = async (name) => {
    const script = await (await fetch(`/worker/${name}`)).text();
    return import(`data:text/javascript,${encodeURIComponent(script)}`);
  };
  const { watch, turns } = await load("turns.js");
  const { watchFetches } = await load("fetches.js");
  watch(pyodide);

  const place = { name: "a-worker", generation: 1, rung: "own", build: config.build, asked: config.build };
  const settings = { ...place, start: "plain", start_seconds: 0, notices: "a-site" };
  const channel = { postMessage() {}, close() {} };
  const browser = { turns, watchFetches };
  const shell = await pyodide.pyimport("shell").start(JSON.stringify(settings), channel, browser);

  let tabs = 0;
  return function connect(heard) {
    const port = { postMessage: (text) => heard(JSON.parse(text.split("\n")[0])), close() {} };
    shell.connect(port, "[]");
    const say = (frame) => port.onmessage?.({ data: JSON.stringify(frame) });
    const tab = { tab: `tab-${++tabs}`, browser: "b".repeat(16), page: "notebook", visible: true, locked: false };
    say({ kind: "hello", protocol: 1, ref: 0, ...tab, cursor: null, topics: [] });
    return say;
  };
}
