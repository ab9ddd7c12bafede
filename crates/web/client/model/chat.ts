// The chat as one person sees it: rooms, messages, people, and what may be done. No DOM, no socket, no clock: lines come
// in by `take`, leave by the `send` of `opened`, and the time is asked for. `handlers.ts` says what each line means.

import { KEYS } from "./asking.ts";
import type { Profile, Search } from "./asking.ts";
import { Batches } from "./batches.ts";
import { handle, handleBatch } from "./handlers.ts";
import { base64, bytes, fold, format, isRoom, parse, pieces } from "./irc.ts";
import type { Line } from "./irc.ts";
import { append, count, firstAfter, settle } from "./timeline.ts";
import { emptyRoom } from "./types.ts";
import { texts } from "../texts.ts";
import type { Link, Listed, Message, Room } from "./types.ts";

/** The capabilities that are asked for, where the server has them. */
const WANTED = [
  "account-notify", "account-tag", "away-notify", "batch", "cap-notify", "draft/channel-rename", "draft/chathistory",
  "draft/event-playback", "draft/message-edit", "draft/message-redaction", "draft/multiline", "draft/read-marker",
  "echo-message", "extended-join", "chinwag.internal/numbers", "labeled-response", "message-tags", "multi-prefix",
  "draft/account-registration", "draft/metadata-2", "sasl", "server-time", "setname", "soju.im/search", "standard-replies",
];

/** Messages of one page of history. */
export const PAGE = 60;

/** Pages by which a gap is closed; of a longer one only the end is fetched, and the rest when it is looked at. */
export const PAGES_MAX = 20;

/** What comes live while a gap is being closed, at most. */
const WAITING_MAX = 2000;

/** Bytes of a text that fit into one line with whatever the server puts before it. */
const LINE_BYTES = 350;

/** What a chat needs from outside. */
export interface Outside {
  now(): number;
  /** Something is different. */
  changed(): void;
  /** Somebody wants me, and I may not be looking. */
  attention?(room: Room, message: Message): void;
}

/** A sentence for the person, perhaps with a number behind it so that the same sentence is shown twice. */
export interface Notice {
  text: string;
  bad: boolean;
  id: number;
}

/** A question with a label, until it is answered. */
export interface Asked {
  kind: "say" | "history" | "register" | "edit" | "redact" | "search" | "fetch" | "other";
  room?: Room;
  key?: string;
  where?: "before" | "after" | "latest" | "around";
  search?: Search;
  msgid?: string;
}

export class Chat {
  readonly rooms = new Map<string, Room>();
  readonly offered = new Map<string, string>();
  readonly caps = new Map<string, string>();
  readonly support = new Map<string, string>();
  readonly asked = new Map<string, Asked>();
  link: Link = "new";
  nick = "";
  /** The name that I asked for; the nickname may have to differ for a while. */
  wanted = "";
  account = "";
  /** Names that I had: what came back under them is mine. */
  readonly names = new Set<string>();
  active = "";
  /** The end of the active room is on the screen, looked at or not. */
  atEnd = true;
  /** The person looks at the end of the active room. */
  watching = false;
  listed: Listed[] | null = null;
  notice: Notice | null = null;
  /** Why coming in failed, for the first screen. */
  refused = "";
  search: Search | null = null;
  /** What is known of people, by nickname. */
  readonly profiles = new Map<string, Profile>();
  /** What people say of themselves, by nickname and key. */
  readonly metadata = new Map<string, Map<string, string>>();
  /** A code with which another device joins my account, in a sentence. */
  code = "";
  coding = false;
  registering = false;
  password = "";
  /** The code of an invitation, given as soon as I am in; and whether the room into which it leads is to be shown. */
  invitation = "";
  invited = false;
  lobby = "#lobby";
  welcomed = false;
  /** What is shown was kept from an earlier visit: there has been no connection yet. */
  recalled = false;
  private batches = new Batches();
  private send: ((line: string) => void) | null = null;
  private labels = 0;
  private keys = 0;
  /** Which connection this is, and on which one a pending message was sent. */
  private epoch = 0;
  private readonly sent = new Map<string, number>();
  private notices = 0;
  private readonly typed = new Map<string, number>();
  /** Who waits for an address to send a file to, in the order of asking. */
  private tickets: ((path: string, why: string) => void)[] = [];
  private marked = new Map<string, number>();

