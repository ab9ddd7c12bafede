// Files of a freshly built client before a running server: what is asked for is taken from a folder, everything else is
// the server's. So a change of the client is tried without building the program again.

import { readFileSync } from "node:fs";
import { createServer, request } from "node:http";
import { connect } from "node:net";
import { extname, join, normalize } from "node:path";

const KINDS = { ".html": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8", ".svg": "image/svg+xml", ".png": "image/png", ".webmanifest": "application/manifest+json", ".txt": "text/plain; charset=utf-8" };

/** Serves a folder before the server on this port. Gives the port, and what ends it. */
export async function front(folder, port) {
  const headers = Object.fromEntries((await fetch(`http://127.0.0.1:${port}/`)).headers);
  for (const name of ["content-type", "content-encoding", "content-length", "etag", "connection"]) delete headers[name];
  const server = createServer((asked, answer) => {
    const path = asked.url === "/" ? "/index.html" : normalize(asked.url.split("?")[0]);
    try {
      let bytes = readFileSync(join(folder, path));
      let more = {};
      try {
        bytes = readFileSync(join(folder, `${path}.br`));
        more = { "content-encoding": "br" };
      } catch {}
      answer.writeHead(200, { ...headers, ...more, "content-type": KINDS[extname(path)] ?? "application/octet-stream" });
      answer.end(bytes);
    } catch {
      const passed = request({ port, host: "127.0.0.1", path: asked.url, method: asked.method, headers: asked.headers }, (theirs) => {
        answer.writeHead(theirs.statusCode, theirs.headers);
        theirs.pipe(answer);
      });
      passed.on("error", () => answer.destroy());
      asked.pipe(passed);
    }
  });
  server.on("upgrade", (asked, socket, head) => {
    const theirs = connect(port, "127.0.0.1", () => {
      const lines = [`${asked.method} ${asked.url} HTTP/1.1`];
      for (let at = 0; at < asked.rawHeaders.length; at += 2) lines.push(`${asked.rawHeaders[at]}: ${asked.rawHeaders[at + 1]}`);
      theirs.write(`${lines.join("\r\n")}\r\n\r\n`);
      theirs.write(head);
      theirs.pipe(socket).pipe(theirs);
    });
    for (const end of [theirs, socket]) end.on("error", () => (theirs.destroy(), socket.destroy()));
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { port: server.address().port, close: () => (server.closeAllConnections(), server.close()) };
}
