// node --experimental-wasm-jspi tabs.mjs SERVER FOLDER: tabs of the worker (worker.mjs), which whoever started this plays:
// a line of JSON each way is {"tab": number, "frame": what the tab says, or what it hears}. A tab of a new number comes.
// What the worker writes to the console goes to stderr.
import { createInterface } from "node:readline";
import { startWorker } from "./worker.mjs";

console.log = console.info = console.warn = console.error;
const connect = await startWorker(...process.argv.slice(2));
const tabs = new Map();

for await (const line of createInterface({ input: process.stdin })) {
  const { tab, frame } = JSON.parse(line);
  const heard = (told) => process.stdout.write(`${JSON.stringify({ tab, frame: told })}\n`);
  if (!tabs.has(tab)) tabs.set(tab, connect(heard));
  tabs.get(tab)(frame);
}
process.exit(0);
