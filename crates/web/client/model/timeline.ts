// The messages of a room: new ones, pages of history, edits, deletions and reactions, each once. Pure functions over
// a room's list; what is changed is replaced.

import type { Message, Room } from "./types.ts";

/** Messages that are kept while the reader is at the end, and at most. */
export const KEPT = 600;
export const KEPT_MAX = 3000;

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
  const known = new Set(room.messages.map((message) => message.msgid).filter(Boolean));
  const fresh = page.filter((message) => !known.has(message.msgid));
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

/** Somebody reacted, or took it back. */
export function react(room: Room, msgid: string, what: string, who: string, back: boolean): boolean {
  const at = find(room, msgid);
  const message = room.messages[at];
  if (!message) return false;
  const people = (message.reactions.get(what) ?? []).filter((nick) => nick !== who);
  if (!back) people.push(who);
  const reactions = new Map(message.reactions);
  if (people.length) reactions.set(what, people);
  else reactions.delete(what);
  change(room, at, { reactions });
  return true;
}

/** Forgets what is far from the reader. */
export function trim(room: Room, atEnd: boolean): void {
  if (atEnd && room.messages.length > KEPT + 100) {
    room.messages = room.messages.slice(-KEPT);
    room.complete = false;
  } else if (!atEnd && room.messages.length > KEPT_MAX) {
    room.messages = room.messages.slice(0, KEPT_MAX - 500);
    room.behind = true;
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
