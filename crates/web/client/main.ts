// Where the client begins.

import { mount } from "svelte";
import App from "./view/App.svelte";
import { screen } from "./view/live.svelte.ts";
import "./view/style.css";

const target = document.getElementById("app");
// Only what is built is kept for later; a page that is being worked on is not.
if (import.meta.env.PROD && isSecureContext && "serviceWorker" in navigator) {
  const worker = "/sw.js";
  const policy = (globalThis as { trustedTypes?: TrustedTypes }).trustedTypes?.createPolicy("chinwag-worker", {
    createScriptURL: (url) => (url === worker ? url : ""),
  });
  addEventListener("load", () => {
    navigator.serviceWorker.register((policy?.createScriptURL(worker) ?? worker) as string, { scope: "/" }).catch(() => {});
  });
}

interface TrustedTypes {
  createPolicy(name: string, rules: { createScriptURL: (url: string) => string }): { createScriptURL(url: string): unknown };
}

if (target) {
  // The page had a first screen already; what was typed there stays.
  screen.typed = target.querySelector<HTMLInputElement>("#name")?.value ?? "";
  target.replaceChildren();
  document.documentElement.classList.remove("back");
  mount(App, { target });
}
