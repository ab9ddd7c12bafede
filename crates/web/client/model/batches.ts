// Batches: lines that belong together, gathered until they are whole. https://ircv3.net/specs/extensions/batch

import type { Line } from "./irc.ts";

/** A batch that is whole, or still comes. */
export interface Batch {
  kind: string;
  params: string[];
  /** The line that opened it: its tags are those of a message of several lines. */
  opening: Line;
  items: Item[];
}

/** A line, or a batch inside of a batch. */
export type Item = { line: Line } | { batch: Batch };

/** Lines in one batch, at most: what comes behind is dropped. */
const ITEMS_MAX = 20_000;

/** Gathers batches of one connection. */
export class Batches {
  private readonly open = new Map<string, { batch: Batch; parent: string }>();

  /** Takes a line. Gives what is whole now: the line itself, a batch, or nothing yet. */
  take(line: Line): Item | null {
    if (line.verb === "BATCH") return this.bound(line);
    const parent = this.open.get(line.tags.get("batch") ?? "");
    if (!parent) return { line };
    if (parent.batch.items.length < ITEMS_MAX) parent.batch.items.push({ line });
    return null;
  }

  private bound(line: Line): Item | null {
    const [mark = "", kind = "", ...params] = line.params;
    const reference = mark.slice(1);
    if (mark.startsWith("+")) {
      const batch: Batch = { kind, params, opening: line, items: [] };
      this.open.set(reference, { batch, parent: line.tags.get("batch") ?? "" });
      return null;
    }
    const found = this.open.get(reference);
    if (!found) return null;
    this.open.delete(reference);
    const parent = this.open.get(found.parent);
    if (!parent) return { batch: found.batch };
    parent.batch.items.push({ batch: found.batch });
    return null;
  }
}

/** The line of a message of several lines (draft/multiline): the opening's tags over the joined text. */
export function joined(batch: Batch): Line | null {
  let first: Line | null = null;
  let text = "";
  for (const item of batch.items) {
    if (!("line" in item) || !["PRIVMSG", "NOTICE"].includes(item.line.verb)) continue;
    const part = item.line.params[1] ?? "";
    text += first ? (item.line.tags.has("draft/multiline-concat") ? part : `\n${part}`) : part;
    first ??= item.line;
  }
  if (!first) return null;
  const from = batch.opening.from || first.from;
  return { tags: new Map([...first.tags, ...batch.opening.tags]), from, verb: first.verb, params: [batch.params[0] ?? "", text] };
}
