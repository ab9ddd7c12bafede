// What is asked about rooms, people and messages besides history: searching, pins, modes, bans, profiles, single messages.

import type { Asked, Chat } from "./chat.ts";
import { fold } from "./irc.ts";
import type { Message, Room } from "./types.ts";

/** Hits of one search. */
const HITS = 50;

/** Messages that are remembered beside those of the window, at most. */
const OTHERS_MAX = 500;

/** A message that was looked for and found. */
export interface Hit {
  room: Room;
  message: Message;
}

/** A search and its answer. */
export interface Search {
  typed: string;
  /** In one room, or everywhere that I may read. */
  room: Room | null;
  state: "asking" | "done" | "failed";
  why: string;
  found: Hit[];
  /** There may be more. */
  more: boolean;
}

/** What is known of somebody. */
export interface Profile {
  nick: string;
  user: string;
  host: string;
  realname: string;
  account: string;
  rooms: string[];
  away: string;
  /** When they came, and for how long they said nothing; milliseconds since 1970, and seconds. */
  since: number;
  idle: number;
  bot: boolean;
  operator: boolean;
  gone: boolean;
  whole: boolean;
}

export function emptyProfile(nick: string): Profile {
  return { nick, user: "", host: "", realname: "", account: "", rooms: [], away: "", since: 0, idle: 0, bot: false, operator: false, gone: false, whole: false };
}

/** What people say of themselves, as far as it is shown. */
export const KEYS = ["display-name", "pronouns", "status", "homepage", "avatar"] as const;
export type Key = (typeof KEYS)[number];

/** Looks for words, in one room or in all. */
export function search(chat: Chat, room: Room | null, typed: string): void {
  const words = typed.trim();
  if (!words) {
    chat.search = null;
    return chat.changed();
  }
  const asked: Search = { typed: words, room, state: "asking", why: "", found: [], more: false };
  chat.search = asked;
  const where = room && !/(^|\s)in:\S/i.test(words) ? ` in:${room.name}` : "";
  chat.ask({ kind: "search", search: asked }, "SEARCH", [`${words}${where} limit:${HITS}`]);
  chat.changed();
}

/** What was found: the newest first. */
export function found(chat: Chat, asked: Asked | undefined, hits: Hit[]): void {
  const search = asked?.search ?? chat.search;
  if (!search) return;
  search.state = "done";
  search.found = hits.reverse();
  search.more = hits.length >= HITS;
}

/** The words of a search that are to be highlighted: no attributes, phrases whole. */
export function terms(typed: string): string[] {
  const found = [...typed.matchAll(/"([^"]+)"\*?|(\S+)/g)].map((match) => match[1] ?? match[2] ?? "");
  return found.filter((word) => !/^(in|from|before|after|limit):./i.test(word)).map((word) => word.replace(/^"|"$|\*$/g, "")).filter(Boolean);
}

/** A text in pieces, every second of which is a hit. Upper and lower case are the same. */
export function highlighted(text: string, words: readonly string[]): string[] {
  const escaped = words.map((word) => word.replace(/[.*+?^${}()|[\]\\]/g, "\\$&").replace(/\s+/g, "\\s+"));
  if (!escaped.length) return [text];
  return text.split(new RegExp(`((?:${escaped.sort((a, b) => b.length - a.length).join("|")})[\\p{L}\\p{N}]*)`, "giu"));
}

/** The part of a long text that has the first hit. */
export function snippet(text: string, words: readonly string[], most = 240): string {
  if (text.length <= most) return text;
  const lower = text.toLowerCase();
  const first = Math.min(...words.map((word) => lower.indexOf(word.toLowerCase())).filter((at) => at >= 0), text.length);
  const from = first >= text.length ? 0 : Math.max(0, first - most / 3);
  return `${from > 0 ? "…" : ""}${text.slice(from, from + most)}${from + most < text.length ? "…" : ""}`;
}

