// What the lines of the server mean for the chat. One function a verb; what is not named here is not shown.

import { ROLES, SIGNS, askPins, found, invitations, pinned, recorded, remember } from "./asking.ts";
import { joined } from "./batches.ts";
import type { Batch, Item } from "./batches.ts";
import { PAGES_MAX, blank } from "./chat.ts";
import type { Asked, Chat } from "./chat.ts";
import { fold, isRoom } from "./irc.ts";
import type { Line } from "./irc.ts";
import { clean } from "./markup.ts";
import { failure, numeric } from "./numerics.ts";
import { append, count, edit, firstAfter, letGo, merge, overlay, react, redact, settle, trim } from "./timeline.ts";
import { texts } from "../texts.ts";
import type { Member, Message, Room } from "./types.ts";

type Handler = (chat: Chat, line: Line, asked: Asked | undefined) => void;

const VERBS: Record<string, Handler> = {
  PING: (chat, line) => void chat.line("PONG", line.params),
  CAP: cap,
  AUTHENTICATE: (chat, line) => {
    if (line.params[0] === "+") chat.authenticate();
  },
  PRIVMSG: said,
  NOTICE: said,
  TAGMSG: tagged,
  EDIT: amended,
  REDACT: amended,
  JOIN: join,
  PART: (chat, line) => left(chat, line, chat.rooms.get(fold(line.params[0] ?? "")), line.from),
  KICK: (chat, line) => {
    const room = chat.rooms.get(fold(line.params[0] ?? ""));
    const nick = line.params[1] ?? "";
    if (room) event(chat, room, line, told(line));
    left(chat, line, room, nick);
  },
  QUIT: (chat, line) => {
    for (const room of chat.rooms.values()) left(chat, line, room, line.from);
    // Whoever had the name that I want is gone.
    if (fold(line.from) === fold(chat.wanted) && !chat.isMe(line.from)) chat.line("NICK", [chat.wanted]);
  },
  NICK: nick,
  TOPIC: (chat, line) => {
    const room = chat.ensure(line.params[0] ?? "");
    room.topic = clean(line.params[1] ?? "");
    event(chat, room, line, told(line));
  },
  MODE: (chat, line) => {
    const room = chat.rooms.get(fold(line.params[0] ?? ""));
    if (!room) return;
    event(chat, room, line, told(line));
    roles(room, line.params[1] ?? "", line.params.slice(2), line.from, time(chat, line));
  },
  RENAME: (chat, line) => {
    const room = chat.rooms.get(fold(line.params[0] ?? ""));
    if (!room) return;
    chat.rooms.delete(room.id);
    const to = chat.ensure(line.params[1] ?? "");
    Object.assign(to, { ...room, name: to.name, id: to.id });
    if (chat.active === room.id) chat.active = to.id;
  },
  AWAY: (chat, line) => each(chat, line.from, (member) => (member.away = line.params.length > 0)),
  ACCOUNT: (chat, line) => each(chat, line.from, (member) => (member.account = star(line.params[0]))),
  MARKREAD: (chat, line) => {
    const room = chat.rooms.get(fold(line.params[0] ?? ""));
    const at = Date.parse((line.params[1] ?? "").replace(/^timestamp=/, ""));
    if (!room || !(at >= room.readUpTo)) return;
    room.readUpTo = at;
    count(room);
    if (chat.active === room.id && !chat.watching) room.divider = firstAfter(room, at);
  },
  REGISTER: (chat, line) => {
    chat.registering = false;
    if (line.params[0] === "SUCCESS") chat.tell(texts.kept);
  },
  FAIL: failure,
  WARN: (chat, line) => chat.tell(clean(line.params.at(-1) ?? ""), true),
  NOTE: noted,
  PONG: (chat, line) => pinned(chat, line.params.at(-1) ?? ""),
  METADATA: (chat, line) => {
    const [target = "", key = "", , value] = line.params;
    described(chat, target, key, value);
  },
  ERROR: (chat, line) => {
    if (!chat.welcomed) chat.refused = clean(line.params[0] ?? "");
  },
};

/** Does what a line says. */
export function handle(chat: Chat, line: Line): void {
  const asked = chat.answered(line);
  if (/^\d{3}$/.test(line.verb)) numeric(chat, line, asked);
  else VERBS[line.verb]?.(chat, line, asked);
}

