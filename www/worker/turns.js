// Lets the world turn while a cell runs. CPython asks every few dozen evaluations whether it is interrupted; while cells
// run it is told so every TURN_MS, and its signal handler (guard.py) then waits for `breathe`, which comes back after the
// worker's event loop has had its turn. This needs no SharedArrayBuffer: nobody but this thread writes into the buffer.

const TURN_MS = 20;
const LOOKS = 3;
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

// CPython asks for the buffer by its name, three times at each look: is it there, what is element 0, and set it to 0. So it
// is asked 60,000 times in a loop of a million turns. A getter of the name and a typed array are what engines do fastest,
// and Date.now() what they tell fastest of the time, which is looked at once in three times. Which of the three that is,
// nobody knows: a signal is given at two of them in a row, so one of these is before the element is read.
export function watch(pyodide) {
  const signals = new Int32Array(1);
  let last = 0;
  let count = 0;
  let again = false;
  pyodide.setInterruptBuffer(signals);
  Object.defineProperty(pyodide._module, "Py_EmscriptenSignalBuffer", {
    configurable: true,
    get() {
      if (again) {
        again = false;
        signals[0] = SIGINT;
      } else if (++count >= LOOKS && turns.running) {
        count = 0;
        const now = Date.now();
        if (now - last >= TURN_MS || now < last) {
          last = now;
          again = true;
          signals[0] = SIGINT; // CPython sets it back to 0
        }
      }
      return signals;
    },
    set() {}, // who asks CPython not to look any more wants no more than that
  });
}