/** Asks for a message that is not in the window, once. */
export function fetchMessage(chat: Chat, room: Room, msgid: string): void {
  if (!msgid || room.others.has(msgid) || chat.link !== "online" || !chat.caps.has("draft/chathistory")) return;
  room.others.set(msgid, null);
  chat.ask({ kind: "fetch", room, msgid }, "CHATHISTORY", ["AROUND", room.name, `msgid=${msgid}`, "1"]);
}

/** Remembers messages beside those of the window. */
export function remember(room: Room, messages: readonly Message[]): void {
  for (const message of messages) {
    if (!message.msgid) continue;
    room.others.delete(message.msgid);
    room.others.set(message.msgid, message);
  }
  for (const first of room.others.keys()) {
    if (room.others.size <= OTHERS_MAX) break;
    room.others.delete(first);
  }
}

/** A message by msgid, of the window or beside it. */
export function lookUp(room: Room, msgid: string): Message | undefined {
  return room.messages.find((message) => message.msgid === msgid) ?? room.others.get(msgid) ?? undefined;
}

/** The chain of answers that a message belongs to, oldest first, as far as it is known; and the first message of it
 * that is not here and can be asked for. */
export function thread(room: Room, msgid: string): { messages: Message[]; missing: string } {
  let root = lookUp(room, msgid);
  const seen = new Set<string>();
  let missing = root ? "" : msgid;
  while (root?.replyTo && !seen.has(root.msgid)) {
    seen.add(root.msgid);
    const before = lookUp(room, root.replyTo);
    if (!before) {
      missing = root.replyTo;
      break;
    }
    root = before;
  }
  if (!root) return { messages: [], missing };
  const all = new Map([...room.others.values(), ...room.messages].filter((message) => message !== null).map((message) => [message.msgid || message.key, message]));
  const within = new Set([root.msgid]);
  const chain = [root];
  const rest = [...all.values()].filter((message) => message.replyTo).sort((a, b) => a.at - b.at || a.number - b.number);
  for (const message of rest) {
    if (message.msgid === root.msgid || !within.has(message.replyTo ?? "")) continue;
    within.add(message.msgid);
    chain.push(message);
  }
  return { messages: chain, missing };
}

/** Asks which messages a room points out. */
export function askPins(chat: Chat, room: Room): void {
  if (chat.link !== "online" || room.direct || !room.joined) return;
  room.pinning = [];
  chat.line("PINS", [room.name]);
  // The answer has no end of its own.
  chat.line("PING", [`pins ${room.name}`]);
}

/** The answer is whole. */
export function pinned(chat: Chat, token: string): void {
  const room = token.startsWith("pins ") ? chat.rooms.get(fold(token.slice(5))) : undefined;
  if (!room) return;
  room.pins = room.pinning;
  room.pinning = [];
}

/** Asks for the modes of a room, and who is banned. */
export function askModes(chat: Chat, room: Room): void {
  if (chat.link !== "online" || room.direct || !room.joined) return;
  room.banning = [];
  chat.line("MODE", [room.name]);
  chat.line("MODE", [room.name, "b"]);
}

/** Asks which invitations to a room hold. */
export function askInvitations(chat: Chat, room: Room): void {
  if (chat.link !== "online" || room.direct || !room.joined) return;
  room.listing = [];
  chat.line("INVITATION", ["LIST", room.name]);
}

/** Makes an invitation to a room. */
export function invite(chat: Chat, room: Room, uses: string, duration: string): void {
  room.inviting = true;
  room.code = "";
  chat.line("INVITATION", ["ADD", room.name, uses, duration]);
  askInvitations(chat, room);
}

/** Takes an invitation back. */
export function uninvite(chat: Chat, room: Room, number: number): void {
  room.inviting = true;
  room.code = "";
  chat.line("INVITATION", ["DEL", room.name, String(number)]);
  askInvitations(chat, room);
}