  readonly outside: Outside;

  constructor(outside: Outside) {
    this.outside = outside;
  }

  get room(): Room | undefined {
    return this.rooms.get(this.active);
  }

  // ---- the connection

  /** A connection is there: introduces the person. */
  opened(send: (line: string) => void): void {
    this.send = send;
    this.batches = new Batches();
    this.caps.clear();
    this.offered.clear();
    this.epoch++;
    this.asked.clear();
    this.link = "connecting";
    this.nick = this.wanted;
    this.line("CAP", ["LS", "302"]);
    this.changed();
  }

  /** The connection is gone. What is under way is in doubt until history has been looked at. */
  closed(over: boolean): void {
    this.send = null;
    this.link = over ? "over" : "waiting";
    for (const given of this.tickets.splice(0)) given("", texts.lost);
    this.registering = false;
    for (const room of this.rooms.values()) {
      room.loading = "";
      this.caughtUp(room, false);
      room.typing.clear();
      if (!room.direct) room.joined = false;
    }
    this.changed();
  }

  /** Takes a line from the server. */
  take(text: string): void {
    const line = parse(text);
    if (!line) return;
    const whole = this.batches.take(line);
    if (!whole) return;
    if ("batch" in whole) handleBatch(this, whole.batch);
    else handle(this, whole.line);
    this.changed();
  }

  changed(): void {
    this.outside.changed();
  }

  line(verb: string, params: string[] = [], tags: Record<string, string | undefined> = {}): boolean {
    if (!this.send) return false;
    this.send(format(verb, params, tags));
    return true;
  }

  /** Asks something whose answer is told from others by its label. */
  ask(asked: Asked, verb: string, params: string[], tags: Record<string, string | undefined> = {}): string {
    const label = `c${++this.labels}`;
    if (this.caps.has("labeled-response")) this.asked.set(label, asked);
    this.line(verb, params, this.caps.has("labeled-response") ? { label, ...tags } : tags);
    return label;
  }

  /** The question that a line answers. */
  answered(line: Line): Asked | undefined {
    const label = line.tags.get("label");
    const asked = label === undefined ? undefined : this.asked.get(label);
    if (label !== undefined) this.asked.delete(label);
    return asked;
  }

  // ---- coming in; `handlers.ts` calls these

  /** The capabilities are known: asks for them. */
  negotiate(): void {
    const offered = this.offered;
    const wanted = WANTED.filter((name) => offered.has(name));
    for (const name of wanted) this.caps.set(name, offered.get(name) ?? "");
    // In two lines: one would be too long for a server that counts.
    const half = Math.ceil(wanted.length / 2);
    for (const part of [wanted.slice(0, half), wanted.slice(half)]) {
      if (part.length) this.line("CAP", ["REQ", part.join(" ")]);
    }
    if (this.password && offered.has("sasl")) this.line("AUTHENTICATE", ["PLAIN"]);
    else this.introduce();
  }

  /** Says who I am, after that was proved where there is a password. */
  introduce(): void {
    this.line("NICK", [this.wanted]);
    this.line("USER", [ascii(this.wanted), "0", "*", this.wanted]);
    this.line("CAP", ["END"]);
  }

  /** Sends name and password, in pieces of 400 bytes (SASL 3.1). */
  authenticate(): void {
    const proof = base64(`\0${this.wanted}\0${this.password}`);
    for (let at = 0; at <= proof.length; at += 400) this.line("AUTHENTICATE", [proof.slice(at, at + 400) || "+"]);
  }

  /** Inside: goes back to where the person was, or to where they want to be. */
  welcome(): void {
    this.link = "online";
    this.refused = "";
    this.welcomed = true;
    this.names.add(fold(this.nick));
    const rooms = [...this.rooms.values()].filter((room) => !room.direct).map((room) => room.name);
    if (!rooms.length) rooms.push(this.active && isRoom(this.active) ? this.active : this.lobby);
    if (this.caps.has("draft/metadata-2")) this.line("METADATA", ["*", "SUB", ...KEYS]);
    this.line("JOIN", [rooms.join(",")]);
    this.redeem();
    for (const room of this.rooms.values()) if (room.direct) this.refresh(room);
    const now = new Date(this.outside.now() + 60_000).toISOString();
    if (this.caps.has("draft/chathistory")) {
      this.ask({ kind: "other" }, "CHATHISTORY", ["TARGETS", "timestamp=2000-01-01T00:00:00.000Z", `timestamp=${now}`, "50"]);
    }
  }

