// What people can type after a slash. Everything else of IRC is behind /raw.

import type { Chat } from "./chat.ts";
import { isRoom, parse } from "./irc.ts";
import type { Room } from "./types.ts";

/** A command was done, and perhaps a room is to be shown; or it is none; or there is no such command. */
export type Done = { open?: string } | "none" | "unknown";

/** Does a command. */
export function command(chat: Chat, room: Room, text: string): Done {
  const found = /^\/([a-z-]+)(?:\s+([\s\S]*))?$/i.exec(text);
  if (!found) return text.startsWith("/") && !text.startsWith("//") && !/^\/\S*\//.test(text) ? "unknown" : "none";
  const [verb = "", rest = ""] = [found[1]?.toLowerCase(), found[2]?.trim()];
  const [first = "", ...others] = rest.split(/\s+/);
  const behind = rest.slice(first.length).trim();
  switch (verb) {
    case "me":
      chat.say(room, rest, undefined, "action");
      return {};
    case "join":
    case "j":
      if (!first) return {};
      return { open: isRoom(first) ? first : `#${first}` };
    case "part":
    case "leave":
      chat.leave(room);
      return {};
    case "msg":
    case "query":
      if (!first) return {};
      if (behind) chat.say(chat.ensure(first), behind);
      return { open: first };
    case "topic":
      chat.line("TOPIC", rest ? [room.name, rest] : [room.name]);
      return {};
    case "nick":
      chat.rename(first);
      return {};
    case "away":
      chat.line("AWAY", rest ? [rest] : []);
      return {};
    case "back":
      chat.line("AWAY");
      return {};
    case "kick":
      chat.line("KICK", [room.name, first, ...(behind ? [behind] : [])]);
      return {};
    case "invite":
      chat.line("INVITE", [first, others[0] ?? room.name]);
      return {};
    case "invitation": {
      if (!first) return {};
      const managing = ["add", "list", "del"].includes(first.toLowerCase());
      const named = /^[#*]/.test(others[0] ?? "");
      if (!managing) {
        chat.invitation = rest.split(/\s+/).join("-");
        chat.redeem();
      } else chat.line("INVITATION", [first, ...(named ? [] : [room.name]), ...others]);
      return {};
    }
    case "invite-link":
      chat.line("INVITATION", ["ADD", room.name, ...rest.split(/\s+/).filter(Boolean)]);
      return {};
    // An address for whatever else can send a file.
    case "upload":
      if (room.direct) return "unknown";
      chat.line("UPLOAD", [room.name]);
      return {};
    case "raw":
    case "quote": {
      const line = parse(rest);
      if (line) chat.line(line.verb, line.params);
      return {};
    }
    default:
      return "unknown";
  }
}