/** What the server says of invitations to a room: whether that is shown in the panel of the room, and nowhere else. */
export function invitations(room: Room, code: string, text: string): boolean {
  if (code === "LISTED") {
    const [, number, rest] = /^(\d+): (.*)$/.exec(text) ?? [];
    if (number && rest) room.listing.push({ number: Number(number), text: rest });
  } else if (code === "END") {
    room.invitations = room.listing;
    room.listing = [];
    room.inviting = false;
  } else if (code === "MADE" && room.inviting) {
    room.code ||= /^The code is (\S+)/.exec(text)?.[1] ?? "";
  } else {
    return room.inviting;
  }
  return true;
}

/** Records that are asked for. */
const RECORDS = 50;

/** Asks what was done to keep a room. */
export function askRecords(chat: Chat, room: Room): void {
  if (chat.link !== "online" || room.direct || !room.joined) return;
  room.recording = [];
  chat.line("MODLOG", [room.name, String(RECORDS)]);
}

/** What the server says was done. */
export function recorded(room: Room, code: string, text: string): void {
  if (code === "ENTRY") room.recording.push(text);
  if (code !== "END") return;
  room.records = room.recording;
  room.recording = [];
}

/** Asks what is known of somebody. */
export function askProfile(chat: Chat, nick: string): void {
  chat.profiles.set(fold(nick), chat.profiles.get(fold(nick)) ?? emptyProfile(nick));
  if (chat.link === "online") chat.line("WHOIS", [nick, nick]);
}

/** Says something of myself, or takes it back. */
export function introduceAs(chat: Chat, key: Key, value: string): void {
  chat.line("METADATA", value ? ["*", "SET", key, value] : ["*", "SET", key]);
}

// ---- who may do what; the server decides, this is for what is offered

/** Signs of roles, the highest first. */
export const SIGNS = "~&@%+";
/** The modes that give them. */
export const ROLES: Record<string, string> = { q: "~", a: "&", o: "@", h: "%", v: "+" };

function rank(signs: string): number {
  const at = SIGNS.indexOf(signs[0] ?? " ");
  return at < 0 ? 0 : SIGNS.length - at;
}

/** My own signs in a room. */
export function mySigns(chat: Chat, room: Room): string {
  return room.members.get(fold(chat.nick))?.signs ?? "";
}

/** Operators keep the room: modes, bans, pins, deleting what others said. */
export function keeps(signs: string): boolean {
  return rank(signs) >= 3;
}

/** Whether these may set the topic. */
export function maySetTopic(signs: string, room: Room): boolean {
  return rank(signs) >= 2 || (room.modes !== null && !room.modes.has("t"));
}

/** Whether members with these signs stand above those with others. */
export function commands(signs: string, over: string): boolean {
  const [mine, theirs] = [rank(signs), rank(over)];
  if (mine === 5) return true;
  return mine >= 3 ? theirs <= 3 : mine === 2 && theirs <= 1;
}

/** The signs that members with these may give: the highest first, and none. */
export function gives(signs: string): string[] {
  return rank(signs) < 2 ? [] : [...SIGNS].filter((sign) => commands(signs, sign)).concat("");
}

/** Gives somebody this role and no other. */
export function setRole(chat: Chat, room: Room, nick: string, sign: string): void {
  const before = room.members.get(fold(nick))?.signs ?? "";
  const letter = (sign: string) => Object.entries(ROLES).find(([, known]) => known === sign)?.[0] ?? "";
  const [plus, minus] = [sign && !before.includes(sign) ? letter(sign) : "", [...before].filter((known) => known !== sign).map(letter).join("")];
  const modes = `${plus ? `+${plus}` : ""}${minus ? `-${minus}` : ""}`;
  if (modes) chat.line("MODE", [room.name, modes, ...Array.from({ length: plus.length + minus.length }, () => nick)]);
}
