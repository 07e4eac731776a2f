// node --experimental-wasm-jspi lessons.mjs SERVER FOLDER NAME…: the worker without a browser. Its Python runs on the
// Pyodide that stands in FOLDER, with the server's bundle, and talks to the server over a real WebSocket; a tab that is
// played here opens the notebooks of these names, and runs them all at once. For each a line of JSON: {"name", "cells"}.
import { pathToFileURL } from "node:url";

const [server, folder, ...names] = process.argv.slice(2);
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
const pyodide = await loadPyodide({ indexURL: folder });
const config = await (await fetch("/worker/boot.json")).json();
pyodide.unpackArchive(await (await fetch(config.bundle)).arrayBuffer(), "zip");
const script = await (await fetch("/worker/turns.js")).text();
const { watch, turns } = await import(`data:text/javascript,${encodeURIComponent(script)}`);
watch(pyodide);

const place = { name: "lessons", generation: 1, rung: "own", build: config.build, asked: config.build };
const settings = { ...place, start: "plain", start_seconds: 0, notices: "lessons" };
const shell = await pyodide.pyimport("shell").start(JSON.stringify(settings), { postMessage() {}, close() {} }, turns);

const answers = new Map(); // by ref: who waits for it
const port = {
  postMessage(text) {
    const frame = JSON.parse(text.split("\n")[0]);
    if (frame.kind === "notebook") answers.get(frame.ref)?.(frame);
  },
  close() {},
};
shell.connect(port, "[]");
const say = (frame) => port.onmessage({ data: JSON.stringify(frame) });

let refs = 0;
async function ask(what) {
  const ref = ++refs;
  const answer = new Promise((resolve) => answers.set(ref, resolve));
  say({ kind: "notebook", ref, ...what });
  const frame = await answer;
  if (frame.error) throw new Error(`${JSON.stringify(what)}: ${frame.code}: ${frame.error}`);
  return frame.value;
}

const tab = { tab: "a-tab", browser: "b".repeat(16), page: "notebook", visible: true, locked: false };
say({ kind: "hello", protocol: 1, ref: 0, ...tab, cursor: null, topics: [] });
async function run(name) {
  let { notebook } = await ask({ do: "open", name });
  await ask({ do: "run", name, cells: notebook.cells.filter((cell) => cell.type === "code").map((cell) => cell.id) });
  do {
    await new Promise((resolve) => setTimeout(resolve, 50));
    ({ notebook } = await ask({ do: "open", name }));
  } while (notebook.cells.some((cell) => ["queued", "running"].includes(cell.state)));
  console.log(JSON.stringify({ name, cells: notebook.cells }));
}

await Promise.all(names.map(run));
process.exit(0);
