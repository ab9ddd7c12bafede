// IRC lines: taken apart and put together. Specification: https://modern.ircv3.net/#message-format and
// https://ircv3.net/specs/extensions/message-tags. No state.

/** One line, taken apart. */
export interface Line {
  tags: Map<string, string>;
  /** Who sent it: a nickname or a server; empty where none is named. */
  from: string;
  /** In upper case. */
  verb: string;
  params: string[];
}

const ESCAPES: Record<string, string> = { ":": ";", s: " ", r: "\r", n: "\n", "\\": "\\" };
const ESCAPED: Record<string, string> = { ";": "\\:", " ": "\\s", "\r": "\\r", "\n": "\\n", "\\": "\\\\" };

/** The value of a tag as it was meant. */
export function unescapeTag(value: string): string {
  return value.replace(/\\(.?)/gs, (_, char: string) => ESCAPES[char] ?? char);
}

/** The value of a tag as it is sent. */
export function escapeTag(value: string): string {
  return value.replace(/[; \r\n\\]/g, (char) => ESCAPED[char] ?? "");
}

/** Takes a line apart; null when there is no command in it. */
export function parse(text: string): Line | null {
  let rest = text.replace(/[\r\n]+$/, "");
  const tags = new Map<string, string>();
  if (rest.startsWith("@")) {
    const [head, behind] = cut(rest.slice(1));
    for (const part of head.split(";")) {
      const at = part.indexOf("=");
      if (part) tags.set(at < 0 ? part : part.slice(0, at), at < 0 ? "" : unescapeTag(part.slice(at + 1)));
    }
    rest = behind;
  }
  let from = "";
  if (rest.startsWith(":")) {
    const [head, behind] = cut(rest.slice(1));
    from = head.split(/[!@]/, 1)[0] ?? "";
    rest = behind;
  }
  const params: string[] = [];
  while (rest) {
    if (rest.startsWith(":") && params.length) {
      params.push(rest.slice(1));
      break;
    }
    const [head, behind] = cut(rest);
    params.push(head);
    rest = behind;
  }
  const verb = params.shift();
  return verb ? { tags, from, verb: verb.toUpperCase(), params } : null;
}

/** The first word, and what follows its spaces. */
function cut(text: string): [string, string] {
  const at = text.indexOf(" ");
  return at < 0 ? [text, ""] : [text.slice(0, at), text.slice(at).replace(/^ +/, "")];
}

/** A line to be sent. Only the last parameter may hold spaces; line ends in parameters are taken out. */
export function format(verb: string, params: string[] = [], tags: Record<string, string | undefined> = {}): string {
  const parts = Object.entries(tags)
    .filter((entry): entry is [string, string] => entry[1] !== undefined)
    .map(([key, value]) => (value === "" ? key : `${key}=${escapeTag(value)}`));
  const clean = params.map((param) => param.replace(/[\r\n\0]/g, " "));
  const words = clean.map((param, index) => (index === clean.length - 1 && needsColon(param) ? `:${param}` : param));
  return `${parts.length ? `@${parts.join(";")} ` : ""}${[verb, ...words].join(" ")}`;
}

function needsColon(param: string): boolean {
  return param === "" || param.startsWith(":") || param.includes(" ");
}

/** Names that the server takes for the same (CASEMAPPING=ascii). */
export function fold(name: string): string {
  return name.replace(/[A-Z]/g, (char) => char.toLowerCase());
}

/** Whether a target is a room. */
export function isRoom(target: string): boolean {
  return target.startsWith("#");
}

/** Bytes of a text in UTF-8. */
export function bytes(text: string): number {
  return new TextEncoder().encode(text).length;
}

/** Base64 of a text in UTF-8. */
export function base64(text: string): string {
  return btoa(String.fromCharCode(...new TextEncoder().encode(text)));
}

/** A text in pieces of at most so many bytes, cut at spaces where there are any, never inside of a character. */
export function pieces(text: string, most: number): string[] {
  const found: string[] = [];
  let piece = "";
  let size = 0;
  for (const char of text) {
    const more = bytes(char);
    if (size + more > most) {
      const space = piece.lastIndexOf(" ");
      const keep = space > most / 2 ? space + 1 : piece.length;
      found.push(piece.slice(0, keep));
      piece = piece.slice(keep);
      size = bytes(piece);
    }
    piece += char;
    size += more;
  }
  found.push(piece);
  return found;
}
