// The messages of a room: new ones, pages of history, edits, deletions and reactions, each once. Pure functions over
// a room's list; what is changed is replaced.

import type { Later, Message, Room } from "./types.ts";

/** Messages that are kept while the reader is at the end, and at most. */
export const KEPT = 600;
export const KEPT_MAX = 3000;

/** Messages that are not here and of which something is known, at most. */
const LATER_MAX = 5000;
const REACTIONS_MAX = 500;

/** Where a message is, by msgid; -1 where it is not. Looked for from the end: what is asked about is mostly new. */
export function find(room: Room, msgid: string): number {
  if (!msgid) return -1;
  for (let at = room.messages.length - 1; at >= 0; at--) if (room.messages[at]?.msgid === msgid) return at;
  return -1;
}

/** Takes a message to the end, unless it is there. Pending ones stay behind all that is kept. */
export function append(room: Room, message: Message): boolean {
  if (find(room, message.msgid) >= 0) return false;
  if (room.behind && message.state === "kept") return false;
  let at = room.messages.length;
  if (message.state === "kept") while (at > 0 && room.messages[at - 1]?.state !== "kept") at--;
  room.messages = [...room.messages.slice(0, at), message, ...room.messages.slice(at)];
  return true;
}

/** A page of history, oldest first, put where it belongs. Returns the messages that were not known. */
export function merge(room: Room, page: readonly Message[], where: "before" | "after"): Message[] {
  const here = new Set(room.messages.map((message) => message.msgid).filter(Boolean));
  const fresh = page.filter((message) => !here.has(message.msgid));
  if (where === "before") {
    room.messages = [...fresh, ...room.messages];
  } else {
    let at = room.messages.length;
    while (at > 0 && room.messages[at - 1]?.state !== "kept") at--;
    room.messages = [...room.messages.slice(0, at), ...fresh, ...room.messages.slice(at)];
  }
  return fresh;
}

/** Puts something else in a message's place. */
export function change(room: Room, at: number, how: Partial<Message>): void {
  const message = room.messages[at];
  if (!message) return;
  room.messages = room.messages.with(at, { ...message, ...how });
}

/** The message with this key became this: kept or failed. What is kept moves before what is still pending. */
export function settle(room: Room, key: string, how: Partial<Message>): boolean {
  const at = room.messages.findIndex((message) => message.key === key);
  const message = room.messages[at];
  if (!message) return false;
  const rest = room.messages.toSpliced(at, 1);
  const settled = { ...message, ...how };
  if (settled.state !== "kept") {
    room.messages = room.messages.with(at, settled);
    return true;
  }
  room.messages = rest;
  // A page of history may have brought it already.
  if (find(room, settled.msgid) < 0) append(room, settled);
  return true;
}

/** Somebody reacted, or took it back. `older`: before everything that is known of a message that is not here. */
export function react(room: Room, msgid: string, what: string, who: string, back: boolean, older = false): boolean {
  const at = find(room, msgid);
  const message = room.messages[at];
  if (message) change(room, at, { reactions: reacted(message.reactions, what, who, back) });
  else {
    later(room, msgid, (known) => {
      if (older && known.whole) return;
      if (older) known.reactions.unshift({ what, who, back });
      else known.reactions.push({ what, who, back });
      if (known.reactions.length > REACTIONS_MAX) known.reactions.shift();
    });
  }
  return message !== undefined;
}

function reacted(all: ReadonlyMap<string, readonly string[]>, what: string, who: string, back: boolean): Map<string, readonly string[]> {
  const people = (all.get(what) ?? []).filter((nick) => nick !== who);
  if (!back) people.push(who);
  const reactions = new Map(all);
  if (people.length) reactions.set(what, people);
  else reactions.delete(what);
  return reactions;
}

/** A message reads differently. Said twice it is the same. */
export function edit(room: Room, msgid: string, text: string): void {
  const at = find(room, msgid);
  const message = room.messages[at];
  if (!message) return later(room, msgid, (known) => (known.edited = true));
  if (!message.deleted && !(message.edited && message.text === text)) change(room, at, { text, edited: true });
}

/** A message was deleted. */
export function redact(room: Room, msgid: string, why?: string): void {
  const at = find(room, msgid);
  if (at >= 0) change(room, at, { deleted: true, text: "", mention: false, reactions: new Map(), ...(why ? { why } : {}) });
  else room.later.delete(msgid);
}

/** Remembers what happened to a message that is not here. */
function later(room: Room, msgid: string, how: (known: Later) => void): void {
  if (!msgid) return;
  const known = room.later.get(msgid) ?? { edited: false, reactions: [], whole: false };
  how(known);
  room.later.delete(msgid);
  room.later.set(msgid, known);
  for (const first of room.later.keys()) {
    if (room.later.size <= LATER_MAX) break;
    room.later.delete(first);
  }
}

/** A message with what happened to it after its page of history. */
function whole(room: Room, message: Message): Message {
  const known = room.later.get(message.msgid);
  if (!known) return message;
  room.later.delete(message.msgid);
  let reactions: ReadonlyMap<string, readonly string[]> = known.whole ? new Map() : message.reactions;
  for (const { what, who, back } of known.reactions) reactions = reacted(reactions, what, who, back);
  return { ...message, edited: message.edited || known.edited, reactions };
}

/** Adds to the messages of a page what is known of them from after it. */
export function overlay(room: Room, page: readonly Message[]): void {
  const ids = new Set(page.map((message) => message.msgid).filter((msgid) => room.later.has(msgid)));
  if (ids.size) room.messages = room.messages.map((message) => (ids.has(message.msgid) ? whole(room, message) : message));
}

/** Remembers of messages that go what their page of history will not tell. */
export function letGo(room: Room, gone: readonly Message[]): void {
  for (const { msgid, edited, reactions, kind } of gone) {
    if (kind === "event" || (!edited && !reactions.size)) continue;
    later(room, msgid, (known) => {
      known.edited = edited;
      known.whole = true;
      known.reactions = [...reactions].flatMap(([what, people]) => people.map((who) => ({ what, who, back: false })));
    });
  }
}

/** Forgets what is far from the reader: what is before, at the end and on the way to it; what is after, on the way back. */
export function trim(room: Room, atEnd: boolean, forward = false): void {
  const kept = room.messages.filter((message) => message.state === "kept");
  const pending = room.messages.filter((message) => message.state !== "kept");
  const most = atEnd ? KEPT + 100 : KEPT_MAX;
  if (kept.length <= most) return;
  const stay = atEnd ? KEPT : KEPT_MAX - 500;
  const [gone, rest] = atEnd || forward ? [kept.slice(0, -stay), kept.slice(-stay)] : [kept.slice(stay), kept.slice(0, stay)];
  letGo(room, gone);
  room.messages = [...rest, ...pending];
  if (atEnd || forward) {
    room.complete = false;
    room.first = "";
  } else {
    room.behind = true;
    room.last = "";
  }
}

/** Counts what was not read: everything by others after the mark. */
export function count(room: Room): void {
  const fresh = room.messages.filter(
    (message) => message.at > room.readUpTo && !message.mine && message.kind !== "event" && !message.deleted,
  );
  room.unread = fresh.length;
  room.mentions = fresh.filter((message) => message.mention || room.direct).length;
}

/** The first message after a time, by others. */
export function firstAfter(room: Room, at: number): string {
  return room.messages.find((message) => message.at > at && !message.mine && message.kind !== "event")?.key ?? "";
}
