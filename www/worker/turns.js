// Lets the world turn while a cell runs. CPython asks every few dozen evaluations whether it is interrupted; while cells
// run it is told so every TURN_MS, and its signal handler (guard.py) then waits for `breathe`, which comes back after the
// worker's event loop has had its turn. The buffer needs no SharedArrayBuffer: Pyodide takes whatever has an element 0.

const TURN_MS = 20;
const SIGINT = 2;

const { port1: said, port2: heard } = new MessageChannel();
const waiting = []; // several cells, or tasks of one, may wait at the same time
heard.onmessage = () => waiting.shift()();

export const turns = {
  running: false, // whether a cell may be running
  breathe() {
    return new Promise((turned) => {
      waiting.push(turned);
      said.postMessage(null);
    });
  },
};

export function watch(pyodide) {
  let last = 0;
  const buffer = {
    get 0() {
      if (!turns.running) return 0;
      const now = performance.now();
      if (now - last < TURN_MS) return 0;
      last = now;
      return SIGINT;
    },
    set 0(_) {},
  };
  pyodide.setInterruptBuffer(buffer);
}
