// What the browser tests share: the real program on a free port, chromium as the distribution has it, an IRC client and
// a plain caller over raw sockets.

import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { front } from "./front.mjs";

/** How long anything may take. */
export const PATIENCE = 20_000;

const here = fileURLToPath(new URL(".", import.meta.url));

/** The program: CHINWAG_BIN, or what cargo built. */
export function program() {
  const target = process.env.CARGO_TARGET_DIR ?? join(here, "../../../target");
  const found = [process.env.CHINWAG_BIN, join(target, "debug/chinwag"), join(target, "release/chinwag")].find((path) => path && existsSync(path));
  if (!found) throw new Error("build chinwag first (cargo build), or name it in CHINWAG_BIN");
  return found;
}

/** The browser that the distribution has. */
export function browserPath() {
  const found = [process.env.CHROMIUM, "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find((path) => path && existsSync(path));
  if (!found) throw new Error("chromium is not installed (Debian: apt-get install chromium), or name it in CHROMIUM");
  return found;
}

/** A server in a folder of its own, on a port that the system chose. */
export class Server {
  static async start() {
    const server = new Server();
    server.folder = mkdtempSync(join(tmpdir(), "chinwag-web-"));
    await server.run("127.0.0.1:0");
    return server;
  }

  async run(address) {
    this.child = spawn(program(), ["serve", "--listen", address, "--data", join(this.folder, "data")], { stdio: ["ignore", "pipe", "inherit"], env: { ...process.env, RUST_LOG: "warn" } });
    this.port = await new Promise((resolve, reject) => {
      const late = setTimeout(() => reject(new Error("the server does not start")), PATIENCE);
      let said = "";
      this.child.stdout.on("data", (data) => {
        said += data;
        const found = /listening on 127\.0\.0\.1:(\d+)/.exec(said);
        if (!found) return;
        clearTimeout(late);
        resolve(Number(found[1]));
      });
      this.child.on("exit", (code) => reject(new Error(`the server ended with ${code}`)));
    });
    if (process.env.CHINWAG_FILES) this.front ??= await front(process.env.CHINWAG_FILES, this.port);
    this.url = `http://127.0.0.1:${this.front?.port ?? this.port}/`;
  }

  /** Stops it and starts it again on the same port and folder. */
  async restart() {
    await this.end();
    await this.run(`127.0.0.1:${this.port}`);
  }

  end() {
    const child = this.child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
    return new Promise((resolve) => {
      child.removeAllListeners("exit");
      child.on("exit", resolve);
      child.kill("SIGTERM");
    });
  }

  async stop() {
    await this.end();
    this.front?.close();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** A caller over a raw socket. */
export class Caller {
  constructor(port) {
    this.heard = "";
    this.waiting = [];
    this.socket = connect(port, "127.0.0.1");
    this.socket.setEncoding("utf8");
    this.socket.on("data", (data) => {
      this.heard += data;
      for (const match of data.matchAll(/^PING (.*)$/gm)) this.send(`PONG ${match[1].trim()}`);
      this.waiting = this.waiting.filter((check) => !check());
    });
    this.socket.on("error", () => {});
  }

  static irc(port, nick, room) {
    const caller = new Caller(port);
    caller.send("CAP REQ :message-tags server-time", `NICK ${nick}`, `USER ${nick} 0 * :${nick}`, "CAP END", `JOIN ${room}`);
    return caller;
  }

  send(...lines) {
    this.socket.write(lines.map((line) => `${line}\r\n`).join(""));
  }

  /** Waits until something was heard. */
  hear(what, patience = PATIENCE) {
    return new Promise((resolve, reject) => {
      const late = setTimeout(() => reject(new Error(`did not hear ${what}; heard:\n${this.heard.slice(-2000)}`)), patience);
      const check = () => {
        const found = what instanceof RegExp ? what.test(this.heard) : this.heard.includes(what);
        if (found) {
          clearTimeout(late);
          resolve(this.heard);
        }
        return found;
      };
      if (!check()) this.waiting.push(check);
    });
  }

  close() {
    this.socket.destroy();
  }
}

/** The status with which a server answers who wants a WebSocket, with these further headers. */
export function upgrade(port, ...headers) {
  const lines = ["GET /irc HTTP/1.1", `Host: 127.0.0.1:${port}`, "Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", ...headers];
  return new Promise((resolve, reject) => {
    const socket = connect(port, "127.0.0.1", () => socket.write(`${lines.join("\r\n")}\r\n\r\n`));
    socket.setTimeout(PATIENCE, () => reject(new Error("no answer")));
    socket.on("error", reject);
    socket.once("data", (data) => {
      resolve(Number(String(data).split(" ")[1]));
      socket.destroy();
    });
  });
}

/** Waits until a condition holds. */
export async function until(what, condition) {
  const end = Date.now() + PATIENCE;
  for (;;) {
    if (await condition()) return;
    if (Date.now() > end) throw new Error(`in vain: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** Walks in as somebody. */
export async function walkIn(page, url, name) {
  await page.goto(url);
  await page.getByLabel("Your name").fill(name);
  await page.keyboard.press("Enter");
  await page.locator("#writing").waitFor();
  await until("the room has come", () => page.locator("aside li").count());
}

/** Says something and waits until it is kept. */
export async function say(page, text) {
  await page.locator("#writing").fill(text);
  await page.locator("#writing").press("Enter");
  const first = text.split("\n")[0];
  await page.locator("article:not(.pending)", { hasText: first }).last().waitFor();
}
