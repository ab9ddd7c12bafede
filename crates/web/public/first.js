// Before anything is drawn: whoever comes back to this tab was inside, and is not shown the first screen meanwhile.
try {
  const kept = matchMedia("(display-mode: standalone)").matches ? localStorage : sessionStorage;
  if (JSON.parse(kept.getItem("chinwag.inside") ?? "[]").length) document.documentElement.classList.add("back");
} catch {
  // A browser that keeps nothing has nobody who comes back.
}
