// The subset of Markdown that people use in chat, as a tree. Views make nodes of it; nothing here is ever markup for a
// browser. Time is linear in the text: no backtracking, and nesting is bounded.

/** A piece of a text. */
export type Node =
  | { kind: "text"; text: string }
  | { kind: "code"; text: string }
  | { kind: "block"; text: string; lang: string }
  | { kind: "link"; href: string; text: string }
  | { kind: "room"; name: string }
  | { kind: "person"; name: string }
  | { kind: "number"; number: number }
  | { kind: "break" }
  | { kind: "strong" | "em" | "del" | "quote"; inside: Node[] };

const MARKS: [string, "strong" | "em" | "del"][] = [
  ["**", "strong"],
  ["~~", "del"],
  ["*", "em"],
  ["_", "em"],
];
const DEPTH_MAX = 6;
const LINK = /^https?:\/\/[^\s<>"'`\u0000-\u001f\u200e\u200f\u202a-\u202e\u2066-\u2069]+/i;

/** Takes a message apart. `me` is who is named by `name`: whether a word is somebody here. */
export function markup(text: string, isPerson: (name: string) => boolean = () => false): Node[] {
  const nodes: Node[] = [];
  const fences = text.split("```");
  fences.forEach((part, index) => {
    const closed = index < fences.length - 1;
    if (index % 2 === 1 && closed) {
      const lang = /^([a-z0-9+#-]{1,20})\n/i.exec(part)?.[1]?.toLowerCase() ?? "";
      nodes.push({ kind: "block", lang, text: part.replace(/^[a-z0-9+#-]*\n/i, "").replace(/\n$/, "") });
      return;
    }
    const open = index % 2 === 1 ? "```" : "";
    let lines = `${open}${part}`;
    if (index > 0 && !open) lines = lines.replace(/^\n/, "");
    if (closed) lines = lines.replace(/\n$/, "");
    if (lines) nodes.push(...paragraphs(lines, isPerson));
  });
  return nodes;
}

/** Lines, with quotes gathered. */
function paragraphs(text: string, isPerson: (name: string) => boolean): Node[] {
  const nodes: Node[] = [];
  let quote: Node[] | null = null;
  for (const line of text.split("\n")) {
    const quoted = /^> ?/.exec(line);
    if (quoted) {
      if (quote) quote.push({ kind: "break" });
      else nodes.push({ kind: "quote", inside: (quote = []) });
      quote.push(...inline(line.slice(quoted[0].length), isPerson, 0));
      continue;
    }
    if (nodes.length && !quote) nodes.push({ kind: "break" });
    quote = null;
    nodes.push(...inline(line, isPerson, 0));
  }
  return nodes;
}

function inline(text: string, isPerson: (name: string) => boolean, depth: number): Node[] {
  const nodes: Node[] = [];
  let plain = "";
  const flush = () => {
    if (plain) nodes.push({ kind: "text", text: plain });
    plain = "";
  };
  /** Marks that are known not to be closed. */
  const lost = new Set<string>();
  let at = 0;
  while (at < text.length) {
    const before = at === 0 ? " " : (text[at - 1] ?? " ");
    const found = word(text, at, before, isPerson) ?? code(text, at, lost) ?? marked(text, at, before, lost, isPerson, depth);
    if (found) {
      flush();
      nodes.push(found.node);
      at = found.end;
    } else {
      plain += text[at];
      at++;
    }
  }
  flush();
  return nodes;
}

interface Found {
  node: Node;
  end: number;
}

/** Links, rooms and people. */
function word(text: string, at: number, before: string, isPerson: (name: string) => boolean): Found | null {
  if (/[\p{L}\p{N}_]/u.test(before)) return null;
  const char = text[at] ?? "";
  if (char === "h" || char === "H") {
    const link = LINK.exec(text.slice(at, at + 2000))?.[0];
    const href = link && tidy(link);
    if (href) return { node: { kind: "link", href, text: href }, end: at + href.length };
  }
  if (char === "#") {
    const name = /^#[\p{L}\p{N}][\p{L}\p{N}_.-]{0,60}/u.exec(text.slice(at, at + 64))?.[0];
    const number = name && /^#([1-9]\d{0,8})$/.exec(name)?.[1];
    if (number && name) return { node: { kind: "number", number: Number(number) }, end: at + name.length };
    if (name && !/^#\d+$/.test(name)) return { node: { kind: "room", name: name.replace(/[.-]+$/, "") }, end: at + name.replace(/[.-]+$/, "").length };
  }
  const name = /^@?[\p{L}\p{N}_|[\]{}^`\\-]{1,64}/u.exec(text.slice(at, at + 66))?.[0];
  if (name && isPerson(name.replace(/^@/, ""))) return { node: { kind: "person", name }, end: at + name.length };
  return null;
}

/** A link without the sentence that follows it; null where it is none. */
function tidy(link: string): string | null {
  let text = link.replace(/[.,:;!?*_~]+$/, "");
  while (text.endsWith(")") && !text.includes("(")) text = text.slice(0, -1);
  try {
    const url = new URL(text);
    return (url.protocol === "http:" || url.protocol === "https:") && url.hostname && !url.username ? text : null;
  } catch {
    return null;
  }
}

function code(text: string, at: number, lost: Set<string>): Found | null {
  if (text[at] !== "`" || lost.has("`")) return null;
  const end = text.indexOf("`", at + 1);
  if (end < 0) {
    lost.add("`");
    return null;
  }
  return end > at + 1 ? { node: { kind: "code", text: text.slice(at + 1, end) }, end: end + 1 } : null;
}

function marked(
  text: string,
  at: number,
  before: string,
  lost: Set<string>,
  isPerson: (name: string) => boolean,
  depth: number,
): Found | null {
  if (depth >= DEPTH_MAX) return null;
  for (const [mark, kind] of MARKS) {
    if (!text.startsWith(mark, at) || lost.has(mark)) continue;
    const next = text[at + mark.length] ?? " ";
    if (/\s/.test(next) || (mark === "_" && /[\p{L}\p{N}]/u.test(before))) continue;
    const end = closing(text, at + mark.length + 1, mark);
    if (end < 0) {
      lost.add(mark);
      continue;
    }
    return { node: { kind, inside: inline(text.slice(at + mark.length, end), isPerson, depth + 1) }, end: end + mark.length };
  }
  return null;
}

/** Where a mark is closed: after something that is no space, and a `_` not inside of a word. */
function closing(text: string, from: number, mark: string): number {
  for (let at = text.indexOf(mark, from); at >= 0; at = text.indexOf(mark, at + 1)) {
    const after = text[at + mark.length] ?? " ";
    if (/\s/.test(text[at - 1] ?? " ")) continue;
    if (mark === "_" && /[\p{L}\p{N}]/u.test(after)) continue;
    return at;
  }
  return -1;
}

/** A text for people: what other people's screens must not obey is taken out or shown. Direction marks are closed by
 * the view (each message is isolated); here go controls and the codes of IRC for colours. */
export function clean(text: string): string {
  return text
    .replace(/\u0003(\d{1,2}(,\d{1,2})?)?/g, "")
    .replace(/\u0004([0-9a-f]{6}(,[0-9a-f]{6})?)?/gi, "")
    .replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, "")
    .replace(/[\u202a-\u202e\u2066-\u2069]/g, "");
}