/** Does what a batch says. */
export function handleBatch(chat: Chat, batch: Batch, outer?: Asked): void {
  const asked = chat.answered(batch.opening) ?? outer;
  if (batch.kind === "soju.im/search") return hits(chat, batch, asked);
  if (batch.kind === "chathistory") return history(chat, batch, asked);
  if (batch.kind === "draft/multiline") {
    const line = joined(batch);
    if (line) said(chat, line, asked);
    return;
  }
  if (batch.kind === "draft/chathistory-targets") {
    for (const item of batch.items) {
      const name = "line" in item ? (item.line.params[1] ?? "") : "";
      if (name && !isRoom(name) && !/serv$/i.test(name)) {
        const room = chat.ensure(name);
        if (!room.loaded) chat.refresh(room);
      }
    }
    return;
  }
  for (const item of batch.items) one(chat, item, asked);
}

/** A piece of a batch whose kind does not matter: as if it had come alone. */
function one(chat: Chat, item: Item, asked: Asked | undefined): void {
  if ("batch" in item) return handleBatch(chat, item.batch, asked);
  if (/^\d{3}$/.test(item.line.verb)) numeric(chat, item.line, asked);
  else VERBS[item.line.verb]?.(chat, item.line, asked);
}

/** What was found. */
function hits(chat: Chat, batch: Batch, asked: Asked | undefined): void {
  const lines = batch.items.map((item) => ("line" in item ? item.line : joined(item.batch))).filter((line) => line !== null);
  found(chat, asked, lines.map((line) => ({ room: place(chat, line), message: message(chat, line) })));
}

/** NOTE: https://ircv3.net/specs/extensions/standard-replies */
function noted(chat: Chat, line: Line): void {
  const [verb = "", code = "", one = "", two = ""] = line.params;
  const text = clean(line.params.at(-1) ?? "");
  const room = chat.rooms.get(fold(one));
  if (verb === "UPLOAD" && code === "TICKET" && one === "*") return chat.ticket(two, "");
  if (verb === "PINS" && room) {
    if (code === "PINNED") room.pinning.push({ number: Number(two), text: text.replace(/^\[\d+\] /, "") });
    return;
  }
  if (verb === "MODLOG" && room) return recorded(room, code, text);
  if (verb === "INVITATION" && room && invitations(room, code, text)) return;
  chat.tell(text);
}

/** Somebody says something of themselves, or takes it back. */
export function described(chat: Chat, target: string, key: string, value: string | undefined): void {
  const id = fold(target);
  const known = chat.metadata.get(id) ?? new Map<string, string>();
  if (value) known.set(key.toLowerCase(), clean(value));
  else known.delete(key.toLowerCase());
  chat.metadata.set(id, known);
}

function cap(chat: Chat, line: Line): void {
  const [, verb, ...rest] = line.params;
  if (verb === "LS") {
    offered(chat, rest.at(-1) ?? "");
    if (rest[0] !== "*") chat.negotiate();
  }
  if (verb === "NAK") chat.line("CAP", ["END"]);
}

/** Capabilities as they come, perhaps in several lines. */
function offered(chat: Chat, list: string): void {
  for (const part of list.split(" ").filter(Boolean)) {
    const at = part.indexOf("=");
    chat.offered.set(at < 0 ? part : part.slice(0, at), at < 0 ? "" : part.slice(at + 1));
  }
}

