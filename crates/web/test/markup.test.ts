import assert from "node:assert/strict";
import { test } from "node:test";
import { clean, markup } from "../client/model/markup.ts";
import type { Node } from "../client/model/markup.ts";

/** The tree as a text: kinds in brackets. */
function shown(nodes: Node[]): string {
  return nodes
    .map((node) => {
      if (node.kind === "text") return node.text;
      if (node.kind === "break") return "/";
      if ("inside" in node) return `<${node.kind} ${shown(node.inside)}>`;
      return `<${node.kind} ${"name" in node ? node.name : "number" in node ? node.number : node.text}>`;
    })
    .join("");
}

const cases: [string, string][] = [
  ["plain text", "plain text"],
  ["a **strong** and *soft* and _soft_ and ~~gone~~ word", "a <strong strong> and <em soft> and <em soft> and <del gone> word"],
  ["**a *b* c**", "<strong a <em b> c>"],
  ["2 * 3 * 4, snake_case_name, **", "2 * 3 * 4, snake_case_name, **"],
  ["`a **b**` c", "<code a **b**> c"],
  ["one\ntwo", "one/two"],
  ["> said\n> twice\nanswer", "<quote said/twice>answer"],
  ["```rust\nlet a = **b**;\n```\nafter", "<block let a = **b**;>after"],
  ["``` never closed", "``` never closed"],
  ["see https://example.org/a_b_c).", "see <link https://example.org/a_b_c>)."],
  ["(https://example.org/x_(y))", "(<link https://example.org/x_(y))>"],
  ["javascript:alert(1) data:text/html,x http://user@evil.example/", "javascript:alert(1) data:text/html,x http://user@evil.example/"],
  ["<img src=x onerror=alert(1)>", "<img src=x onerror=alert(1)>"],
  ["#tea and #42 and a#b", "<room #tea> and <number 42> and a#b"],
  ["ann: @ann hannah", "<person ann>: <person @ann> hannah"],
];

test("the subset of Markdown", () => {
  for (const [text, tree] of cases) assert.equal(shown(markup(text, (name) => name === "ann")), tree, text);
});

test("no text takes long", () => {
  const began = Date.now();
  for (const part of ["*a", "**", "_x ", "`", "~~a", "> ", "https://a", "```", "@", "((((", "# "]) {
    markup(part.repeat(10_000));
  }
  assert.ok(Date.now() - began < 4000, `it took ${Date.now() - began} ms`);
});

test("what would turn other people's screens over is taken out", () => {
  assert.equal(clean("\u202Eevil\u202C \u0007bell \u001b[31mred \u000304,12colour\u0003 \u0002bold"), "evil bell [31mred colour bold");
  assert.equal(clean("a\nb\tc"), "a\nb\tc");
});
