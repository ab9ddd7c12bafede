// Numeric replies and standard replies. Refusals reach the person in words, beside what they were about.

import { emptyProfile } from "./asking.ts";
import type { Profile } from "./asking.ts";
import type { Asked, Chat } from "./chat.ts";
import { described } from "./handlers.ts";
import { fold } from "./irc.ts";
import type { Line } from "./irc.ts";
import { clean } from "./markup.ts";
import { settle } from "./timeline.ts";

/** Signs of roles. */
const SIGNS = /^[~&@%+]+/;

/** Does what a numeric says. */
export function numeric(chat: Chat, line: Line, asked: Asked | undefined): void {
  const [, one = "", two = "", three = ""] = line.params;
  const last = line.params.at(-1) ?? "";
  switch (line.verb) {
    case "001":
      chat.nick = line.params[0] ?? chat.nick;
      return chat.welcome();
    case "005":
      for (const part of line.params.slice(1, -1)) {
        const at = part.indexOf("=");
        chat.support.set(at < 0 ? part : part.slice(0, at), at < 0 ? "" : part.slice(at + 1));
      }
      return;
    case "321":
      chat.listed = [];
      return;
    case "322":
      chat.listed = [...(chat.listed ?? []), { name: one, people: Number(two), topic: clean(three) }];
      return;
    case "323":
      chat.listed ??= [];
      return;
    case "331":
    case "332": {
      const room = chat.rooms.get(fold(one));
      if (room) room.topic = line.verb === "332" ? clean(last) : "";
      return;
    }
    case "353":
      return names(chat, two, last);
    case "354":
      return who(chat, line);
    case "324":
      return modes(chat, line);
    case "367": {
      const room = chat.rooms.get(fold(one));
      room?.banning.push({ mask: two, by: (three || "").split("!", 1)[0] ?? "", at: Number(line.params[4] ?? 0) * 1000 });
      return;
    }
    case "368": {
      const room = chat.rooms.get(fold(one));
      if (room) [room.bans, room.banning] = [room.banning, []];
      return;
    }
    case "761":
      // Somebody's key and value: METADATA, and at the end of a WHOIS.
      return described(chat, one, two, last);
    case "760":
      return described(chat, one, two, last);
    case "766":
      return described(chat, one, two, undefined);
    case "770":
    case "774":
      return;
    case "900":
      chat.account = two;
      chat.coding = false;
      return;
    case "901":
      chat.account = "";
      return;
    case "903":
      return chat.introduce();
    case "433":
    case "436":
    case "432":
      return taken(chat, line);
    default:
      if (!whois(chat, line)) refusal(chat, line, asked);
  }
}

/** The modes of a room, with their arguments in order. */
function modes(chat: Chat, line: Line): void {
  const [, name = "", letters = "", ...rest] = line.params;
  const room = chat.rooms.get(fold(name));
  if (room) room.modes = new Map([...letters.replace(/^\+/, "")].map((letter) => [letter, "klf".includes(letter) ? (rest.shift() ?? "") : ""]));
}

/** A line about somebody who was asked about. */
function whois(chat: Chat, line: Line): boolean {
  const [, nick = "", one = "", two = ""] = line.params;
  const last = clean(line.params.at(-1) ?? "");
  const before = chat.profiles.get(fold(nick));
  if (!before || before.whole) {
    if (!before || line.verb !== "311") return false;
  }
  const deeds: Record<string, () => Partial<Profile>> = {
    "301": () => ({ away: last }),
    "311": () => ({ ...emptyProfile(nick), user: one, host: two, realname: last }),
    "313": () => ({ operator: true }),
    "317": () => ({ idle: Number(one), since: Number(two) * 1000 }),
    "318": () => ({ whole: true }),
    "319": () => ({ rooms: last.split(" ").filter(Boolean) }),
    "330": () => ({ account: one }),
    "335": () => ({ bot: true }),
    "401": () => ({ gone: true }),
  };
  const deed = deeds[line.verb];
  if (!deed) return /^(307|312|320|338|378|379|671|672|276)$/.test(line.verb);
  chat.profiles.set(fold(nick), { ...before, ...deed() });
  return true;
}

/** Who is in a room. */
function names(chat: Chat, name: string, list: string): void {
  const room = chat.rooms.get(fold(name));
  if (!room) return;
  for (const word of list.split(" ").filter(Boolean)) {
    const signs = SIGNS.exec(word)?.[0] ?? "";
    const nick = word.slice(signs.length).split("!")[0] ?? "";
    const known = room.members.get(fold(nick));
    room.members.set(fold(nick), { nick, signs, account: known?.account ?? "", away: known?.away ?? false, bot: known?.bot ?? false });
  }
}

/** WHOX: nickname, flags, account. */
function who(chat: Chat, line: Line): void {
  const [, , nick = "", flags = "", account = "0"] = line.params;
  for (const room of chat.rooms.values()) {
    const member = room.members.get(fold(nick));
    if (!member) continue;
    member.away = flags.startsWith("G");
    member.bot = flags.includes("B");
    member.account = account === "0" ? "" : account;
  }
}

/** The name is somebody's. Coming back, my own session from before may still hold it. */
function taken(chat: Chat, line: Line): void {
  if (chat.link === "online") return chat.tell(clean(line.params.at(-1) ?? ""), true);
  if (chat.welcomed && line.verb === "433") {
    chat.nick = `${chat.nick.slice(0, 28)}_`;
    chat.line("NICK", [chat.nick]);
    return;
  }
  chat.refused = line.verb === "432" ? "odd" : "taken";
}

/** An error: on the message that it is about, or as a sentence. */
function refusal(chat: Chat, line: Line, asked: Asked | undefined): void {
  const number = Number(line.verb);
  const why = clean(line.params.at(-1) ?? "");
  if (number >= 902 && number <= 907 && chat.link !== "online") {
    chat.welcomed = false;
    chat.refused = number === 904 ? "password" : why;
    chat.password = "";
    return;
  }
  if (number < 400 || number >= 600 || number === 422) return;
  if (number === 451) return;
  if (number >= 463 && number <= 466 && !chat.welcomed) chat.refused = why;
  failed(asked, why) || chat.tell(why, true);
}

/** Puts a reason on the message that was refused. */
function failed(asked: Asked | undefined, why: string): boolean {
  if (asked?.kind !== "say" || !asked.room || !asked.key) return false;
  return settle(asked.room, asked.key, { state: "failed", why });
}

/** FAIL: https://ircv3.net/specs/extensions/standard-replies */
export function failure(chat: Chat, line: Line, asked: Asked | undefined): void {
  const why = clean(line.params.at(-1) ?? "");
  if (line.params[0] === "REGISTER") {
    chat.registering = false;
    chat.password = "";
  }
  if (line.params[0] === "UPLOAD") return chat.ticket("", why);
  if (asked?.search) {
    asked.search.state = "failed";
    asked.search.why = why;
    return;
  }
  if (asked?.kind === "fetch") return;
  if (asked?.kind === "history" && asked.room) {
    asked.room.loading = "";
    asked.room.loaded = true;
    asked.room.complete = true;
    if (asked.where === "before" || asked.where === "around") return;
    // What came last is not in the history any more: the newest page is asked for instead.
    if (asked.where === "after") {
      asked.room.complete = false;
      return chat.page(asked.room, "latest");
    }
    chat.resume(asked.room, new Set());
    chat.caughtUp(asked.room);
    return;
  }
  if (!chat.welcomed) chat.refused = why;
  failed(asked, why) || chat.tell(why, true);
}