  /** Gives the code of an invitation, once. */
  redeem(): void {
    if (!this.invitation) return;
    this.invited = true;
    this.line("INVITATION", [this.invitation]);
    this.invitation = "";
  }

  // ---- rooms

  /** The room, made if it is not there. */
  ensure(name: string): Room {
    const id = fold(name);
    const known = this.rooms.get(id);
    if (known) return known;
    const room = emptyRoom(name, id, !isRoom(name));
    this.rooms.set(id, room);
    return room;
  }

  /** Shows a room, and enters it where that is needed. */
  open(name: string): Room {
    const room = this.ensure(name);
    if (this.active !== room.id) {
      const before = this.room;
      if (before) before.divider = "";
      this.active = room.id;
      room.divider = "";
      this.divide(room);
    }
    if (!room.joined && this.link === "online") this.line("JOIN", [room.name]);
    if (room.direct && !room.loaded && this.link === "online") this.refresh(room);
    this.changed();
    return room;
  }

  /** Marks where what is new begins. */
  divide(room: Room): void {
    if (!room.unread || room.divider) return;
    room.divider = firstAfter(room, room.readUpTo);
    [room.newSince, room.newCount] = [room.readUpTo, room.unread];
  }

  /** Leaves a room, or closes a conversation. */
  leave(room: Room): void {
    if (!room.direct && room.joined) this.line("PART", [room.name]);
    this.forget(room);
  }

  forget(room: Room): void {
    this.rooms.delete(room.id);
    if (this.active === room.id) {
      const next = [...this.rooms.values()][0];
      if (next) this.open(next.name);
      else this.active = "";
    }
    this.changed();
  }

  /** Asks which rooms there are. */
  list(): void {
    this.listed = null;
    this.line("LIST");
  }

  // ---- history

  /** Fetches what was missed, or the latest page. */
  refresh(room: Room): void {
    if (!this.caps.has("draft/chathistory")) return;
    const last = room.messages.findLast((message) => message.msgid);
    if (room.direct && room.readUpTo === 0) this.line("MARKREAD", [room.name]);
    room.catching = true;
    room.pages = 0;
    if (room.loaded && last && !room.behind) this.page(room, "after", last.msgid);
    else this.page(room, "latest");
  }

  /** Does what came live for a room, in its order: now, or behind what was missed. */
  live(room: Room, how: () => void): void {
    if (!room.catching) return how();
    if (room.waiting.length < WAITING_MAX) room.waiting.push(how);
    else room.overtaken = true;
  }

  /** What was missed is here: what waited for it is done, unless there is no connection any more. */
  caughtUp(room: Room, online = true): void {
    const { waiting, overtaken } = room;
    room.catching = room.overtaken = false;
    room.waiting = [];
    if (!online) return;
    if (overtaken) {
      room.catching = true;
      return this.page(room, "latest");
    }
    for (const how of waiting) how();
  }

  /** Asks for the page before the first or after the last message that is here. */
  more(room: Room, where: "before" | "after"): void {
    if (room.loading || this.link !== "online") return;
    if (where === "before" ? room.complete : !room.behind) return;
    const kept = room.messages.filter((message) => message.msgid);
    const edge = where === "before" ? room.first || kept[0]?.msgid : room.last || kept.at(-1)?.msgid;
    this.page(room, edge ? where : "latest", edge);
  }

  /** Asks for a message and those around it: a msgid, or another point with its kind. */
  around(room: Room, point: string): void {
    if (!room.loading && this.link === "online") this.page(room, "around", point);
  }

  /** Back to the end. */
  toEnd(room: Room): void {
    if (room.behind && !room.loading) this.page(room, "latest");
  }

