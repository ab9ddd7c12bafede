// The chat, made visible: one counter that grows when something changed, at most once a frame, and what only the screens
// know (which dialog is open, what is being answered).

import { Connection } from "../link.ts";
import { Chat } from "../model/chat.ts";
import { isRoom } from "../model/irc.ts";
import { pack, unpack } from "../model/kept.ts";
import type { Message, Room } from "../model/types.ts";

let version = $state(0);
let frame = 0;

function changed(): void {
  if (frame) return;
  // A hidden page gets no frames, and its title is to change all the same.
  const bump = () => {
    frame = 0;
    version++;
  };
  frame = document.visibilityState === "visible" ? requestAnimationFrame(bump) : Number(setTimeout(bump, 50));
}

export const chat = new Chat({ now: () => Date.now(), changed, attention });
export const connection = new Connection(chat);

/** Reads the chat so that whoever asks is asked again when it changes. */
export function look<T>(read: () => T): T {
  void version;
  return read();
}

export type Panel = { kind: "search" | "room" } | { kind: "thread"; msgid: string } | { kind: "person"; nick: string };

/** A message: by msgid, by number, or the first that was said after a time. */
export interface Reveal {
  room: string;
  msgid?: string;
  number?: number;
  after?: number;
  /** It was asked for once. */
  asked: boolean;
}

/** What only the screens know. */
export const screen = $state({
  inside: false,
  /** Which of the narrow screen's sides is open. */
  side: "" as "" | "rooms" | "members",
  dialog: "" as "" | "switcher" | "keep" | "rooms",
  replying: null as Message | null,
  editing: null as Message | null,
  /** What stands beside the room instead of its members. */
  panel: null as Panel | null,
  /** The message to be shown. */
  reveal: null as Reveal | null,
  network: "chinwag",
  /** What is behind the first screen cannot be had: the page has to be loaded again. */
  old: false,
  /** What was typed on the first screen before the client had come. */
  typed: "",
});

const NAME = "chinwag.name";
const ACCOUNT = "chinwag.account";
const INSIDE = "chinwag.inside";
const DRAFTS = "chinwag.drafts";
const READ = "chinwag.read";

/** Where it is kept what was read here: for as long as the tab is open, because others may use this browser, too; an app that
 * somebody installed is theirs, and keeps it. */
const mine = (): Storage => (matchMedia("(display-mode: standalone)").matches ? localStorage : sessionStorage);

/** What a browser may refuse to keep is not needed. */
function keep(store: Storage, key: string, value: string | null): void {
  try {
    if (value === null) store.removeItem(key);
    else store.setItem(key, value);
  } catch {
    return;
  }
}

function kept(store: () => Storage, key: string): string {
  try {
    return store().getItem(key) ?? "";
  } catch {
    return "";
  }
}

export const rememberedName = kept(() => localStorage, NAME);
/** The name is an account's: it takes its password to come back. The password itself is kept by nobody but the browser. */
export const rememberedAccount = kept(() => localStorage, ACCOUNT) === rememberedName && rememberedName !== "";

const INVITATION = /^#\/invitation\/(.+)$/;

/** The code of the invitation that the address is. It stands where no server and no log sees it. */
export function invitationInAddress(): string {
  const code = INVITATION.exec(location.hash)?.[1] ?? "";
  try {
    return decodeURIComponent(code).replace(/[^a-z0-9]+/gi, "-").slice(0, 64);
  } catch {
    return "";
  }
}

/** The code has been given: it does not stay in the history of the browser. */
export function forgetInvitation(): void {
  if (INVITATION.test(location.hash)) history.replaceState(null, "", location.pathname);
}

