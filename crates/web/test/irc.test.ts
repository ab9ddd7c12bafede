import assert from "node:assert/strict";
import { test } from "node:test";
import { base64, escapeTag, format, parse, pieces, unescapeTag } from "../client/model/irc.ts";

test("lines are taken apart and put together", () => {
  const line = parse("@time=2026-11-21T14:02:00.000Z;+draft/reply=a\\sb;x :ada!~a@host PRIVMSG #tea :hello  there : you\r\n");
  assert.ok(line);
  assert.equal(line.from, "ada");
  assert.equal(line.verb, "PRIVMSG");
  assert.deepEqual(line.params, ["#tea", "hello  there : you"]);
  assert.equal(line.tags.get("+draft/reply"), "a b");
  assert.equal(line.tags.get("x"), "");
  assert.deepEqual(parse(":irc.example 005 ada A=b C :are supported")?.params, ["ada", "A=b", "C", "are supported"]);
  assert.deepEqual(parse("JOIN #tea")?.params, ["#tea"]);
  assert.deepEqual(parse(":a TOPIC #tea :")?.params, ["#tea", ""]);
  for (const nothing of ["", "@a=b", ":only.source", "@a :b"]) assert.equal(parse(nothing), null, nothing);
});

test("nothing that is said can become another line or another parameter", () => {
  assert.equal(format("PRIVMSG", ["#tea", "a\r\nQUIT\0"]), "PRIVMSG #tea :a  QUIT ");
  assert.equal(format("PRIVMSG", ["#tea", ":-)"]), "PRIVMSG #tea ::-)");
  assert.equal(format("TOPIC", ["#tea", ""]), "TOPIC #tea :");
  assert.equal(format("TAGMSG", ["#tea"], { "+draft/react": "a;b c\n", none: undefined, bare: "" }), "@+draft/react=a\\:b\\sc\\n;bare TAGMSG #tea");
  for (const value of ["a b;c\\d\r\n", "\\", "\\s", ";;"]) assert.equal(unescapeTag(escapeTag(value)), value);
  assert.equal(unescapeTag("lost\\"), "lost");
});

test("long texts are cut where that hurts least, and never inside of a character", () => {
  const text = "word ".repeat(100);
  assert.equal(pieces(text, 60).join(""), text);
  assert.ok(pieces(text, 60).every((piece) => piece.length <= 60 && /^word/.test(piece)));
  const snakes = "🐍".repeat(100);
  assert.equal(pieces(snakes, 10).join(""), snakes);
  assert.ok(pieces(snakes, 10).every((piece) => Buffer.byteLength(piece) === 8));
  assert.equal(Buffer.from(base64("\0ada\0grüße ☕"), "base64").toString(), "\0ada\0grüße ☕");
});
