// Files that people handed in, as they stand in texts: links to this very server, which are shown as pictures or by their
// names. What lies anywhere else stays a link.

/** A file of this server. */
export interface OwnFile {
  readonly id: string;
  readonly name: string;
  readonly path: string;
  /** By its name it is a picture. */
  readonly picture: boolean;
}

/** Files of one message that are shown. */
const SHOWN_MAX = 10;

const PATH = /^\/files\/([a-z0-9]{26})\/([^/?#\s]{1,400})$/;

/** The file that a link leads to, if it is one of this server. */
export function ownFile(link: string, origin: string): OwnFile | null {
  if (!link.startsWith(`${origin}/files/`)) return null;
  const path = link.slice(origin.length);
  const [, id = "", last = ""] = PATH.exec(path) ?? [];
  if (!id) return null;
  let name = last;
  try {
    name = decodeURIComponent(last);
  } catch {
    // Then it is called as it is written.
  }
  return { id, name: name.replace(/[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g, ""), path, picture: /\.(png|jpe?g|gif|webp)$/i.test(last) };
}

/** A text and the files in it. Lines that are nothing but such a link are not in the text any more. */
export function filesIn(text: string, origin: string): { text: string; files: OwnFile[] } {
  if (!text.includes(`${origin}/files/`)) return { text, files: [] };
  const files = new Map<string, OwnFile>();
  const rest: string[] = [];
  for (const line of text.split("\n")) {
    const found = line.split(/\s+/).map((word) => ownFile(word, origin)).filter((file) => file !== null);
    for (const file of found) if (files.size < SHOWN_MAX) files.set(file.id, file);
    const alone = found.length > 0 && found.every((file) => files.has(file.id)) && found.length === line.trim().split(/\s+/).length;
    if (!alone) rest.push(line);
  }
  return { text: rest.join("\n"), files: [...files.values()] };
}