/** The room that the address names. */
export function roomInAddress(): string {
  if (INVITATION.test(location.hash)) return "";
  const name = decodeURIComponent(location.hash.replace(/^#+/, ""));
  return name && !/[\s,\u0007]/.test(name) ? `#${name}` : "";
}

/** Walks in. */
export function enter(name: string, password: string): void {
  chat.wanted = name;
  chat.password = password;
  chat.refused = "";
  chat.invitation = invitationInAddress();
  if (name === rememberedName) {
    for (const room of roomsBefore) chat.ensure(room);
    if (!chat.welcomed) chat.recalled = unpack(chat, kept(mine, READ));
  }
  const room = roomInAddress() || (chat.room ?? [...chat.rooms.values()][0])?.name;
  if (room) chat.open(room);
  screen.inside = true;
  connection.start();
}

let leaving = false;

/** The page may go: what was read here is there when it comes back, also without a connection. */
function leave(): void {
  if (screen.inside && !leaving && (chat.welcomed || chat.recalled)) keep(mine(), READ, pack(chat));
}

addEventListener("pagehide", leave);
document.addEventListener("visibilitychange", () => document.visibilityState === "hidden" && leave());

/** Back at the first screen, with nothing of what was read here. */
export function backToDoor(): void {
  connection.stop();
  leaving = true;
  for (const key of [INSIDE, DRAFTS, READ]) keep(mine(), key, null);
  location.reload();
}

/** The server does not let me in as I asked: the first screen says why, and nothing is tried again by itself. */
export function turnedAway(): void {
  connection.stop();
  screen.inside = false;
}

/** I am in: a reload comes back here, to the same rooms. */
export function arrived(names: string[]): void {
  forgetInvitation();
  keep(localStorage, NAME, chat.wanted);
  keep(localStorage, ACCOUNT, chat.account && chat.account.toLowerCase() === chat.wanted.toLowerCase() ? chat.wanted : null);
  keep(mine(), INSIDE, JSON.stringify(names));
}

/** What was kept as JSON, or this instead. */
function parsed<T>(key: string, otherwise: T): T {
  try {
    return JSON.parse(kept(mine, key)) as T;
  } catch {
    return otherwise;
  }
}

/** The rooms where I was before a reload. */
const roomsBefore = parsed<string[]>(INSIDE, []);
export const wasInside = roomsBefore.length > 0 && rememberedName !== "";

const drafts = parsed<Record<string, string>>(DRAFTS, {});

/** The half-typed line of a room; a reload does not lose it. */
export function draft(room: Room): string {
  return room.draft || (drafts[room.id] ?? "");
}

export function setDraft(room: Room, text: string): void {
  room.draft = text;
  if (text) drafts[room.id] = text;
  else delete drafts[room.id];
  keep(mine(), DRAFTS, JSON.stringify(drafts));
}

/** Shows a room, and puts it into the address, so that the address is an invitation. */
export function go(name: string, keepPanel = false): void {
  const room = chat.open(name);
  screen.side = "";
  screen.dialog = "";
  screen.reveal = null;
  if (!keepPanel) screen.panel = null;
  screen.replying = null;
  screen.editing = null;
  if (isRoom(room.name)) history.replaceState(null, "", `#${encodeURIComponent(room.name.slice(1))}`);
}

/** Shows a message in its room. */
export function reveal(room: Room, what: { msgid?: string; number?: number; after?: number }): void {
  if (chat.active !== room.id) go(room.name, true);
  screen.reveal = { room: room.id, asked: false, ...what };
  if (matchMedia("(max-width: 68rem)").matches) screen.panel = null;
}

/** Where the focus was before a panel was opened. */
let before: HTMLElement | null = null;

export function openPanel(panel: Panel): void {
  if (!screen.panel) before = document.activeElement as HTMLElement | null;
  screen.side = "";
  screen.panel = panel;
}

export function closePanel(): void {
  screen.panel = null;
  const to = before?.isConnected && before !== document.body ? before : document.getElementById("writing");
  before = null;
  to?.focus();
}

/** Rooms first, then people, each by name. */
export function rooms(): Room[] {
  const all = [...chat.rooms.values()];
  return all.sort((a, b) => Number(a.direct) - Number(b.direct) || a.id.localeCompare(b.id));
}

// ---- what is told while nobody looks

const NOTIFY = "chinwag.notify";

/** Whether somebody asked to be told, and the browser lets me: asked for nowhere but in `notifyMe`. */
export const notifying = $state({ on: kept(() => localStorage, NOTIFY) === "1" && permission() === "granted", refused: permission() === "denied" });

function permission(): string {
  return "Notification" in globalThis ? Notification.permission : "denied";
}

/** The person wants to be told, or not any more. */
export async function notifyMe(on: boolean): Promise<void> {
  if (on && permission() === "default") await Notification.requestPermission();
  notifying.on = on && permission() === "granted";
  notifying.refused = permission() === "denied";
  keep(localStorage, NOTIFY, notifying.on ? "1" : null);
}

/** Somebody named me, or wrote to me alone. */
function attention(room: Room, message: Message): void {
  if (!notifying.on || (document.hasFocus() && document.visibilityState === "visible")) return;
  const title = room.direct ? message.from : `${message.from} · ${room.name}`;
  const options = { body: message.text.slice(0, 200), tag: room.id, icon: "/icon-192.png", data: room.name };
  void (async () => {
    const worker = await navigator.serviceWorker?.getRegistration();
    if (worker?.active) return worker.showNotification(title, options);
    const shown = new Notification(title, options);
    shown.onclick = () => {
      focus();
      go(room.name);
    };
  })().catch(() => {});
}

navigator.serviceWorker?.addEventListener("message", (event: MessageEvent<{ open?: unknown }>) => {
  if (typeof event.data?.open === "string" && chat.welcomed) go(event.data.open);
});

/** A hue for a name, the same on every screen. */
export function hue(name: string): number {
  let sum = 7;
  for (const char of name.toLowerCase()) sum = (sum * 31 + (char.codePointAt(0) ?? 0)) >>> 0;
  return sum % 360;
}

setInterval(() => {
  const now = Date.now();
  for (const room of chat.rooms.values()) {
    for (const [nick, until] of room.typing) {
      if (until >= now) continue;
      room.typing.delete(nick);
      changed();
    }
  }
}, 1000);