/** The room or conversation that a line belongs to. */
export function place(chat: Chat, line: Line): Room {
  const target = (line.params[0] ?? "").replace(/^[~&@%+]+(?=#)/, "");
  if (isRoom(target)) return chat.ensure(target);
  return chat.ensure(chat.isMe(target) && line.from ? line.from : target);
}

/** A text, and whether it is an action. */
export function words(text: string): { text: string; action: boolean } {
  const action = /^\u0001ACTION (.*?)\u0001?$/s.exec(text);
  return { text: clean(action ? (action[1] ?? "") : text), action: action !== null };
}

function time(chat: Chat, line: Line): number {
  return Date.parse(line.tags.get("time") ?? "") || chat.outside.now();
}

/** A line of speech as a message. */
export function message(chat: Chat, line: Line): Message {
  const { text, action } = words(line.params[1] ?? "");
  const mine = chat.isMe(line.from) || (chat.account !== "" && line.tags.get("account") === chat.account);
  const msgid = line.tags.get("msgid") ?? "";
  const reply = line.tags.get("+draft/reply") ?? line.tags.get("+reply");
  return {
    ...blank(msgid || chat.key()),
    msgid,
    kind: action ? "action" : line.verb === "NOTICE" ? "notice" : "said",
    from: line.from,
    account: line.tags.get("account") ?? "",
    text,
    at: time(chat, line),
    number: Number(line.tags.get("chinwag.internal/number") ?? 0),
    mine,
    mention: !mine && mentions(text, chat.nick),
    ...(reply ? { replyTo: reply } : {}),
  };
}

/** Whether a text names somebody, as a word. */
export function mentions(text: string, nick: string): boolean {
  if (!nick) return false;
  const escaped = nick.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  return new RegExp(`(^|[^\\p{L}\\p{N}_-])${escaped}($|[^\\p{L}\\p{N}_-])`, "iu").test(text);
}

function said(chat: Chat, line: Line, asked?: Asked): void {
  const target = line.params[0] ?? "";
  const served = !line.tags.has("msgid") && line.verb === "NOTICE";
  if (served && !isRoom(target)) {
    // What the server or a service says to me alone.
    if (line.from.includes(".") || /serv$/i.test(line.from) || target === "*") {
      const text = clean(line.params[1] ?? "");
      if (chat.coding) [chat.code, chat.coding] = [text, false];
      else if (chat.link === "online") chat.tell(text);
      return;
    }
  }
  const room = place(chat, line);
  const came = message(chat, line);
  room.typing.delete(fold(line.from));
  chat.live(room, () => put(chat, room, came, asked));
}

/** A message gets its place at the end. */
function put(chat: Chat, room: Room, came: Message, asked?: Asked): void {
  if (asked?.kind === "say" && asked.key && settle(room, asked.key, { ...came, key: asked.key, state: "kept", mine: true })) {
    return;
  }
  if (!append(room, came)) return count(room);
  overlay(room, [came]);
  // It is told in words; what is pinned is asked for.
  if (came.kind === "action" && came.replyTo && /^(un)?pinned \[\d+\]/.test(came.text) && room.pins) askPins(chat, room);
  trim(room, chat.active !== room.id || chat.atEnd);
  arrived(chat, room, came);
}

/** Something new was said: it is read now, or counts as unread. */
function arrived(chat: Chat, room: Room, came: Message): void {
  if (came.mine) return;
  if (chat.active === room.id && chat.watching) return chat.seen();
  room.unread++;
  if (came.mention || room.direct) {
    room.mentions++;
    chat.outside.attention?.(room, came);
  }
  if (chat.active === room.id && !room.divider) room.divider = came.key;
}

function tagged(chat: Chat, line: Line): void {
  const typing = line.tags.get("+typing");
  const target = line.params[0] ?? "";
  if (typing !== undefined) {
    if (chat.isMe(line.from)) return;
    const room = chat.rooms.get(fold(isRoom(target) ? target : line.from));
    if (typing === "active") room?.typing.set(fold(line.from), chat.outside.now() + 6000);
    else room?.typing.delete(fold(line.from));
    return;
  }
  amended(chat, line);
}

/** A message reads differently, is deleted, or somebody reacted to it. */
function amended(chat: Chat, line: Line): void {
  const room = place(chat, line);
  chat.live(room, () => {
    amend(room, line);
    if (line.verb !== "TAGMSG") count(room);
  });
}

/** The same, live or from history. */
function amend(room: Room, line: Line, older = false): void {
  if (line.verb === "TAGMSG") reacted(room, line, older);
  else if (line.verb === "REDACT") redact(room, line.params[1] ?? "", line.params[2]);
  else edit(room, line.tags.get("draft/target-msgid") ?? "", words(line.tags.get("draft/edit-text") ?? "").text);
}

function reacted(room: Room, line: Line, older: boolean): void {
  const about = line.tags.get("+draft/reply") ?? line.tags.get("+reply") ?? "";
  const back = line.tags.get("+draft/unreact");
  const what = clean(back ?? line.tags.get("+draft/react") ?? "").slice(0, 64);
  if (what) react(room, about, what, line.from, back !== undefined, older);
}

/** A line about the room between its messages. */
export function event(chat: Chat, room: Room, line: Line, text: string): void {
  const came = happened(chat, line, text);
  chat.live(room, () => append(room, came));
}

function happened(chat: Chat, line: Line, text: string): Message {
  const msgid = line.tags.get("msgid") ?? "";
  return { ...blank(msgid || chat.key()), msgid, kind: "event", from: line.from, text: clean(text), at: time(chat, line) };
}

/** What else is told of a room between its messages, in words; empty for what is not. */
function told(line: Line): string {
  const [, one = "", two = ""] = line.params;
  if (line.verb === "TOPIC") return texts.topicChanged(line.from, one);
  if (line.verb === "KICK") return texts.putOut(line.from, one, two);
  return line.verb === "MODE" ? texts.modesSet(line.from, line.params.slice(1).join(" ")) : "";
}

function join(chat: Chat, line: Line): void {
  const known = chat.rooms.has(fold(line.params[0] ?? ""));
  const room = chat.ensure(line.params[0] ?? "");
  if (!chat.isMe(line.from)) {
    room.members.set(fold(line.from), { nick: line.from, signs: "", account: star(line.params[1]), away: false, bot: false });
    return;
  }
  const fresh = !room.joined;
  room.joined = true;
  room.members.clear();
  if (!chat.active) chat.active = room.id;
  // The room of an invitation is one that I did not ask for by name.
  if (chat.invited && !known && fold(room.name) !== fold(chat.lobby)) {
    chat.invited = false;
    chat.open(room.name);
  }
  if (fresh) chat.refresh(room);
  chat.line("WHO", [room.name, "%tnaf,1"]);
}

function left(chat: Chat, _line: Line, room: Room | undefined, who: string): void {
  if (!room) return;
  room.members.delete(fold(who));
  room.typing.delete(fold(who));
  if (chat.isMe(who) && !room.direct) room.joined = false;
}

/** Gives and takes roles. */
function roles(room: Room, modes: string, rest: string[], by: string, at: number): void {
  let sign = "+";
  for (const mode of modes) {
    if (mode === "+" || mode === "-") {
      sign = mode;
      continue;
    }
    const role = ROLES[mode];
    // Other modes have an argument always, or when they are set.
    const argument = role || "beIk".includes(mode) || ("lf".includes(mode) && sign === "+") ? rest.shift() : undefined;
    if (!role && !"beI".includes(mode) && room.modes) {
      room.modes = new Map(room.modes);
      if (sign === "+") room.modes.set(mode, argument ?? "");
      else room.modes.delete(mode);
    }
    if (mode === "b" && room.bans && argument) {
      room.bans = room.bans.filter((ban) => ban.mask !== argument);
      if (sign === "+") room.bans.push({ mask: argument, by, at });
    }
    const member = role && room.members.get(fold(argument ?? ""));
    if (!member) continue;
    const signs = [...member.signs].filter((known) => known !== role);
    if (sign === "+") signs.push(role);
    member.signs = signs.sort((a, b) => SIGNS.indexOf(a) - SIGNS.indexOf(b)).join("");
  }
}

function nick(chat: Chat, line: Line): void {
  const to = line.params[0] ?? "";
  if (chat.isMe(line.from)) {
    chat.nick = to;
    chat.names.add(fold(to));
  }
  for (const room of chat.rooms.values()) {
    const member = room.members.get(fold(line.from));
    if (!member) continue;
    room.members.delete(fold(line.from));
    room.members.set(fold(to), { ...member, nick: to });
    event(chat, room, line, texts.nowCalled(line.from, to));
  }
}

function each(chat: Chat, who: string, how: (member: Member) => void): void {
  for (const room of chat.rooms.values()) {
    const member = room.members.get(fold(who));
    if (member) how(member);
  }
}

function star(account: string | undefined): string {
  return account && account !== "*" && account !== "0" ? account : "";
}

// ---- pages of history

function history(chat: Chat, batch: Batch, asked: Asked | undefined): void {
  const room = chat.rooms.get(fold(batch.params[0] ?? "")) ?? asked?.room;
  if (!room) return;
  if (asked?.kind === "fetch") return remember(room, contents(chat, batch).said);
  const where = asked?.where ?? (room.loading || "latest");
  room.loading = "";
  const { said, amendments, first, last } = contents(chat, batch);
  const all = batch.opening.tags.has("draft/chathistory-end") || batch.items.length === 0;
  const sentBefore = new Set(where === "before" ? [] : chat.inDoubt(room));
  place_(room, said, where, all);
  if (where !== "after" && (!said.length || room.messages[0]?.msgid === said[0]?.msgid)) room.first = first || room.first;
  room.last = !room.behind ? "" : where === "before" ? room.last : last || room.last;
  // A page has each message as it reads now; what happened to others is in it as well.
  const here = new Set(room.messages.map((message) => message.msgid));
  const about = (line: Line) => line.tags.get("+draft/reply") ?? line.tags.get("+reply") ?? "";
  const older = where === "before" ? amendments.filter((line) => line.verb === "TAGMSG" && !here.has(about(line))) : [];
  for (const line of amendments) if (!older.includes(line)) amend(room, line);
  for (const line of older.reverse()) amend(room, line, true);
  overlay(room, said);
  if (where === "before" || (where === "after" && room.behind)) trim(room, false, where === "after");
  if (where !== "before") matched(chat, room, said);
  if (where === "after" && !all && room.catching) {
    room.pages++;
    if (room.pages >= PAGES_MAX || !last) return chat.page(room, "latest");
    return chat.page(room, "after", last);
  }
  // Where nobody knows what was read, what was said before one came is not news.
  if (!room.loaded && !room.direct && !room.readUpTo) room.readUpTo = said.at(-1)?.at ?? 0;
  room.loaded = true;
  if (where === "latest" || (where === "after" && room.catching)) {
    chat.resume(room, sentBefore);
    chat.caughtUp(room);
  }
  count(room);
  if (chat.active === room.id && where !== "before") chat.divide(room);
  chat.seen();
}

/** A page, taken apart: what stands in the room, and what happened to messages. */
function contents(chat: Chat, batch: Batch): { said: Message[]; amendments: Line[]; first: string; last: string } {
  const said: Message[] = [];
  const amendments: Line[] = [];
  let first = "";
  let last = "";
  for (const item of batch.items) {
    const line = "line" in item ? item.line : joined(item.batch);
    if (!line) continue;
    last = line.tags.get("msgid") ?? last;
    first ||= last;
    if (line.verb === "PRIVMSG" || line.verb === "NOTICE") said.push(message(chat, line));
    else if (["TAGMSG", "EDIT", "REDACT"].includes(line.verb)) amendments.push(line);
    else if (told(line)) said.push(happened(chat, line, told(line)));
  }
  return { said, amendments, first, last };
}

function place_(room: Room, said: Message[], where: "before" | "after" | "latest" | "around", all: boolean): void {
  if (where === "before") {
    merge(room, said, "before");
    room.complete ||= all;
  } else if (where === "after") {
    merge(room, said, "after");
    if (all) room.behind = false;
  } else {
    anew(room, said, where, all);
  }
}

/** A page that does not continue what is here. What came alive meanwhile stays, and so do lines that are kept nowhere
 * (between guests); what a gap would stand behind is dropped. */
function anew(room: Room, said: Message[], where: "latest" | "around", all: boolean): void {
  const pending = room.messages.filter((message) => message.state !== "kept");
  const before = new Map(room.messages.filter((message) => message.msgid).map((message) => [message.msgid, message]));
  const overlap = said.some((message) => before.has(message.msgid));
  const known = new Set(said.map((message) => message.msgid));
  const last = said.at(-1)?.at ?? 0;
  const joins = where === "latest" && (overlap || room.direct);
  const rest = room.messages.filter(
    (message) => message.state === "kept" && !known.has(message.msgid) && (joins || (where === "latest" && message.at > last)),
  );
  // Behind a gap nobody knows what else happened to what was here.
  if (where === "latest" && !joins) room.later.clear();
  else letGo(room, room.messages.filter((message) => !known.has(message.msgid) && !rest.includes(message)));
  const page = said.map((message) => {
    const { key, edited, reactions } = before.get(message.msgid) ?? message;
    return { ...message, key, edited, reactions };
  });
  room.messages = [...[...page, ...rest].sort((a, b) => a.at - b.at), ...pending];
  room.complete = where === "latest" && (all || (overlap && room.complete));
  room.behind = where === "around";
}

/** What is pending and did arrive after all: the text is the same, and I said it. */
function matched(chat: Chat, room: Room, said: Message[]): void {
  for (const pending of room.messages.filter((message) => message.state !== "kept")) {
    const same = said.find(
      (came) => came.text === pending.text && came.at >= pending.at - 60_000 && (came.mine || chat.names.has(fold(came.from))),
    );
    if (!same) continue;
    said.splice(said.indexOf(same), 1);
    room.messages = room.messages.filter((message) => message.key !== pending.key);
  }
}
