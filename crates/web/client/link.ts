// The WebSocket under the chat: opened, watched and opened again. https://ircv3.net/specs/extensions/websocket

import type { Chat } from "./model/chat.ts";

/** The first and the longest pause before another try. */
const PAUSE_MS = 500;
const PAUSE_MS_MAX = 15_000;

/** Silence after which the server is asked whether it is there, and how long it may take. */
const SILENCE_MS = 45_000;
const ANSWER_MS = 12_000;

/** Lines that wait for a socket that takes no more, in bytes; then the connection is given up. */
const WAITING_BYTES_MAX = 4 * 1024 * 1024;

export class Connection {
  private socket: WebSocket | null = null;
  private pause = PAUSE_MS;
  private retry: ReturnType<typeof setTimeout> | undefined;
  private watch: ReturnType<typeof setTimeout> | undefined;
  private wanted = false;

  private readonly chat: Chat;

  constructor(chat: Chat) {
    this.chat = chat;
    addEventListener("online", () => this.wanted && !this.alive() && this.now());
    addEventListener("offline", () => this.lost());
    // A laptop that was asleep finds out at once.
    document.addEventListener("visibilitychange", () => {
      if (document.visibilityState === "visible" && this.wanted) this.probe();
    });
  }

  /** Opens it, and keeps it open from now on. */
  start(): void {
    this.wanted = true;
    this.pause = PAUSE_MS;
    this.now();
  }

  /** Ends it for good. */
  stop(): void {
    this.wanted = false;
    clearTimeout(this.retry);
    const socket = this.socket;
    this.detach();
    socket?.close(1000);
    this.chat.closed(true);
  }

  private alive(): boolean {
    return this.socket?.readyState === WebSocket.OPEN;
  }

  private now(): void {
    clearTimeout(this.retry);
    const before = this.socket;
    this.detach();
    before?.close(1000);
    const scheme = location.protocol === "https:" ? "wss:" : "ws:";
    const socket = new WebSocket(`${scheme}//${location.host}/irc`, ["text.ircv3.net"]);
    this.socket = socket;
    this.listen(ANSWER_MS);
    socket.onopen = () => {
      this.chat.opened((line) => {
        if (socket.readyState === WebSocket.OPEN && socket.bufferedAmount < WAITING_BYTES_MAX) socket.send(line);
      });
    };
    socket.onmessage = (event) => {
      this.pause = PAUSE_MS;
      this.listen(SILENCE_MS);
      if (typeof event.data === "string") this.chat.take(event.data);
    };
    socket.onclose = () => this.lost();
  }

  /** Expects to hear something within this time; then it asks, then it gives up. */
  private listen(within: number): void {
    clearTimeout(this.watch);
    this.watch = setTimeout(() => (within === SILENCE_MS ? this.probe() : this.lost()), within);
  }

  private probe(): void {
    if (!this.alive()) return this.socket?.readyState === WebSocket.CONNECTING ? undefined : this.lost();
    this.chat.line("PING", ["still-there"]);
    this.listen(ANSWER_MS);
  }

  private detach(): void {
    clearTimeout(this.watch);
    if (this.socket) this.socket.onopen = this.socket.onmessage = this.socket.onclose = null;
    this.socket = null;
  }

  private lost(): void {
    const before = this.socket;
    this.detach();
    before?.close();
    if (!this.wanted) return;
    this.chat.closed(false);
    clearTimeout(this.retry);
    // Not everybody comes back in the same moment.
    this.retry = setTimeout(() => this.now(), this.pause * (0.75 + Math.random() / 2));
    this.pause = Math.min(this.pause * 2, PAUSE_MS_MAX);
  }
}
