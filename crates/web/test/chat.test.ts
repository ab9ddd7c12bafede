// The chat against what the server says, without a socket.

import assert from "node:assert/strict";
import { test } from "node:test";
import { askModes, askPins, askProfile, commands, fetchMessage, gives, highlighted, search, terms, thread } from "../client/model/asking.ts";
import { Chat } from "../client/model/chat.ts";
import { command } from "../client/model/commands.ts";
import { complete, fit } from "../client/model/complete.ts";
import { EMOJI } from "../client/model/emoji.ts";
import { pack, unpack } from "../client/model/kept.ts";
import { trim } from "../client/model/timeline.ts";
import type { Room } from "../client/model/types.ts";

const CAPS = "batch message-tags echo-message labeled-response draft/chathistory draft/read-marker draft/multiline=max-bytes=4096,max-lines=5 draft/message-edit draft/message-redaction server-time sasl";

class World {
  now = Date.parse("2026-11-21T14:00:00.000Z");
  sent: string[] = [];
  attention: string[] = [];
  chat = new Chat({
    now: () => this.now,
    changed: () => {},
    attention: (_room, message) => this.attention.push(message.text),
  });
  private seconds = 0;

  constructor() {
    this.chat.wanted = "ann";
    this.connect();
  }

  connect(): void {
    this.sent = [];
    this.chat.opened((line) => this.sent.push(line));
    this.chat.take(`:s CAP * LS :${CAPS}`);
    this.chat.take(":s 001 ann :Welcome");
  }

  /** Comes in, with what the room's history holds. */
  room(name: string, ...history: string[]): Room {
    this.chat.take(`:ann!a@h JOIN ${name}`);
    this.chat.take(`:s 353 ann = ${name} :@ann bob`);
    this.history(name, true, ...history);
    const room = this.chat.rooms.get(name);
    assert.ok(room);
    return room;
  }

  history(name: string, end: boolean, ...lines: string[]): void {
    const label = this.label("CHATHISTORY");
    this.chat.take(`@label=${label}${end ? ";draft/chathistory-end" : ""} :s BATCH +h chathistory ${name}`);
    for (const line of lines) this.chat.take(`@batch=h;${line}`);
    this.chat.take(":s BATCH -h");
  }

  /** The label of the last line that holds this. */
  label(what: string): string {
    const line = this.sent.findLast((line) => line.includes(what));
    return /label=([^; ]+)/.exec(line ?? "")?.[1] ?? "";
  }

  said(id: string, text: string, from = "bob", room = "#tea"): string {
    const time = new Date(this.now + ++this.seconds * 1000).toISOString();
    return `msgid=${id};time=${time} :${from}!b@h PRIVMSG ${room} :${text}`;
  }

  take(line: string): void {
    this.chat.take(line.startsWith("msgid") ? `@${line}` : line);
  }
}

function texts(room: Room): string[] {
  return room.messages.map((message) => `${message.state === "kept" ? "" : `${message.state}:`}${message.from}: ${message.text}`);
}

test("what is said is pending until it is kept, and shown once", () => {
  const world = new World();
  const room = world.room("#tea", world.said("1", "hello"));
  world.chat.say(room, "and you?");
  assert.deepEqual(texts(room), ["bob: hello", "pending:ann: and you?"]);
  world.take(world.said("2", "I was faster"));
  assert.deepEqual(texts(room), ["bob: hello", "bob: I was faster", "pending:ann: and you?"]);
  const key = room.messages.at(-1)?.key;
  world.take(`@label=${world.label("PRIVMSG")};${world.said("3", "and you?", "ann")}`);
  assert.deepEqual(texts(room), ["bob: hello", "bob: I was faster", "ann: and you?"]);
  assert.equal(room.messages.at(-1)?.key, key, "the row on the screen stays the same");
  world.take(world.said("3", "and you?", "ann"));
  assert.equal(room.messages.length, 3);
});

