// Makes a memory snapshot of Python with our modules in it, from which boot.js starts in a fraction of the time.
//
// A dedicated worker of one tab (www/js/snapshot.js starts it, and ends it once it has said how it went): a second
// interpreter, since the one that made a snapshot can't use the browser any more, and making it takes seconds, in which
// the line's own worker would stand still. What it loads is in the browser's HTTP cache by now.

import { failed, store, wanted } from "./snapshots.js";

async function get(url) {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`The server answered ${response.status} for ${url}`);
  return response;
}

function load(config) {
  const bundle = get(config.bundle).then((response) => response.arrayBuffer());
  const lock = get(`${config.packages}pyodide-lock.json`).then((response) => response.json());
  return Promise.all([import(`${config.pyodide}pyodide.mjs`), bundle, lock]);
}

async function make(config, [{ loadPyodide }, bundle, lockFileContents]) {
  const packageBaseUrl = new URL(config.packages, self.location).href;
  const pyodide = await loadPyodide({ indexURL: config.pyodide, lockFileContents, packageBaseUrl, _makeSnapshot: true });
  const size = pyodide._module.HEAP8.length;
  pyodide.unpackArchive(bundle, "zip");
  pyodide.pyimport("snapshot").prepare();
  // a fresh interpreter's memory has this size, and Pyodide does not let it grow before it restores
  if (pyodide._module.HEAP8.length !== size) throw new Error("Python's memory grew beyond what Pyodide can restore");
  return pyodide.makeMemorySnapshot();
}

async function main() {
  const started = performance.now();
  const config = await (await get("/worker/boot.json")).json();
  if (!(await wanted(config.build))) return "the memory snapshot that the server's files need is there already";
  const files = await load(config); // a server that is away says nothing against snapshots
  try {
    const bytes = await make(config, files);
    await store(config.build, bytes);
    const seconds = ((performance.now() - started) / 1000).toFixed(1);
    return `a memory snapshot of ${(bytes.length / 1e6).toFixed(0)} MB was made in ${seconds} s`;
  } catch (error) {
    await failed(config.build);
    throw error;
  }
}

main()
  .catch((error) => `no memory snapshot could be made: ${error}`)
  .then((told) => self.postMessage(told));
