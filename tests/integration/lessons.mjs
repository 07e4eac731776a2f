// node --experimental-wasm-jspi lessons.mjs SERVER FOLDER NAME…: a tab of the worker (worker.mjs) opens the notebooks of
// these names, and runs them all at once. For each a line of JSON: {"name", "cells"}. Of cells for the tab it does nothing but
// the faults that they ask for.
import { startWorker } from "./worker.mjs";

const [server, folder, ...names] = process.argv.slice(2);
const connect = await startWorker(server, folder);

const answers = new Map(); // by ref: who waits for it
const say = connect((frame) => {
  if (frame.kind !== "notebook") return;
  answers.get(frame.ref)?.(frame);
  if (frame.what === "turn") runHere(frame);
});

function runHere({ name, source, turn }) {
  const fault = source.match(/^window\.partyline\.fault\("(\w+)"\)$/m);
  if (fault) say({ kind: "fault", what: fault[1] });
  say({ kind: "notebook", ref: ++refs, do: "ran", name, turn, well: true });
}

let refs = 0;
async function ask(what) {
  const ref = ++refs;
  const answer = new Promise((resolve) => answers.set(ref, resolve));
  say({ kind: "notebook", ref, ...what });
  const frame = await answer;
  if (frame.error) throw new Error(`${JSON.stringify(what)}: ${frame.code}: ${frame.error}`);
  return frame.value;
}

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
