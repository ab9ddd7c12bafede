// How the client is built: hashed names under assets/, nothing inlined (the page's policy forbids it), and every text
// file compressed beside itself, so that the server never compresses.
import { createHash } from "node:crypto";
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig } from "vite";
import { icon } from "./icons.js";

/** Pictures of the icon, and the list of what the service worker keeps. */
function installable() {
  let folder = "";
  return {
    name: "chinwag-installable",
    apply: "build",
    configResolved(config) {
      folder = outDir(config);
    },
    closeBundle() {
      for (const [name, size, mask] of [["icon-180", 180, true], ["icon-192", 192, false], ["icon-512", 512, false], ["icon-maskable-512", 512, true]]) {
        writeFileSync(join(folder, `${name}.png`), icon(size, mask));
      }
      const kept = files(folder).filter((path) => !/(sw\.js|robots\.txt|icon-.*\.png|\.br|\.gz)$/.test(path)).sort();
      const version = createHash("sha256");
      for (const path of kept) version.update(path.slice(folder.length)).update(readFileSync(path));
      const names = kept.map((path) => path.slice(folder.length)).map((path) => (path === "/index.html" ? "/" : path));
      const worker = join(folder, "sw.js");
      const text = readFileSync(worker, "utf8").replace("__VERSION__", version.digest("hex").slice(0, 16)).replace("__SHELL__", JSON.stringify(names));
      writeFileSync(worker, text);
    },
  };
}

function outDir(config) {
  const folder = config.build.outDir;
  return (folder.startsWith("/") ? folder : join(config.root, folder)).replace(/\/$/, "");
}

/** Writes .br and .gz where they are smaller. */
function compress() {
  let folder = "";
  return {
    name: "chinwag-compress",
    apply: "build",
    configResolved(config) {
      folder = outDir(config);
    },
    closeBundle() {
      for (const path of files(folder)) {
        if (!/\.(html|js|css|svg|json|webmanifest|txt)$/.test(path)) continue;
        const bytes = readFileSync(path);
        const quality = { params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length } };
        for (const [ending, form] of [["br", brotliCompressSync(bytes, quality)], ["gz", gzipSync(bytes, { level: 9 })]]) {
          if (form.length < bytes.length) writeFileSync(`${path}.${ending}`, form);
        }
      }
    },
  };
}

function files(folder) {
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name);
    return statSync(path).isDirectory() ? files(path) : [path];
  });
}

// A chinwag on its usual port answers `npm run dev`.
const server = "http://127.0.0.1:55555";

export default defineConfig({
  plugins: [svelte(), installable(), compress()],
  build: { target: "es2022", assetsInlineLimit: 0, modulePreload: { polyfill: false }, reportCompressedSize: false },
  server: { proxy: { "/about.json": server, "/irc": { target: server, ws: true } } },
});
