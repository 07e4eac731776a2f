// Loads Pyodide in the SharedWorker, and holds what tabs say until Python is there to hear it.
// Nothing else in this folder is JavaScript: from `shell.start` on, Python owns the ports and the WebSocket.

const waiting = []; // {port, said}: tabs that came before Python
let told = { kind: "booting", stage: "starting", loaded: 0, total: 0 };
let shell = null;

// Assigned before the first await: a port that connects earlier would be lost.
self.onconnect = (event) => {
  const port = event.ports[0];
  if (shell) {
    shell.connect(port, "[]");
    return;
  }
  const tab = { port, said: [] };
  waiting.push(tab);
  port.onmessage = (message) => tab.said.push(message.data);
  port.postMessage(JSON.stringify(told));
};

function tell(news) {
  told = { ...told, ...news };
  const text = JSON.stringify(told);
  for (const tab of waiting) tab.port.postMessage(text);
}

// Pyodide fetches by itself; counting what its responses bring is the only way to show how far it is.
function countBytes(total) {
  const plainFetch = self.fetch;
  let loaded = 0;
  let shown = 0;
  self.fetch = async (...request) => {
    const response = await plainFetch(...request);
    if (!response.ok || !response.body) return response;
    const counter = new TransformStream({
      transform(chunk, controller) {
        loaded += chunk.byteLength;
        if (loaded - shown > total / 100) {
          shown = loaded;
          tell({ loaded });
        }
        controller.enqueue(chunk);
      },
    });
    const { status, statusText, headers } = response;
    return new Response(response.body.pipeThrough(counter), { status, statusText, headers });
  };
  return () => {
    self.fetch = plainFetch;
  };
}

async function get(url, what) {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${what} could not be loaded: the server answered ${response.status} for ${url}`);
  return response;
}

async function boot() {
  const config = await (await get("/worker/boot.json", "The worker's settings")).json();
  tell({ stage: "loading", total: config.bytes });
  const stopCounting = countBytes(config.bytes);
  const bundle = get(config.bundle, "The worker's Python");
  const { loadPyodide } = await import(`${config.pyodide}pyodide.mjs`);
  const pyodide = await loadPyodide({ indexURL: config.pyodide });
  pyodide.unpackArchive(await (await bundle).arrayBuffer(), "zip");
  stopCounting();
  tell({ stage: "starting", loaded: config.bytes });
  const hub = pyodide.pyimport("shell").start(JSON.stringify({ name: self.name, build: config.build }));
  for (const { port, said } of waiting.splice(0)) hub.connect(port, JSON.stringify(said));
  shell = hub;
}

boot().catch((error) => {
  console.error(error);
  tell({ kind: "failed", code: "boot_failed", message: String(error.message ?? error).trim().split("\n").pop() });
});