  page(room: Room, where: "before" | "after" | "latest" | "around", about = ""): void {
    room.loading = where;
    const point = where === "latest" ? "*" : about.includes("=") ? about : `msgid=${about}`;
    this.ask({ kind: "history", room, where }, "CHATHISTORY", [where.toUpperCase(), room.name, point, String(PAGE)]);
  }

  // ---- saying

  /** Says something: it is pending until the server has kept it. */
  say(room: Room, text: string, replyTo?: string, kind: "said" | "action" = "said"): void {
    for (const part of this.portions(text)) this.sayOne(room, part, replyTo, kind);
    this.typingDone(room, false);
    this.changed();
  }

  private sayOne(room: Room, text: string, replyTo: string | undefined, kind: "said" | "action"): void {
    const message: Message = {
      ...blank(`p${++this.keys}`),
      kind,
      from: this.nick,
      account: this.account,
      text,
      at: this.outside.now(),
      state: "pending",
      mine: true,
      replyTo,
    };
    append(room, message);
    if (this.link === "online" && room.joined) this.transmit(room, message);
  }

  /** Sends a message that is pending. */
  transmit(room: Room, message: Message): void {
    const asked: Asked = { kind: "say", room, key: message.key };
    this.sent.set(message.key, this.epoch);
    const tags = { "+draft/reply": message.replyTo };
    const text = message.kind === "action" ? `\u0001ACTION ${message.text}\u0001` : message.text;
    const lines = text.split("\n");
    if ((lines.length === 1 && bytes(text) <= LINE_BYTES) || !this.caps.has("draft/multiline")) {
      for (const line of lines.flatMap((line) => pieces(line, LINE_BYTES))) if (line) this.ask(asked, "PRIVMSG", [room.name, line], tags);
      return;
    }
    const batch = `m${++this.labels}`;
    this.ask(asked, "BATCH", [`+${batch}`, "draft/multiline", room.name], tags);
    for (const line of lines) {
      pieces(line, LINE_BYTES).forEach((piece, index) => {
        this.line("PRIVMSG", [room.name, piece], { batch, "draft/multiline-concat": index ? "" : undefined });
      });
    }
    this.line("BATCH", [`-${batch}`]);
  }

  /** A long text as messages that the server takes. */
  private portions(text: string): string[] {
    const limits = new Map((this.caps.get("draft/multiline") ?? "").split(",").map((part) => part.split("=") as [string, string]));
    const most = Number(limits.get("max-bytes") ?? 4096) - 200;
    const lines = Number(limits.get("max-lines") ?? 32);
    const found: string[] = [];
    let portion: string[] = [];
    let size = 0;
    let used = 0;
    for (const line of text.split("\n").flatMap((line) => pieces(line, most))) {
      const parts = pieces(line, LINE_BYTES).length;
      const more = bytes(line) + 1;
      if (portion.length && (size + more > most || used + parts > lines)) {
        found.push(portion.join("\n"));
        [portion, size, used] = [[], 0, 0];
      }
      portion.push(line);
      size += more;
      used += parts;
    }
    found.push(portion.join("\n"));
    return found.filter((part) => part.trim());
  }

  /** Sends once more what failed. */
  again(room: Room, key: string): void {
    const message = room.messages.find((message) => message.key === key && message.state === "failed");
    if (!message) return;
    settle(room, key, { state: "pending", why: "" });
    if (this.link === "online" && room.joined) this.transmit(room, message);
    this.changed();
  }

  /** Forgets what failed. */
  drop(room: Room, key: string): void {
    room.messages = room.messages.filter((message) => message.key !== key || message.state === "kept");
    this.changed();
  }

  /** After history was looked at: what was typed while there was no connection is sent, and what was sent and did not
   * come back is the person's to decide. */
  resume(room: Room, sentBefore: Set<string>): void {
    for (const message of room.messages.filter((message) => message.state === "pending")) {
      if (sentBefore.has(message.key)) settle(room, message.key, { state: "failed", why: texts.lost });
      else if (!this.sent.has(message.key)) this.transmit(room, message);
    }
  }

  /** What was sent on a connection that is gone, and has not come back. */
  inDoubt(room: Room): string[] {
    const doubtful = ({ key, state }: Message) => state === "pending" && (this.sent.get(key) ?? this.epoch) < this.epoch;
    return room.messages.filter(doubtful).map((message) => message.key);
  }

