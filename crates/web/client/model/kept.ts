// What a page that is opened again finds of what was there: rooms with their last messages, and what was not sent yet. It
// is text for the browser's own store; where that is and how long it lasts is not known here.

import { blank } from "./chat.ts";
import type { Chat } from "./chat.ts";
import { count } from "./timeline.ts";
import type { Message, Room } from "./types.ts";

/** Messages of a room, and rooms. */
const MESSAGES = 100;
const ROOMS = 30;

/** Signs of all of it: browsers keep some millions. */
const SIZE = 1_500_000;

interface KeptMessage extends Omit<Message, "key" | "reactions"> {
  reactions: [string, readonly string[]][];
  /** It went out, and nobody knows what became of it. */
  sent: boolean;
}

interface KeptRoom {
  name: string;
  topic: string;
  readUpTo: number;
  messages: KeptMessage[];
}

/** The chat as a text. */
export function pack(chat: Chat): string {
  const rooms = [...chat.rooms.values()].sort((a, b) => Number(b.id === chat.active) - Number(a.id === chat.active));
  const kept: string[] = [];
  let size = 0;
  for (const room of rooms.slice(0, ROOMS)) {
    const text = JSON.stringify(packed(chat, room));
    size += text.length;
    if (size > SIZE) break;
    kept.push(text);
  }
  return `[${kept.join(",")}]`;
}

function packed(chat: Chat, room: Room): KeptRoom {
  const said = room.messages.filter(({ kind, msgid, state }) => state === "kept" && msgid && kind !== "event");
  // What is far from the end would leave a gap behind it.
  const last = room.behind ? [] : said.slice(-MESSAGES);
  const waiting = room.messages.filter((message) => message.state !== "kept").slice(0, MESSAGES);
  const messages = [...last, ...waiting].map(({ key, reactions, ...message }) => ({
    ...message,
    reactions: [...reactions],
    sent: message.state === "pending" && chat.wasSent(key),
  }));
  return { name: room.name, topic: room.topic, readUpTo: room.readUpTo, messages };
}

/** Puts what such a text holds into rooms that have nothing yet. Whether there was anything. */
export function unpack(chat: Chat, text: string): boolean {
  let found = false;
  for (const kept of parsed(text)) {
    const room = chat.ensure(kept.name);
    if (room.messages.length) continue;
    room.topic = kept.topic;
    room.readUpTo = kept.readUpTo;
    room.messages = kept.messages.map(({ sent, reactions, ...message }) => {
      const key = chat.key();
      if (sent) chat.markSent(key);
      return { ...blank(key), ...message, key, reactions: new Map(reactions) };
    });
    room.loaded = room.messages.some((message) => message.msgid);
    count(room);
    found ||= room.messages.length > 0;
  }
  return found;
}

function parsed(text: string): KeptRoom[] {
  try {
    const rooms = JSON.parse(text) as KeptRoom[];
    return rooms.filter((room) => room.name && Array.isArray(room.messages));
  } catch {
    return [];
  }
}
