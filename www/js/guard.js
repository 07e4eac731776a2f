// What Python in a tab cannot do for itself: catch JavaScript's exceptions, which pass MicroPython's `except` by, and
// say that it could not be started at all. So each of these calls answers null where the browser refuses, and
// `guard.why` says in its words why.

const READY_SECONDS = 20;

const guard = {
  why: "",
  attempt(call) {
    try {
      return call();
    } catch (error) {
      guard.why = String(error);
      return null;
    }
  },
  channel: (name) => guard.attempt(() => new BroadcastChannel(name)),
};
window.guard = guard;

function isReady() {
  return performance.getEntriesByName("ui-ready").length > 0;
}

function fail(message) {
  if (isReady()) return;
  document.documentElement.dataset.line = "failed";
  const notice = document.querySelector('[data-testid="line-notice"]');
  if (!notice) {
    document.addEventListener("DOMContentLoaded", () => fail(message), { once: true });
    return;
  }
  notice.textContent = message;
  notice.hidden = false;
  document.querySelector('[data-testid="line-state"]').textContent = "Failed";
}

function brokenFile(what) {
  fail(`A part of this page could not be loaded (${what}). Is the server there? Reload the page.`);
}

// a script that can't be loaded tells its own element alone, so listen on the way down
addEventListener(
  "error",
  (event) => brokenFile(event.target?.src ? new URL(event.target.src).pathname : event.message),
  true,
);
addEventListener("unhandledrejection", (event) => brokenFile(String(event.reason?.message ?? event.reason)));
setTimeout(() => fail(`Python did not start in this tab within ${READY_SECONDS} seconds.`), READY_SECONDS * 1000);
if (typeof WebAssembly === "undefined") {
  fail("This browser has no WebAssembly, or it is turned off. Python needs it.");
}
