// What one types is seen first: a frame that shows a key draws nothing else that can wait, and what follows from a key is
// done after its frame.
//
//   painting.request(call) -> id    as requestAnimationFrame, but up to MOST_MS later while keys are on their way to the screen
//   painting.cancel(id)
//   painting.after(call)            as soon as the page has been painted as it is now; at once where nobody sees it
//   painting.isTyped() -> boolean   whether one types just now

const MOST_MS = 100;
const TYPED_MS = 1000; // between two keys of one who types

const painting = {
  keys: 0, // pressed in a text, and not seen yet
  typed: -TYPED_MS, // when one was pressed last
  frames: new Map(),
  last: 0,
  calls: [],
  waits: 0, // of which frame's end, counted; 0 for none
  rounds: 0,
  timer: 0,
  painted: new MessageChannel(),

  request(call) {
    const id = (painting.last += 1);
    const since = performance.now();
    const come = (now) => {
      if (painting.keys && performance.now() - since < MOST_MS) {
        painting.frames.set(id, requestAnimationFrame(come));
      } else {
        painting.frames.delete(id);
        call(now);
      }
    };
    painting.frames.set(id, requestAnimationFrame(come));
    return id;
  },

  cancel(id) {
    cancelAnimationFrame(painting.frames.get(id));
    painting.frames.delete(id);
  },

  isTyped: () => performance.now() - painting.typed < TYPED_MS,

  after(call) {
    painting.calls.push(call);
    if (document.hidden) painting.flush();
    else if (!painting.waits) painting.wait();
  },

  wait() {
    const round = (painting.waits = painting.rounds += 1);
    painting.timer = setTimeout(painting.flush, MOST_MS); // a window may be covered, and have no frames
    // the message comes after the frame, which may not show what is done by then
    requestAnimationFrame(() => painting.painted.port2.postMessage([round, painting.calls.length]));
  },

  flush: () => painting.make(painting.calls.length),

  make(count) {
    clearTimeout(painting.timer);
    painting.waits = 0;
    for (const call of painting.calls.splice(0, count)) {
      try {
        call();
      } catch (error) {
        reportError(error); // one that fails takes none of the others with it
      }
    }
    if (painting.calls.length && !painting.waits) painting.wait();
  },
};
window.painting = painting;
painting.painted.port1.onmessage = ({ data: [round, count] }) => {
  if (round === painting.waits) painting.make(count);
};

addEventListener(
  "keydown",
  ({ target }) => {
    if (!target.isContentEditable && !target.matches?.("input, textarea")) return;
    painting.typed = performance.now();
    painting.keys += 1;
    painting.after(() => (painting.keys -= 1));
  },
  true,
);
// before all else that listens: nobody may be there later
addEventListener("pagehide", painting.flush, true);
document.addEventListener("visibilitychange", painting.flush, true);
