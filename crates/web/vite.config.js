// How the client is built: hashed names under assets/, nothing inlined (the page's policy forbids it), and every text
// file compressed beside itself, so that the server never compresses.
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig } from "vite";

/** Writes .br and .gz where they are smaller. */
function compress() {
  let folder = "";
  return {
    name: "chinwag-compress",
    apply: "build",
    configResolved(config) {
      folder = config.build.outDir.startsWith("/") ? config.build.outDir : join(config.root, config.build.outDir);
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
  plugins: [svelte(), compress()],
  build: { target: "es2022", assetsInlineLimit: 0, modulePreload: { polyfill: false }, reportCompressedSize: false },
  server: { proxy: { "/about.json": server, "/irc": { target: server, ws: true } } },
});
