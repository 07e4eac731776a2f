// WebKitGTK in an environment without a language calls it "C", which is no language tag: uPlot fails on it as it loads.
// Imported before it.

try {
  new Intl.NumberFormat(navigator.language);
} catch {
  Object.defineProperty(navigator, "language", { value: "en" });
}