  edit(room: Room, message: Message, text: string): void {
    const body = message.kind === "action" ? `\u0001ACTION ${text}\u0001` : text;
    this.ask({ kind: "edit", room }, "EDIT", [room.name], { "draft/target-msgid": message.msgid, "draft/edit-text": body });
  }

  /** Asks for an address to which one file can be sent; `given` gets its path, or why there is none. */
  askTicket(given: (path: string, why: string) => void): void {
    if (this.line("UPLOAD", ["*"])) this.tickets.push(given);
    else given("", texts.offline);
  }

  /** The address, or why there is none. */
  ticket(url: string, why: string): void {
    const path = url.slice(Math.max(url.indexOf("/files/"), 0));
    this.tickets.shift()?.(path, why);
  }

  redact(room: Room, message: Message): void {
    this.ask({ kind: "redact", room }, "REDACT", [room.name, message.msgid]);
  }

  react(room: Room, message: Message, what: string): void {
    const back = (message.reactions.get(what) ?? []).some((nick) => this.isMe(nick));
    this.line("TAGMSG", [room.name], { "+draft/reply": message.msgid, [back ? "+draft/unreact" : "+draft/react"]: what });
  }

  /** I am typing: said at most every three seconds. */
  typing(room: Room): void {
    const now = this.outside.now();
    if (!this.caps.has("message-tags") || now - (this.typed.get(room.id) ?? 0) < 3000) return;
    this.typed.set(room.id, now);
    if (room.joined) this.line("TAGMSG", [room.name], { "+typing": "active" });
  }

  /** I am not any more; said unless a message says it. */
  typingDone(room: Room, say = true): void {
    if (this.typed.delete(room.id) && say) this.line("TAGMSG", [room.name], { "+typing": "done" });
  }

  // ---- reading

  /** The person has seen the end of the active room. */
  seen(): void {
    const room = this.room;
    if (!room || !this.watching || room.behind || room.catching) return;
    const last = room.messages.findLast((message) => message.state === "kept" && message.msgid);
    if (!last || last.at <= room.readUpTo) return;
    room.readUpTo = last.at;
    count(room);
    if (this.marked.get(room.id) !== last.at && this.caps.has("draft/read-marker")) {
      this.marked.set(room.id, last.at);
      this.line("MARKREAD", [room.name, `timestamp=${new Date(last.at).toISOString()}`]);
    }
    this.changed();
  }

  // ---- me

  /** Makes this name an account's. */
  register(password: string): void {
    this.registering = true;
    this.password = password;
    this.ask({ kind: "register" }, "REGISTER", ["*", "*", password]);
    this.changed();
  }

  /** Joins the account that a code is of, or asks for a code. */
  linkTo(code: string): void {
    this.coding = !code;
    this.line("LINK", code ? [code] : []);
  }

  rename(nick: string): void {
    this.wanted = nick;
    this.line("NICK", [nick]);
  }

  quit(): void {
    this.line("QUIT", ["goodbye"]);
  }

  isMe(nick: string): boolean {
    return fold(nick) === fold(this.nick);
  }

  /** Tells the person something. */
  tell(text: string, bad = false): void {
    this.notice = { text, bad, id: ++this.notices };
    this.changed();
  }

  key(): string {
    return `k${++this.keys}`;
  }

  /** Whether a pending message went out, on this connection or an earlier one. */
  wasSent(key: string): boolean {
    return this.sent.has(key);
  }

  /** A pending message went out before there was any connection that I know of. */
  markSent(key: string): void {
    this.sent.set(key, 0);
  }
}

/** A message without anything. */
export function blank(key: string): Message {
  return {
    key,
    msgid: "",
    kind: "said",
    from: "",
    account: "",
    text: "",
    at: 0,
    number: 0,
    state: "kept",
    mine: false,
    mention: false,
    edited: false,
    deleted: false,
    reactions: new Map(),
  };
}

/** A user name for the greeting: letters and digits. */
function ascii(nick: string): string {
  return nick.replace(/[^A-Za-z0-9]/g, "").slice(0, 10) || "web";
}
