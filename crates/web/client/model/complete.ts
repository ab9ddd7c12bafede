// Completion of people, rooms and emoji at the caret. Pure.

import { emoji } from "./emoji.ts";

/** What could stand there, and where it would begin. */
export interface Completion {
  from: number;
  offers: string[];
  /** The offers are signs, each with its name behind a space. */
  signs?: boolean;
}

const OFFERS_MAX = 8;

/** Offers for the word before the caret: after @, # and : as it is typed, otherwise when it is asked for. */
export function complete(text: string, caret: number, people: string[], rooms: string[], asked: boolean): Completion | null {
  const word = /\S*$/.exec(text.slice(0, caret))?.[0] ?? "";
  const from = caret - word.length;
  const sign = word[0];
  if (/^:[a-z0-9_+-]{2,}:?$/i.test(word)) {
    const offers = emoji(word.replace(/:/g, ""), OFFERS_MAX).map((entry) => entry.join(" "));
    return offers.length ? { from, offers, signs: true } : null;
  }
  if (!word || (sign !== "@" && sign !== "#" && !asked) || (word.length < 2 && !asked)) return null;
  const begun = (sign === "@" ? word.slice(1) : word).toLowerCase();
  const names = sign === "#" ? rooms.filter((name) => name.startsWith("#")) : people;
  const offers = names
    .filter((name) => name.toLowerCase().startsWith(begun) && name !== word)
    .sort((a, b) => a.localeCompare(b))
    .slice(0, OFFERS_MAX);
  return offers.length ? { from, offers } : null;
}

/** How well a name fits what was typed: 0 is not at all. For the quick switcher. */
export function fit(name: string, typed: string): number {
  const [whole, part] = [name.toLowerCase().replace(/^#/, ""), typed.toLowerCase().replace(/^#/, "").trim()];
  if (!part) return 1;
  if (whole === part) return 100;
  if (whole.startsWith(part)) return 60 - Math.min(whole.length, 40);
  if (whole.includes(part)) return 15;
  let at = 0;
  for (const char of whole) if (char === part[at]) at++;
  return at === part.length ? 5 : 0;
}