test("a page that is opened again has what was there, and fetches the rest", () => {
  const world = new World();
  const room = world.room("#tea", world.said("1", "one"), world.said("2", "two"));
  world.take(`@+draft/react=🎉;+draft/reply=1 :bob!b@h TAGMSG #tea`);
  world.chat.say(room, "arrived");
  world.chat.say(room, "did not");
  world.chat.closed(false);
  world.chat.say(room, "typed while away");
  const text = pack(world.chat);

  const again = new World();
  again.chat.closed(false);
  assert.equal(unpack(again.chat, text), true);
  const [there] = [...again.chat.rooms.values()];
  assert.ok(there);
  const pending = ["pending:ann: arrived", "pending:ann: did not", "pending:ann: typed while away"];
  assert.deepEqual(texts(there), ["bob: one", "bob: two", ...pending]);
  assert.deepEqual([...(there.messages[0]?.reactions ?? [])], [["🎉", ["bob"]]]);
  assert.equal(new Set(there.messages.map((message) => message.key)).size, 5);
  again.now = world.now + 60_000;
  again.connect();
  again.chat.take(":ann!a@h JOIN #tea");
  assert.match(again.sent.findLast((line) => line.includes("CHATHISTORY")) ?? "", /AFTER #tea msgid=2/);
  again.history("#tea", true, again.said("3", "arrived", "ann"), again.said("4", "missed"));
  assert.deepEqual(texts(there), ["bob: one", "bob: two", "ann: arrived", "bob: missed", "failed:ann: did not", "pending:ann: typed while away"]);
  // What is no such text changes nothing.
  for (const odd of ["", "{", "{}", "[1]", "null"]) assert.equal(unpack(new World().chat, odd), false, odd);
});

test("a refusal stands at the message it is about, and it can be sent again", () => {
  const world = new World();
  const room = world.room("#tea");
  world.chat.say(room, "hello");
  world.take(`@label=${world.label("PRIVMSG")} :s 404 ann #tea :You are muted`);
  assert.equal(room.messages[0]?.state, "failed");
  assert.equal(room.messages[0]?.why, "You are muted");
  world.chat.again(room, room.messages[0]?.key ?? "");
  world.take(`@label=${world.label("PRIVMSG")};${world.said("1", "hello", "ann")}`);
  assert.deepEqual(texts(room), ["ann: hello"]);
});

test("after a cut nothing is lost, nothing is there twice, and doubt is said", () => {
  const world = new World();
  const room = world.room("#tea", world.said("1", "one"));
  world.chat.say(room, "arrived");
  world.chat.say(room, "did not");
  world.chat.closed(false);
  world.chat.say(room, "typed while away");
  assert.equal(room.messages.filter((message) => message.state === "pending").length, 3);
  world.connect();
  world.chat.take(":ann!a@h JOIN #tea");
  assert.match(world.sent.join("\n"), /CHATHISTORY AFTER #tea msgid=1/);
  world.history("#tea", true, world.said("2", "arrived", "ann"), world.said("3", "missed"));
  assert.deepEqual(texts(room), ["bob: one", "ann: arrived", "bob: missed", "failed:ann: did not", "pending:ann: typed while away"]);
  assert.equal(world.sent.filter((line) => line.includes("PRIVMSG")).length, 1);
});

test("what happened to messages while away is seen, in order, and live lines wait for it", () => {
  const world = new World();
  const room = world.room("#tea", world.said("1", "teh"), world.said("2", "spam"), world.said("3", "fun"));
  world.chat.closed(false);
  world.connect();
  world.chat.take(":ann!a@h JOIN #tea");
  const [four, five] = [world.said("4", "missed"), world.said("5", "live")];
  world.take(five);
  world.take("@msgid=x9;+draft/reply=4;+draft/react=👍 :cy!c@h TAGMSG #tea");
  assert.deepEqual(texts(room), ["bob: teh", "bob: spam", "bob: fun"], "live lines wait");
  world.history("#tea", false, four,
    "msgid=x1;draft/target-msgid=1;draft/edit-text=the\\stea :bob!b@h EDIT #tea",
    "msgid=x2 :bob!b@h REDACT #tea 2",
    "msgid=x3;+draft/reply=3;+draft/react=🎉 :cy!c@h TAGMSG #tea");
  assert.match(world.sent.at(-1) ?? "", /CHATHISTORY AFTER #tea msgid=x3 /, "it goes on behind the last line, whatever that is");
  world.history("#tea", true, "msgid=x4;+draft/reply=3;+draft/unreact=🎉 :cy!c@h TAGMSG #tea", "msgid=x5 :ann!a@h KICK #tea dan :enough");
  assert.deepEqual(texts(room), ["bob: the tea", "bob: ", "bob: fun", "bob: missed", "ann: ann put dan out: enough", "bob: live"]);
  assert.deepEqual(room.messages.map((message) => [message.edited, message.deleted, [...message.reactions]]), [
    [true, false, []], [false, true, []], [false, false, []], [false, false, [["👍", ["cy"]]]], [false, false, []], [false, false, []],
  ]);
  // A page that only tells of edits is no reason to stop, nor to go on for ever.
  assert.equal(room.catching, false);
});

test("reactions to what is on an earlier page find it, the newest last", () => {
  const world = new World();
  const room = world.room("#tea");
  room.complete = false;
  world.chat.refresh(room);
  world.history("#tea", false, "msgid=r3;+draft/reply=1;+draft/unreact=👍 :cy!c@h TAGMSG #tea", world.said("9", "last"));
  world.chat.more(room, "before");
  world.history("#tea", false, "msgid=r2;+draft/reply=1;+draft/react=👍 :cy!c@h TAGMSG #tea", "msgid=r4;+draft/reply=1;+draft/react=🎉 :cy!c@h TAGMSG #tea", world.said("8", "between"));
  world.chat.more(room, "before");
  assert.match(world.sent.at(-1) ?? "", /BEFORE #tea msgid=r2 /, "before the first line of the page, whatever that is");
  world.history("#tea", true, world.said("1", "first"));
  assert.deepEqual([...(room.messages[0]?.reactions ?? [])], [["🎉", ["cy"]]]);
});

test("of a very long gap only the end is read", () => {
  const world = new World();
  const room = world.room("#tea", world.said("0", "first"));
  world.chat.closed(false);
  world.connect();
  world.chat.take(":ann!a@h JOIN #tea");
  for (let page = 0; page < 20; page++) world.history("#tea", false, world.said(`g${page}`, "missed"));
  assert.match(world.sent.at(-1) ?? "", /CHATHISTORY LATEST #tea \*/);
  world.history("#tea", false, world.said("last", "the last"));
  assert.deepEqual(texts(room), ["bob: the last"]);
  assert.deepEqual([room.complete, room.catching], [false, false]);
});

test("what is found is shown newest first, and its words are known", () => {
  const world = new World();
  const room = world.room("#tea");
  search(world.chat, room, '"green tea" from:bob lea*');
  assert.match(world.sent.at(-1) ?? "", /^@label=\S+ SEARCH :"green tea" from:bob lea\* in:#tea limit:50$/);
  world.chat.take(`@label=${world.label("SEARCH")} :s BATCH +f soju.im/search`);
  world.chat.take(`@batch=f;${world.said("1", "green tea, one leaf")}`);
  world.chat.take(`@batch=f;${world.said("2", "Green  TEA leaves")}`);
  world.chat.take(":s BATCH -f");
  assert.equal(world.chat.search?.state, "done");
  assert.deepEqual(world.chat.search?.found.map((hit) => hit.message.msgid), ["2", "1"]);
  assert.equal(room.messages.length, 0, "what is found is not what was said just now");
  const words = terms('"green tea" from:bob lea*');
  assert.deepEqual(words, ["green tea", "lea"]);
  assert.deepEqual(highlighted("Green  TEA leaves.", words), ["", "Green  TEA", " ", "leaves", "."]);
  assert.deepEqual(highlighted("(a+b)* is odd", ["(a+b)*"]), ["", "(a+b)*", " is odd"]);
  search(world.chat, room, "x limit:none");
  world.chat.take(`@label=${world.label("SEARCH")} :s FAIL SEARCH INVALID_PARAMS limit :That is no number of messages`);
  assert.deepEqual([world.chat.search?.state, world.chat.search?.why], ["failed", "That is no number of messages"]);
});

test("a thread is the chain of answers, and asks for what is missing", () => {
  const world = new World();
  const reply = (id: string, to: string, text: string) => `+draft/reply=${to};${world.said(id, text)}`;
  const room = world.room("#tea", reply("2", "1", "two"), world.said("x", "something else"), reply("3", "2", "three"), reply("4", "1", "four"));
  assert.deepEqual([thread(room, "3").messages.map((message) => message.text), thread(room, "3").missing], [["two", "three"], "1"]);
  fetchMessage(world.chat, room, "1");
  fetchMessage(world.chat, room, "1");
  assert.equal(world.sent.filter((line) => line.includes("AROUND #tea msgid=1 1")).length, 1);
  world.history("#tea", false, world.said("1", "one"));
  assert.equal(room.messages.length, 4, "the window stays as it is");
  assert.deepEqual([thread(room, "4").messages.map((message) => message.text), thread(room, "4").missing], [["one", "two", "three", "four"], ""]);
});

test("modes, bans, pins and profiles are known once they were asked for", () => {
  const world = new World();
  const room = world.room("#tea");
  askModes(world.chat, room);
  world.take(":s 324 ann #tea +ntlk 5 sesame");
  world.take(":s 367 ann #tea eve!*@* ann!a@h 1700000000");
  world.take(":s 368 ann #tea :End");
  assert.deepEqual([...(room.modes ?? [])], [["n", ""], ["t", ""], ["l", "5"], ["k", "sesame"]]);
  assert.deepEqual(room.bans, [{ mask: "eve!*@*", by: "ann", at: 1_700_000_000_000 }]);
  world.take(":ann!a@h MODE #tea +mb-lkb mal!*@* sesame eve!*@*");
  assert.deepEqual([...(room.modes ?? [])].map(([mode]) => mode), ["n", "t", "m"]);
  assert.deepEqual(room.bans?.map((ban) => ban.mask), ["mal!*@*"]);
  askPins(world.chat, room);
  world.take(":s NOTE PINS PINNED #tea 1 :[1] bob: who wants a cup?");
  world.take(":s PONG s :pins #tea");
  assert.deepEqual(room.pins, [{ number: 1, text: "bob: who wants a cup?" }]);
  askProfile(world.chat, "bob");
  for (const line of ["311 ann bob ~bob host.example * :Bob", "330 ann bob bobby :is", "760 ann bob status * :making\u0002 tea", "318 ann bob :End"]) world.take(`:s ${line}`);
  const bob = world.chat.profiles.get("bob");
  assert.deepEqual([bob?.host, bob?.account, bob?.whole], ["host.example", "bobby", true]);
  assert.equal(world.chat.metadata.get("bob")?.get("status"), "making tea");
  assert.deepEqual([gives("@"), gives("%"), gives("")], [["@", "%", "+", ""], ["+", ""], []]);
  assert.ok(commands("@", "@") && !commands("@", "&") && !commands("%", "%") && commands("~", "~"));
});

test("what comes before the first page does, and what is kept nowhere, stays", () => {
  const world = new World();
  world.chat.take(":ann!a@h JOIN #tea");
  const [one, two] = [world.said("1", "one"), world.said("2", "two")];
  world.take(two);
  world.history("#tea", true, one, two);
  world.take(world.said("3", "three"));
  assert.deepEqual(texts(world.chat.rooms.get("#tea") as Room), ["bob: one", "bob: two", "bob: three"]);
  world.take(world.said("p", "between us", "bob", "ann"));
  const talk = world.chat.open("bob");
  world.history("bob", true);
  assert.deepEqual(texts(talk), ["bob: between us"]);
  assert.equal(talk.mentions, 1);
});

test("a long gap is read page by page", () => {
  const world = new World();
  const room = world.room("#tea", world.said("0", "first"));
  world.chat.closed(false);
  world.connect();
  world.chat.take(":ann!a@h JOIN #tea");
  const lines = Array.from({ length: 60 }, (_, index) => world.said(`g${index}`, `missed ${index}`));
  world.history("#tea", false, ...lines);
  assert.match(world.sent.at(-1) ?? "", /CHATHISTORY AFTER #tea msgid=g59/);
  world.history("#tea", true, world.said("last", "the last"));
  assert.equal(room.messages.length, 62);
  assert.equal(new Set(room.messages.map((message) => message.msgid)).size, 62);
});

test("read marks are shared, and what is new is counted", () => {
  const world = new World();
  const mark = new Date(world.now + 1500).toISOString();
  world.chat.take(":ann!a@h JOIN #tea");
  world.chat.take(`:s MARKREAD #tea timestamp=${mark}`);
  world.history("#tea", true, world.said("1", "old"), world.said("2", "new"), world.said("3", "hey ann!"));
  const room = world.chat.rooms.get("#tea");
  assert.ok(room);
  assert.deepEqual([room.unread, room.mentions], [2, 1]);
  world.chat.open("#tea");
  assert.equal(room.messages.find((message) => message.key === room.divider)?.text, "new");
  world.chat.watching = true;
  world.chat.seen();
  assert.deepEqual([room.unread, room.mentions], [0, 0]);
  assert.match(world.sent.at(-1) ?? "", /^MARKREAD #tea timestamp=2026-/);
  world.chat.watching = false;
  world.take(world.said("4", "planned for annabel"));
  world.take(world.said("5", "Ann?"));
  assert.deepEqual([room.unread, room.mentions, world.attention], [2, 1, ["Ann?"]]);
  world.take(`:s MARKREAD #tea timestamp=${new Date(world.now + 60_000).toISOString()}`);
  assert.equal(room.unread, 0);
});

test("edits, deletions and reactions change what is there", () => {
  const world = new World();
  const room = world.room("#tea", world.said("1", "teh"), world.said("2", "spam"));
  world.take("@draft/target-msgid=1;draft/edit-text=the\\stea :bob!b@h EDIT #tea");
  world.take(":ann!a@h REDACT #tea 2 :spam");
  world.take("@+draft/reply=1;+draft/react=👍 :cy!c@h TAGMSG #tea");
  world.take("@+draft/reply=1;+draft/react=👍 :cy!c@h TAGMSG #tea");
  world.take("@+draft/reply=1;+draft/react=👍 :bob!b@h TAGMSG #tea");
  const [first, second] = room.messages;
  assert.deepEqual([first?.text, first?.edited], ["the tea", true]);
  assert.deepEqual([second?.text, second?.deleted], ["", true]);
  assert.deepEqual(first?.reactions.get("👍"), ["cy", "bob"]);
  world.take("@+draft/reply=1;+draft/unreact=👍 :cy!c@h TAGMSG #tea");
  assert.deepEqual(first && room.messages[0]?.reactions.get("👍"), ["bob"]);
});

test("several lines go out as one message and come back as one", () => {
  const world = new World();
  const room = world.room("#tea");
  const text = `one\n${"long ".repeat(200)}end`;
  world.chat.say(room, text);
  const batch = world.sent.filter((line) => /BATCH|batch=/.test(line));
  assert.match(batch[0] ?? "", /^@label=\S+ BATCH \+(\S+) draft\/multiline #tea$/);
  assert.ok(batch.some((line) => line.includes("draft/multiline-concat")));
  assert.ok(batch.every((line) => line.length < 512));
  const label = world.label("BATCH +");
  world.take(`@label=${label};msgid=9;time=2026-11-21T14:00:01.000Z :ann!a@h BATCH +m draft/multiline #tea`);
  for (const line of batch.slice(1, -1)) {
    const concat = line.includes("concat") ? ";draft/multiline-concat" : "";
    world.take(`@batch=m${concat} :ann!a@h ${line.slice(line.indexOf("PRIVMSG"))}`);
  }
  world.take(":s BATCH -m");
  assert.deepEqual(texts(room), [`ann: ${text}`]);
  world.chat.say(room, "a\nb\nc\nd\ne\nf\ng");
  assert.equal(room.messages.filter((message) => message.state === "pending").length, 2, "more lines than the server takes");
});

test("a name that is taken is said, and coming back under another one ends when the old one is gone", () => {
  const world = new World();
  world.room("#tea");
  world.chat.closed(false);
  world.sent = [];
  world.chat.opened((line) => world.sent.push(line));
  world.chat.take(`:s CAP * LS :${CAPS}`);
  world.chat.take(":s 433 * ann :taken");
  assert.match(world.sent.at(-1) ?? "", /^NICK ann_$/);
  world.chat.take(":s 001 ann_ :Welcome");
  world.chat.take(":ann_!a@h JOIN #tea");
  world.chat.take(":ann!a@h QUIT :Ping timeout");
  assert.equal(world.sent.at(-1), "NICK ann");
  const stranger = new Chat({ now: () => 0, changed: () => {} });
  stranger.wanted = "bob";
  stranger.opened(() => {});
  stranger.take(":s 433 * bob :taken");
  assert.equal(stranger.refused, "taken");
});

test("a password is proved before the name is taken", () => {
  const sent: string[] = [];
  const chat = new Chat({ now: () => 0, changed: () => {} });
  [chat.wanted, chat.password] = ["ann", "sesame"];
  chat.opened((line) => sent.push(line));
  chat.take(`:s CAP * LS :${CAPS}`);
  assert.equal(sent.at(-1), "AUTHENTICATE PLAIN");
  chat.take("AUTHENTICATE +");
  assert.equal(sent.at(-1), `AUTHENTICATE ${Buffer.from("\0ann\0sesame").toString("base64")}`);
  assert.ok(!sent.some((line) => line.startsWith("NICK")));
  chat.take(":s 903 * :ok");
  assert.deepEqual(sent.slice(-3).map((line) => line.split(" ")[0]), ["NICK", "USER", "CAP"]);
});

test("roles are given and taken", () => {
  const world = new World();
  const room = world.room("#tea");
  world.take(":ann!a@h MODE #tea +bvo-l+k x!*@* bob bob key");
  assert.equal(room.members.get("bob")?.signs, "@+");
  world.take(":ann!a@h MODE #tea +l-o 5 bob");
  assert.equal(room.members.get("bob")?.signs, "+");
  assert.equal(room.messages.at(-1)?.kind, "event");
});

test("memory is bounded, and what was dropped can be fetched again", () => {
  const world = new World();
  const room = world.room("#tea");
  for (let index = 0; index < 2000; index++) world.take(world.said(`m${index}`, "x"));
  assert.ok(room.messages.length <= 700, `${room.messages.length}`);
  assert.equal(room.complete, false);
  room.messages = Array.from({ length: 3500 }, (_, index) => ({ ...room.messages[0], key: `k${index}` }) as (typeof room.messages)[number]);
  trim(room, false);
  assert.equal(room.behind, true);
});

test("commands and completion", () => {
  const world = new World();
  const room = world.room("#tea");
  assert.deepEqual(command(world.chat, room, "/join beer"), { open: "#beer" });
  assert.equal(command(world.chat, room, "/nonsense"), "unknown");
  assert.equal(command(world.chat, room, "//not a command"), "none");
  assert.equal(command(world.chat, room, "/etc/passwd is a file"), "none");
  command(world.chat, room, "/me waves");
  assert.match(world.sent.at(-1) ?? "", /PRIVMSG #tea :\u0001ACTION waves\u0001$/);
  assert.deepEqual(complete("hi @b", 5, ["bob", "ann", "Bea"], [], false), { from: 3, offers: ["Bea", "bob"] });
  assert.equal(complete("hi bo", 5, ["bob"], [], false), null);
  assert.deepEqual(complete("well :tad", 9, [], [], false), { from: 5, offers: ["🎉 tada"], signs: true });
  assert.ok(EMOJI.every(([sign, name]) => name && !/[a-z]/i.test(sign)), "signs and names alternate");
  assert.deepEqual(complete("see #t", 6, [], ["#tea", "#beer"], false)?.offers, ["#tea"]);
  assert.ok(fit("#tea", "tea") > fit("#teatime", "tea") && fit("#teatime", "tea") > fit("#greentea", "tea"));
  assert.equal(fit("#beer", "tea"), 0);
});

test("the code of an invitation is given once, and its room is shown", () => {
  const world = new World();
  world.chat.invitation = "amber-river-lamp-frost";
  world.connect();
  assert.equal(world.sent.filter((line) => line === "INVITATION amber-river-lamp-frost").length, 1);
  world.room("#lobby");
  assert.equal(world.chat.active, "#lobby");
  world.chat.take(":ann!a@h JOIN #tea");
  assert.equal(world.chat.active, "#tea");
  // Not again after a cut: it may have been for once.
  world.chat.closed(false);
  world.connect();
  assert.ok(!world.sent.some((line) => line.includes("INVITATION")));
});

test("codes are made for the room in which that is typed", () => {
  const world = new World();
  const room = world.room("#tea");
  const last = (text: string) => {
    command(world.chat, room, text);
    return world.sent.at(-1);
  };
  assert.equal(last("/invite-link 5 7d"), "INVITATION ADD #tea 5 7d");
  assert.equal(last("/invitation list"), "INVITATION list #tea");
  assert.equal(last("/invitation del * 3"), "INVITATION del * 3");
  assert.equal(last("/invitation Amber river lamp frost"), "INVITATION Amber-river-lamp-frost");
});
