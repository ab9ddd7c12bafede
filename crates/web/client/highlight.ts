// Code in colours: loaded when there is some to be shown. What comes out are pieces of text with the name of a colour,
// never markup.

import hljs from "highlight.js/lib/core";
import bash from "highlight.js/lib/languages/bash";
import c from "highlight.js/lib/languages/c";
import cpp from "highlight.js/lib/languages/cpp";
import css from "highlight.js/lib/languages/css";
import diff from "highlight.js/lib/languages/diff";
import go from "highlight.js/lib/languages/go";
import ini from "highlight.js/lib/languages/ini";
import java from "highlight.js/lib/languages/java";
import javascript from "highlight.js/lib/languages/javascript";
import json from "highlight.js/lib/languages/json";
import python from "highlight.js/lib/languages/python";
import rust from "highlight.js/lib/languages/rust";
import sql from "highlight.js/lib/languages/sql";
import typescript from "highlight.js/lib/languages/typescript";
import xml from "highlight.js/lib/languages/xml";
import yaml from "highlight.js/lib/languages/yaml";

for (const [name, language] of Object.entries({ bash, c, cpp, css, diff, go, ini, java, javascript, json, python, rust, sql, typescript, xml, yaml })) {
  hljs.registerLanguage(name, language);
}

const ENTITIES: Record<string, string> = { amp: "&", lt: "<", gt: ">", quot: '"', "#x27": "'" };

/** A text in pieces, each with the first word of what it is (keyword, string, …) or nothing. */
export function pieces(text: string, lang: string): { text: string; kind: string }[] {
  if (!hljs.getLanguage(lang)) return [{ text, kind: "" }];
  const found: { text: string; kind: string }[] = [];
  const open: string[] = [];
  for (const part of hljs.highlight(text, { language: lang, ignoreIllegals: true }).value.split(/(<span class="[^"]*">|<\/span>)/)) {
    const kind = /^<span class="hljs-(\w+)/.exec(part)?.[1];
    if (part === "</span>") open.pop();
    else if (part.startsWith("<span ")) open.push(kind ?? open.at(-1) ?? "");
    else if (part) found.push({ text: part.replace(/&(amp|lt|gt|quot|#x27);/g, (_, name: string) => ENTITIES[name] ?? ""), kind: open.at(-1) ?? "" });
  }
  return found;
}
