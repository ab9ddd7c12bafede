// The web client against the real server, in the distribution's chromium: what a person would do, and what a hostile one
// would. `node e2e/run.mjs [name]`; screenshots are left in e2e/shots.

import assert from "node:assert/strict";
import { mkdirSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { crc32, deflateSync } from "node:zlib";
import { chromium } from "playwright-core";
import { Caller, Server, browserPath, say, until, upgrade, walkIn } from "./lib.mjs";

const shots = new URL("shots/", import.meta.url).pathname;
mkdirSync(shots, { recursive: true });

/** Whether a message stands on the screen. */
const inSight = (page, text) => article(page, text).evaluateAll((rows) => rows.some((row) => row.getBoundingClientRect().top > 0 && row.getBoundingClientRect().bottom < innerHeight));

const article = (page, text) => page.locator("article", { hasText: text });

/** A picture of so many points, in PNG (https://www.w3.org/TR/png-3/): a gradient. */
function png(width, height) {
  const chunk = (kind, data) => {
    const body = Buffer.concat([Buffer.from(kind), data]);
    const whole = Buffer.alloc(body.length + 8);
    whole.writeUInt32BE(data.length);
    body.copy(whole, 4);
    whole.writeUInt32BE(crc32(body), body.length + 4);
    return whole;
  };
  const head = Buffer.alloc(13);
  head.writeUInt32BE(width);
  head.writeUInt32BE(height, 4);
  head.set([8, 2], 8);
  const rows = Buffer.alloc(height * (1 + width * 3));
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) rows.set([(x * 255) / width, (y * 255) / height, 120], y * (1 + width * 3) + 1 + x * 3);
  }
  return Buffer.concat([Buffer.from("\x89PNG\r\n\x1a\n", "latin1"), chunk("IHDR", head), chunk("IDAT", deflateSync(rows)), chunk("IEND", Buffer.alloc(0))]);
}

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** What an accessibility scan finds that is serious: https://github.com/dequelabs/axe-core */
async function scanned(page, state, colours = false) {
  if (!(await page.evaluate(() => "axe" in globalThis))) await page.evaluate(AXE);
  const options = { resultTypes: ["violations"], ...(colours ? { runOnly: ["color-contrast"] } : {}) };
  const found = await page.evaluate((options) => globalThis.axe.run(document, options), options);
  const serious = found.violations.filter((one) => ["serious", "critical"].includes(one.impact));
  return serious.map((one) => `${state}: ${one.id}: ${one.nodes.slice(0, 3).map((node) => `${node.html.slice(0, 160)} ${node.any[0]?.message ?? ""}`).join(" | ")}`);
}

const tests = {
  async "a newcomer's first minute, by a link"({ page, server }) {
    const asked = [];
    page.on("request", (request) => asked.push(request.url()));
    const began = Date.now();
    await page.goto(`${server.url}#tea`);
    await page.getByText("You are about to enter #tea.").waitFor();
    await page.screenshot({ path: `${shots}door.png` });
    await page.keyboard.type("ann");
    await page.keyboard.press("Enter");
    await page.locator("#writing").waitFor();
    await say(page, "hello, is anybody here?");
    assert.ok(Date.now() - began < 10_000, `it took ${Date.now() - began} ms`);
    assert.equal(await page.title(), "#tea · chinwag");
    assert.ok(asked.every((url) => url.startsWith(server.url)), `it asked strangers: ${asked}`);
    const bytes = await page.evaluate(() => [...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")].reduce((sum, entry) => sum + entry.transferSize, 0));
    console.log(`      first load: ${bytes} bytes over the network, headers and all`);
    assert.ok(bytes < 100_000, `${bytes} bytes`);
    // The name is taken now, and the first screen says so.
    const other = await page.context().browser().newPage();
    await other.goto(server.url);
    await other.getByLabel("Your name").fill("ann");
    await other.getByRole("button", { name: "Walk in" }).click();
    await other.getByText("Somebody has this name.").waitFor();
    await other.getByLabel("Your name").fill("bea");
    await other.keyboard.press("Enter");
    await other.locator("#writing").waitFor();
    await other.close();
  },

  async "an invitation's link leads into a closed room, and its code stays nowhere"({ page, server, browser }) {
    const cy = Caller.irc(server.port, "cy", "#tea");
    await cy.hear(" 366 ");
    cy.send("MODE #tea +i", "INVITATION ADD #tea 1 1h");
    await cy.hear("In a browser: ");
    const code = /#\/invitation\/([a-z-]+)/.exec(cy.heard)[1];
    const asked = [];
    page.on("request", (request) => asked.push(request.url()));
    await page.goto(`${server.url}#/invitation/${code}`);
    await page.getByText("You are invited.").waitFor();
    await page.screenshot({ path: `${shots}invited.png` });
    await page.getByLabel("Your name").fill("ann");
    await page.keyboard.press("Enter");
    await cy.hear(/:ann!\S+ JOIN #tea/);
    await until("the room is shown", async () => (await page.title()).startsWith("#tea"));
    await say(page, "thank you");
    await cy.hear("PRIVMSG #tea :thank you");
    assert.ok(!page.url().includes(code), page.url());
    assert.ok(asked.every((url) => !url.includes(code)), `${asked}`);
    // For one only.
    const other = await browser.newPage();
    await other.goto(`${server.url}#/invitation/${code}`);
    await other.getByLabel("Your name").fill("bea");
    await other.keyboard.press("Enter");
    await other.getByText("That invitation is not one").waitFor();
    await other.close();
    cy.close();
  },

  async "a slow network and a slow processor"({ browser, server }) {
    for (const [name, down, delay] of [["10 Mbit/s, 40 ms", 10e6, 40], ["1.6 Mbit/s, 150 ms", 1.6e6, 150]]) {
      const context = await browser.newContext();
      const page = await context.newPage();
      const client = await context.newCDPSession(page);
      await client.send("Network.enable");
      await client.send("Network.emulateNetworkConditions", { offline: false, latency: delay, downloadThroughput: down / 8, uploadThroughput: down / 16 });
      await client.send("Emulation.setCPUThrottlingRate", { rate: 4 });
      // When the first screen takes what is typed, and when it lets in.
      await page.addInitScript(() => {
        const at = {};
        globalThis.first = at;
        const watch = () => {
          if (document.activeElement?.id === "name") at.typing ??= performance.now();
          if (document.querySelector(".door button.strong:not(:disabled)")) at.ready ??= performance.now();
          if (!at.ready) requestAnimationFrame(watch);
        };
        watch();
      });
      await page.goto(server.url, { waitUntil: "commit" });
      await until("it takes what is typed", () => page.evaluate(() => globalThis.first?.typing).catch(() => false));
      await page.keyboard.type("ann");
      await until("it lets in", () => page.evaluate(() => globalThis.first.ready));
      const { typing, ready } = await page.evaluate(() => globalThis.first);
      console.log(`      takes a name after ${Math.round(typing)} ms, lets in after ${Math.round(ready)} ms at ${name}, processor at a quarter`);
      await page.keyboard.press("Enter");
      await page.locator("#writing").waitFor();
      assert.equal(await page.locator("footer button", { hasText: "ann" }).count(), 1, "what was typed before the client came");
      assert.ok(ready < 10_000, `${ready} ms`);
      await context.close();
    }
  },

  async "a picture is handed in, shown small to everybody, and goes with its message"({ page, server }) {
    const cy = Caller.irc(server.port, "cy", "#lobby");
    await cy.hear(" 366 ");
    await walkIn(page, server.url, "ann");
    const strange = [];
    page.on("request", (request) => !request.url().startsWith(server.url) && !request.url().startsWith("blob:") && strange.push(request.url()));
    // Chosen, with a text.
    const picture = png(640, 400);
    await page.locator('input[type="file"]').setInputFiles({ name: "kettle & cup.png", mimeType: "image/png", buffer: picture });
    await page.locator(".uploads", { hasText: "kettle & cup.png" }).waitFor();
    await say(page, "look at this");
    await cy.hear(/PRIVMSG #lobby :http:\/\/127\.0\.0\.1:\d+\/files\/[a-z0-9]{26}\/kettle%20_%20cup\.png/);
    await page.locator(".uploads").waitFor({ state: "detached" });
    const shown = article(page, "look at this").locator(".picture img");
    await until("the small picture has come", () => shown.evaluate((img) => img.complete && img.naturalWidth === 480));
    assert.ok(!(await article(page, "look at this").locator(".text").innerText()).includes("/files/"), "the link is not shown beside the picture");
    const link = await article(page, "look at this").locator(".picture").getAttribute("href");
    const got = await fetch(new URL(link, server.url));
    assert.deepEqual([got.status, got.headers.get("content-type"), (await got.arrayBuffer()).byteLength], [200, "image/png", picture.length]);
    // Its place is kept before it has come.
    const box = await article(page, "look at this").locator(".picture").boundingBox();
    assert.deepEqual([Math.round(box.width), Math.round(box.height)], [240, 180]);
    // Pasted and dropped, without a text; a text that is copied with its picture stays a text.
    const bring = (kind, name, text) =>
      page.evaluate(
        ([kind, name, text, bytes]) => {
          const data = new DataTransfer();
          data.items.add(new File([Uint8Array.from(bytes)], name, { type: "image/png" }));
          if (text) data.setData("text/plain", text);
          const options = { bubbles: true, cancelable: true };
          const field = document.getElementById("writing");
          field.dispatchEvent(kind === "paste" ? new ClipboardEvent("paste", { ...options, clipboardData: data }) : new DragEvent("drop", { ...options, dataTransfer: data }));
        },
        [kind, name, text, [...png(30, 20)]],
      );
    await bring("paste", "table.png", "one two");
    await bring("paste", "pasted.png", "");
    await bring("drop", "notes.txt", "");
    await page.locator(".uploads li").nth(1).waitFor();
    assert.equal(await page.locator(".uploads li").count(), 2);
    await page.locator(".uploads li", { hasText: "pasted.png" }).waitFor();
    await page.screenshot({ path: `${shots}uploads.png` });
    await page.locator("#writing").press("Enter");
    const both = page.locator("article", { has: page.locator(".chip", { hasText: "notes.txt" }) });
    await both.locator(".picture img").waitFor();
    await cy.hear("/notes.txt");
    // Somebody else's link is shown as well; what is elsewhere stays a link, and nobody asks for it.
    cy.send(`PRIVMSG #lobby :see ${new URL(link, server.url)} and http://203.0.113.9/files/abcdefghijkmnpqrstuvwxyz23/x.png`);
    await article(page, "203.0.113.9").locator(".picture img").waitFor();
    assert.equal(await article(page, "203.0.113.9").locator("img").count(), 1);
    assert.deepEqual(strange, []);
    // What is refused says why, can be tried again and taken back.
    await page.route("**/files/up/**", (route) => route.fulfill({ status: 507, body: "There is no room.\n" }), { times: 1 });
    await page.locator('input[type="file"]').setInputFiles({ name: "again.txt", mimeType: "text/plain", buffer: Buffer.from("hello") });
    await page.locator(".uploads .bad", { hasText: "There is no room." }).waitFor();
    await page.getByRole("button", { name: "Try again" }).click();
    await page.locator(".uploads .bad").waitFor({ state: "detached" });
    await page.getByRole("button", { name: "Take again.txt back" }).click();
    await page.locator(".uploads").waitFor({ state: "detached" });
    assert.deepEqual(await scanned(page, "with files"), []);
    await page.screenshot({ path: `${shots}files.png` });
    await page.setViewportSize({ width: 320, height: 640 });
    await page.locator(".picture").last().scrollIntoViewIfNeeded();
    await page.screenshot({ path: `${shots}files-320.png` });
    assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), "nothing is wider than the screen");
    await page.setViewportSize({ width: 1280, height: 800 });
    // Deleted with its messages: of this file there are two.
    cy.send("QUIT");
    const mine = article(page, "look at this");
    await mine.hover();
    await mine.getByRole("button", { name: "Delete" }).click();
    await mine.getByRole("button", { name: "Delete", exact: true }).last().click();
    await until("its picture is not shown", async () => (await article(page, "look at this").count()) === 0);
    assert.equal((await fetch(new URL(link, server.url))).status, 200, "another message points at it");
  },

  async "two browsers, an IRC client and nc in one room"({ page, server, browser }) {
    const cy = Caller.irc(server.port, "cy", "#lobby");
    await cy.hear(" 366 ");
    const dan = new Caller(server.port);
    dan.send("dan");
    await dan.hear("Welcome, dan");
    await walkIn(page, server.url, "ann");
    const second = await browser.newPage();
    await walkIn(second, server.url, "bob");
    await page.locator("aside li", { hasText: "bob" }).waitFor();
    await say(page, "is the build green again, bob?");
    await article(second, "is the build green").and(second.locator(".mention")).waitFor();
    await cy.hear("PRIVMSG #lobby :is the build green again, bob?");
    await dan.hear("ann: is the build green again, bob?");
    cy.send("PRIVMSG #lobby :from **irc**, see https://example.org/builds");
    dan.send("and from nc");
    await page.locator("article strong", { hasText: "irc" }).waitFor();
    assert.equal(await page.locator("article a").first().getAttribute("rel"), "noopener noreferrer nofollow ugc");
    await article(page, "and from nc").waitFor();
    // Reply, reaction, edit, deletion, and a message of several lines: seen by all in their own way.
    const asked = article(second, "is the build green");
    await asked.hover();
    await asked.getByRole("button", { name: "Reply" }).click();
    await say(second, "yes, since ten minutes ago");
    await page.locator(".answered", { hasText: "is the build green" }).waitFor();
    await article(page, "since ten minutes").hover();
    await article(page, "since ten minutes").getByRole("button", { name: "React" }).click();
    await article(page, "since ten minutes").getByRole("button", { name: "🎉" }).click();
    await second.locator(".reactions button", { hasText: "🎉 1" }).waitFor();
    await dan.hear("ann reacted 🎉");
    await page.locator("#writing").press("ArrowUp");
    await page.locator("#writing").fill("is the build green, bob?");
    await page.locator("#writing").press("Enter");
    await article(second, "is the build green, bob? (edited)").waitFor();
    await say(second, "two\nlines");
    await dan.hear("bob: two");
    await article(page, "two").waitFor();
    await say(second, "a slip");
    const slip = article(second, "a slip").last();
    await slip.hover();
    await slip.getByRole("button", { name: "Delete" }).click();
    await slip.getByRole("button", { name: "Delete", exact: true }).click();
    await page.getByText("This message was deleted.").waitFor();
    // Typing, and a conversation of two with its badge.
    await second.locator("#writing").pressSequentially("hm");
    await page.getByText("bob is typing…").waitFor();
    cy.send("PRIVMSG ann :psst");
    await page.locator("nav li", { hasText: "cy" }).locator(".badge.mention").waitFor();
    await page.screenshot({ path: `${shots}room.png` });
    await page.locator("nav li", { hasText: "cy" }).locator(".name").click();
    await article(page, "psst").waitFor();
    await say(page, "yes?");
    await cy.hear("PRIVMSG cy :yes?");
    await page.emulateMedia({ colorScheme: "dark" });
    await page.locator("nav li", { hasText: "lobby" }).locator(".name").click();
    await article(page, "from irc").waitFor();
    await page.screenshot({ path: `${shots}dark.png` });
    cy.close();
    dan.close();
    await second.close();
  },

  async "reload, and offline and online, lose nothing and double nothing"({ page, server, context }) {
    await walkIn(page, server.url, "ann");
    await say(page, "before");
    await page.keyboard.press("Control+k");
    await page.keyboard.type("tea");
    await page.keyboard.press("Enter");
    await page.getByText("This is the beginning of #tea.").waitFor();
    await page.keyboard.press("Alt+ArrowUp");
    await article(page, "before").waitFor();
    await page.locator("#writing").fill("half a li");
    await page.reload();
    await article(page, "before").waitFor();
    assert.equal(await page.locator("#writing").inputValue(), "half a li");
    await page.locator("nav li", { hasText: "tea" }).waitFor();
    const cy = Caller.irc(server.port, "cy", "#lobby");
    await cy.hear(" 366 ");
    await context.setOffline(true);
    await page.evaluate(() => dispatchEvent(new Event("offline")));
    await page.getByText("No connection.").waitFor();
    cy.send("PRIVMSG #lobby :said meanwhile");
    await cy.hear("JOIN");
    await page.locator("#writing").fill("typed meanwhile");
    await page.locator("#writing").press("Enter");
    await page.locator("article.pending", { hasText: "typed meanwhile" }).waitFor();
    await page.locator("#writing").fill("another half");
    await context.setOffline(false);
    await page.evaluate(() => dispatchEvent(new Event("online")));
    await page.locator("article:not(.pending)", { hasText: "typed meanwhile" }).waitFor();
    await article(page, "said meanwhile").waitFor();
    await cy.hear("PRIVMSG #lobby :typed meanwhile");
    assert.equal(await page.locator("#writing").inputValue(), "another half");
    // Opened again without a connection: what was read is there, and what is said then is sent afterwards.
    await until("the page can be opened without a connection", () => page.evaluate(() => navigator.serviceWorker.controller !== null));
    await context.setOffline(true);
    await page.reload();
    await page.getByText("No connection.").waitFor();
    await article(page, "said meanwhile").waitFor();
    assert.equal(await page.locator("#writing").inputValue(), "another half");
    await page.locator("#writing").fill("typed without a connection");
    await page.locator("#writing").press("Enter");
    await page.locator("article.pending", { hasText: "typed without a connection" }).waitFor();
    await page.reload();
    await page.locator("article.pending", { hasText: "typed without a connection" }).waitFor();
    await context.setOffline(false);
    await page.locator("article:not(.pending)", { hasText: "typed without a connection" }).waitFor();
    await cy.hear("PRIVMSG #lobby :typed without a connection");
    // The server goes and comes back.
    await server.restart();
    await page.getByText("No connection.").waitFor({ state: "hidden" });
    await page.locator("#writing").fill("after the restart");
    await page.locator("#writing").press("Enter");
    await page.locator("article:not(.pending)", { hasText: "after the restart" }).waitFor();
    for (const text of ["before", "said meanwhile", "typed meanwhile", "typed without a connection", "after the restart"]) assert.equal(await article(page, text).count(), 1, text);
    cy.close();
  },

  async "what happened to messages while offline is seen afterwards"({ page, server, context }) {
    const cy = Caller.irc(server.port, "cy", "#lobby");
    cy.send("CAP REQ :echo-message draft/message-edit draft/message-redaction");
    await cy.hear(" 366 ");
    const kept = async (text) => {
      cy.send(`PRIVMSG #lobby :${text}`);
      const heard = await cy.hear(new RegExp(`PRIVMSG #lobby :${text}\r`));
      return /msgid=([^;\s]+)/.exec(heard.split("\r\n").findLast((line) => line.endsWith(`PRIVMSG #lobby :${text}`)))[1];
    };
    await walkIn(page, server.url, "ann");
    const [teh, spam, fun] = [await kept("teh tea"), await kept("spam"), await kept("fun")];
    await article(page, "fun").waitFor();
    await page.locator("#writing").fill("half a li");
    await context.setOffline(true);
    await page.evaluate(() => dispatchEvent(new Event("offline")));
    await page.getByText("No connection.").waitFor();
    cy.send(`EDIT #lobby ${teh} :the tea`, `REDACT #lobby ${spam}`, `@+draft/react=🎉;+draft/reply=${fun} TAGMSG #lobby`);
    await kept("missed");
    // More than a page of reactions alone.
    for (let turn = 0; turn < 130; turn++) cy.send(`@+draft/${turn % 2 ? "un" : ""}react=👀;+draft/reply=${fun} TAGMSG #lobby`);
    await kept("missed too");
    await context.setOffline(false);
    await page.evaluate(() => dispatchEvent(new Event("online")));
    await article(page, "missed too").waitFor();
    await article(page, "the tea (edited)").waitFor();
    await page.getByText("This message was deleted.").waitFor();
    await article(page, "fun").locator(".reactions button", { hasText: "🎉 1" }).waitFor();
    assert.equal(await article(page, "fun").locator(".reactions button").count(), 1);
    for (const text of ["teh tea", "spam"]) assert.equal(await article(page, text).count(), 0, text);
    for (const text of ["the tea", "fun", "missed too"]) assert.equal(await article(page, text).count(), 1, text);
    assert.equal(await page.locator("#writing").inputValue(), "half a li");
    // The same after a reload, where everything comes from history.
    await page.reload();
    await article(page, "missed too").waitFor();
    await article(page, "fun").locator(".reactions button", { hasText: "🎉 1" }).waitFor();
    assert.equal(await article(page, "fun").locator(".reactions button").count(), 1);
    cy.close();
  },

  async "hostile messages do nothing"({ page, server }) {
    const dialogs = [];
    page.on("dialog", (dialog) => {
      dialogs.push(dialog.message());
      void dialog.dismiss();
    });
    await walkIn(page, server.url, "ann");
    const eve = Caller.irc(server.port, "eve", "#lobby");
    await eve.hear(" 366 ");
    const before = await page.evaluate(() => document.querySelectorAll("script, iframe, object, embed, style").length);
    for (const text of [
      "<script>alert(1)</script>",
      "<img src=x onerror=alert(2)>",
      "<svg/onload=alert(3)>",
      "**<b onmouseover=alert(4)>** `<i>` [x](javascript:alert(5))",
      "javascript:alert(6) data:text/html,<script>alert(7)</script> http://user:secret@evil.example/",
      "\u202Egnp.exe\u202C and \u0003" + "04red \u0007\u001b[2J",
      "{@html '<b>'} {{constructor.constructor('alert(8)')()}} ${alert(9)}",
    ]) eve.send(`PRIVMSG #lobby :${text}`);
    eve.send("@+draft/react=<img\\ssrc=x\\sonerror=alert(10)>;+draft/reply=none TAGMSG #lobby");
    // 10,000 emoji and more, in as many lines as that takes.
    for (let line = 0; line < 100; line++) eve.send(`PRIVMSG #lobby :${"🎉".repeat(100)}`);
    // A line of a megabyte: the server may hang up on whoever sends it, and nobody else notices.
    const mallory = Caller.irc(server.port, "mallory", "#lobby");
    await mallory.hear(" 366 ");
    mallory.send(`PRIVMSG #lobby :${"x".repeat(1_000_000)}`);
    eve.send("PRIVMSG #lobby :" + "Z\u0351\u036b\u0343".repeat(60), "PRIVMSG #lobby :the end of it");
    await article(page, "the end of it").waitFor();
    await page.locator(".list").evaluate((list) => (list.scrollTop = 0));
    await page.locator("article", { hasText: "<script>alert(1)</script>" }).waitFor();
    const shown = await page.evaluate(() => ({
      nodes: document.querySelectorAll("script, iframe, object, embed, style").length,
      inside: document.querySelectorAll(".text script, .text img, .text svg, .text b:not(.text > b)").length,
      links: [...document.querySelectorAll(".text a")].map((link) => link.href),
      text: document.querySelector(".list")?.textContent ?? "",
    }));
    assert.equal(shown.nodes, before);
    assert.equal(shown.inside, 0);
    assert.deepEqual(shown.links, []);
    assert.ok(!/[\u202e\u001b\u0007\u0003]/.test(shown.text));
    assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), "wider than the screen");
    assert.deepEqual(dialogs, []);
    await say(page, "still alive");
    await page.screenshot({ path: `${shots}hostile.png` });
    // A page of somebody else may not connect, and nobody may frame this one. A program that names no page may.
    assert.equal(await upgrade(server.port, "Origin: https://evil.example"), 403);
    assert.equal(await upgrade(server.port, "Origin: null"), 403);
    assert.equal(await upgrade(server.port, `Origin: http://127.0.0.1:${server.port}`), 101);
    assert.equal(await upgrade(server.port), 101);
    const elsewhere = createServer((_, answer) => answer.end("<!doctype html><title>evil</title>"));
    await new Promise((resolve) => elsewhere.listen(0, "127.0.0.1", resolve));
    const evil = await page.context().newPage();
    await evil.goto(`http://127.0.0.1:${elsewhere.address().port}/`);
    const ends = await evil.evaluate((port) => new Promise((resolve) => {
      const socket = new WebSocket(`ws://127.0.0.1:${port}/irc`, ["text.ircv3.net"]);
      socket.onopen = () => resolve("open");
      socket.onerror = () => resolve("refused");
    }), server.port);
    assert.equal(ends, "refused");
    await evil.close();
    elsewhere.close();
    const policy = (await fetch(server.url)).headers.get("content-security-policy") ?? "";
    assert.match(policy, /frame-ancestors 'none'/);
    assert.doesNotMatch(policy, /unsafe/);
    mallory.close();
    eve.close();
  },

  async "a long history: pages come, the position stays, the first unread is found"({ page, server }) {
    const eve = Caller.irc(server.port, "eve", "#lobby");
    await eve.hear(" 366 ");
    for (let line = 1; line <= 400; line++) eve.send(`PRIVMSG #lobby :line number ${line}.`);
    eve.send("PING done");
    await eve.hear("PONG");
    await walkIn(page, server.url, "ann");
    await article(page, "line number 400.").waitFor();
    const list = page.locator(".list");
    for (const line of [300, 200, 100, 1]) {
      await until(`line ${line}`, async () => {
        await list.evaluate((list) => (list.scrollTop = Math.min(list.scrollTop, 200)));
        return article(page, `line number ${line}.`).count();
      });
      assert.ok((await page.locator("article").count()) <= 170, "the page holds a window only");
    }
    await article(page, "line number 1.").scrollIntoViewIfNeeded();
    const place = () => article(page, "line number 1.").evaluate((row) => Math.round(row.getBoundingClientRect().top));
    const before = await place();
    for (let line = 401; line <= 405; line++) eve.send(`PRIVMSG #lobby :line number ${line}.`);
    await page.getByRole("button", { name: "To the newest message" }).filter({ hasText: "5 new" }).waitFor();
    assert.equal(await place(), before, "what is looked at moved");
    await page.getByRole("button", { name: "To the newest message" }).click();
    await article(page, "line number 405.").waitFor();
    await until("all is read", async () => !(await page.title()).startsWith("("));
    eve.close();
  },

  async "searching, numbers, threads: one finds the way back"({ page, server }) {
    const eve = Caller.irc(server.port, "eve", "#lobby");
    await eve.hear(" 366 ");
    eve.send("CAP REQ echo-message", "PRIVMSG #lobby :the kettle is on");
    const root = /msgid=([^;\s]+)\S* \S+ PRIVMSG #lobby :the kettle/.exec(await eve.hear(/PRIVMSG #lobby :the kettle is on\r/))[1];
    for (let line = 2; line <= 300; line++) eve.send(`PRIVMSG #lobby :line number ${line}.`);
    eve.send(`@+draft/reply=${root} PRIVMSG #lobby :two sugars please`, "PING done");
    await eve.hear("PONG");
    await walkIn(page, server.url, "ann");
    await article(page, "two sugars").waitFor();
    // What is answered is far above, and shown all the same.
    await article(page, "two sugars").locator(".answered", { hasText: "the kettle is on" }).waitFor();
    await page.getByRole("button", { name: "Search", exact: true }).click();
    await page.getByLabel("Words to look for").fill("kettle");
    await until("the index has it", async () => {
      await page.keyboard.press("Enter");
      await page.getByRole("status").filter({ hasText: /message|Nobody/ }).waitFor();
      return page.locator("aside mark").count();
    });
    assert.equal(await page.locator("aside mark").textContent(), "kettle");
    await page.screenshot({ path: `${shots}search.png` });
    await page.locator("aside.panel li button", { hasText: "the kettle is on" }).click();
    await article(page, "the kettle is on").first().waitFor();
    await until("it is in sight", () => inSight(page, "the kettle is on"));
    await page.keyboard.press("Escape");
    // By number, from the switcher and from a text.
    await page.keyboard.press("Control+k");
    await page.keyboard.type("150");
    await page.keyboard.press("Enter");
    await until("number 150 is in sight", () => inSight(page, "line number 150."));
    await say(page, "see #20 for that").catch(() => {});
    await page.getByRole("button", { name: "#20", exact: true }).click();
    await until("number 20 is in sight", () => inSight(page, "line number 20."));
    await page.getByRole("button", { name: "To the newest message" }).click();
    await article(page, "two sugars").waitFor();
    await article(page, "two sugars").hover();
    await article(page, "two sugars").getByRole("button", { name: "Thread" }).click();
    await page.locator("aside.panel li", { hasText: "the kettle is on" }).waitFor();
    await page.getByLabel("Answer in this thread").fill("and milk");
    await page.keyboard.press("Enter");
    await page.locator("aside.panel li", { hasText: "and milk" }).waitFor();
    assert.equal(await page.locator("aside.panel li").count(), 3);
    await page.screenshot({ path: `${shots}thread.png` });
    await article(page, "and milk").locator(".answered", { hasText: "two sugars" }).waitFor();
    eve.close();
  },

  async "the first unread message, also where it is far away"({ page, server, context }) {
    await walkIn(page, server.url, "ann");
    await say(page, "read up to here");
    const eve = Caller.irc(server.port, "eve", "#lobby");
    await eve.hear(" 366 ");
    await context.setOffline(true);
    await page.evaluate(() => dispatchEvent(new Event("offline")));
    await page.getByText("No connection.").waitFor();
    // More than is fetched to close a gap.
    for (let line = 1; line <= 1400; line++) eve.send(`PRIVMSG #lobby :news ${line}.`);
    eve.send("PING done");
    await eve.hear("PONG");
    await context.setOffline(false);
    await page.evaluate(() => dispatchEvent(new Event("online")));
    await article(page, "news 1400.").waitFor();
    await page.getByRole("button", { name: /new messages/ }).first().click();
    await until("the first is in sight", () => inSight(page, "news 1."));
    await page.getByRole("separator").filter({ hasText: "New" }).waitFor();
    eve.close();
  },

  async "keeping a room: topic, pins, rules, roles, people put out"({ page, server, browser }) {
    await walkIn(page, `${server.url}#tea`, "ann");
    const eve = Caller.irc(server.port, "eve", "#tea");
    await eve.hear(" 366 ");
    const second = await browser.newPage();
    await walkIn(second, `${server.url}#tea`, "bob");
    await say(page, "welcome, all");
    await page.getByRole("button", { name: "About #tea" }).click();
    await page.getByLabel("Topic", { exact: true }).fill("Tea at four");
    await page.getByRole("button", { name: "Save" }).first().click();
    await second.locator("header p", { hasText: "Tea at four" }).waitFor();
    await eve.hear("TOPIC #tea :Tea at four");
    await article(page, "welcome, all").hover();
    await article(page, "welcome, all").getByRole("button", { name: "Pin" }).click();
    await second.locator(".pins", { hasText: "welcome, all" }).waitFor();
    await page.locator("aside.panel li", { hasText: "welcome, all" }).waitFor();
    await page.getByLabel("Only operators and voiced members speak").check();
    await eve.hear("MODE #tea +m");
    await page.screenshot({ path: `${shots}settings.png` });
    // Whoever is no operator sees the same, and can change nothing.
    await second.getByRole("button", { name: "About #tea" }).click();
    await until("the rules are known", () => second.getByLabel("Only operators and voiced members speak").isChecked());
    assert.ok(await second.getByLabel("Only operators and voiced members speak").isDisabled());
    assert.equal(await second.getByLabel("Topic", { exact: true }).count(), 0);
    await page.keyboard.press("Escape");
    await page.locator("aside li button", { hasText: "bob" }).click();
    await page.getByLabel("Role").selectOption({ label: "voice" });
    await eve.hear("MODE #tea +v bob");
    await say(second, "may I? I may");
    await page.keyboard.press("Escape");
    await page.locator("aside li button", { hasText: "eve" }).click();
    await page.getByLabel("Reason").fill("too loud");
    await page.screenshot({ path: `${shots}person.png` });
    await page.getByRole("button", { name: "Ban", exact: true }).click();
    await eve.hear("KICK #tea eve :too loud");
    await page.getByRole("button", { name: "About #tea" }).click();
    await page.locator("aside.panel li", { hasText: "eve!" }).waitFor();
    await page.getByRole("button", { name: /Lift the ban of eve/ }).click();
    await page.locator("aside.panel li", { hasText: "Nobody." }).waitFor();
    // A closed room, an invitation, and what was done.
    await page.getByLabel("Only who was invited comes in").check();
    await page.getByRole("button", { name: "Make an invitation" }).click();
    await page.locator("aside.panel li", { hasText: "1 use," }).waitFor();
    const link = await page.getByLabel("The link").inputValue();
    const third = await browser.newPage();
    await third.goto(link);
    await third.getByLabel("Your name").fill("cleo");
    await third.keyboard.press("Enter");
    await third.locator("main header", { hasText: "tea" }).waitFor();
    await page.getByRole("button", { name: "Make an invitation" }).click();
    await page.locator("aside.panel li", { hasText: "№ 2" }).waitFor();
    await page.getByRole("button", { name: "Take back invitation 2" }).click();
    await page.locator("aside.panel li", { hasText: "Nobody has one." }).waitFor();
    await page.getByRole("button", { name: "Show", exact: true }).click();
    await page.locator("aside.panel li", { hasText: "cleo came by the invitation 1" }).waitFor();
    await page.locator("aside.panel li", { hasText: "ann made the invitation 1" }).scrollIntoViewIfNeeded();
    await page.screenshot({ path: `${shots}invitation.png` });
    await third.close();
    // What people say of themselves is seen by others.
    await second.getByRole("button", { name: "bob", exact: true }).first().click();
    await second.getByLabel("What you are up to").fill("making tea");
    await second.getByRole("button", { name: "Save" }).click();
    await page.locator("aside.panel").getByRole("button", { name: "Close" }).click();
    await page.locator("aside li button", { hasText: "bob" }).click();
    await page.locator("aside.panel", { hasText: "making tea" }).waitFor();
    await second.close();
    eve.close();
  },

  async "a page at which nothing happens asks nothing"({ page, server }) {
    const sent = [];
    page.on("websocket", (socket) => socket.on("framesent", (frame) => sent.push(frame.payload)));
    await walkIn(page, `${server.url}#tea`, "ann");
    await say(page, "welcome, all");
    await page.getByRole("button", { name: "About #tea" }).click();
    await page.locator("aside.panel li", { hasText: "Nobody has one." }).waitFor();
    const eve = Caller.irc(server.port, "eve", "#tea");
    await eve.hear(" 366 ");
    await article(page, "welcome, all").hover();
    await article(page, "welcome, all").getByRole("button", { name: "Pin" }).click();
    await page.locator("aside.panel li", { hasText: "welcome, all" }).waitFor();
    for (let line = 1; line <= 50; line++) eve.send(`PRIVMSG #tea :news ${line}.`);
    await article(page, "news 50.").waitFor();
    const asked = (verb) => sent.filter((line) => line.includes(`${verb} `)).length;
    // Once for the room, once for the panel, once when something was pinned.
    for (const verb of ["PINS", "MODE", "INVITATION", "WHO"]) assert.ok(asked(verb) <= 3, `${verb}: ${asked(verb)} times`);
    assert.ok(sent.length < 60, `${sent.length} lines`);
    eve.close();
  },

  async "a hundred thousand messages scroll"({ page, server }) {
    const eve = Caller.irc(server.port, "eve", "#lobby");
    await eve.hear(" 366 ");
    const began = Date.now();
    for (let part = 0; part < 20; part++) eve.send(...Array.from({ length: 5000 }, (_, line) => `PRIVMSG #lobby :message ${part * 5000 + line + 1} of many.`));
    eve.send("PING done");
    await eve.hear("PONG", 120_000);
    console.log(`      100,000 messages were said in ${Date.now() - began} ms`);
    await walkIn(page, server.url, "ann");
    await article(page, "message 100000 of many.").waitFor();
    const travel = (up) =>
      page.evaluate(async (up) => {
        const list = document.querySelector(".list");
        const edge = () => (up ? list.querySelector("article") : [...list.querySelectorAll("article")].at(-1))?.dataset.key;
        const times = [];
        let most = 0;
        const end = performance.now() + 10_000;
        while (times.length < 60 && performance.now() < end) {
          const [from, before] = [performance.now(), edge()];
          list.scrollTop = up ? 1 : list.scrollHeight - list.clientHeight - 1;
          list.scrollTop = up ? 0 : list.scrollHeight;
          while (edge() === before && performance.now() < end) await new Promise((resolve) => requestAnimationFrame(resolve));
          times.push(performance.now() - from);
          most = Math.max(most, document.querySelectorAll("*").length);
        }
        times.sort((a, b) => a - b);
        return { count: times.length, median: Math.round(times[times.length >> 1]), worst: Math.round(times.at(-1)), most, rows: list.querySelectorAll("article").length };
      }, up);
    const place = async () => Number(/message (\d+) /.exec(await page.locator("article .text").first().textContent())[1]);
    const up = await travel(true);
    assert.ok(up.count >= 8 && (await place()) < 99_700, `it did not get far: ${JSON.stringify(up)}`);
    await page.keyboard.press("Control+k");
    await page.keyboard.type("50000");
    const asked = Date.now();
    await page.keyboard.press("Enter");
    await until("number 50,000", () => inSight(page, "message 50000 of many."));
    console.log(`      to number 50,000 in ${Date.now() - asked} ms`);
    const down = await travel(false);
    assert.ok(down.count >= 8 && (await place()) > 50_300, `it did not get far: ${JSON.stringify(down)}`);
    const client = await page.context().newCDPSession(page);
    await client.send("HeapProfiler.collectGarbage");
    const heap = (await client.send("Runtime.getHeapUsage")).usedSize;
    console.log(`      a step of some fifty messages: up ${up.median} ms (worst ${up.worst}), down ${down.median} ms (worst ${down.worst}); at most ${Math.max(up.most, down.most)} nodes, ${Math.round(heap / 1e6)} MB of heap`);
    assert.ok(up.rows <= 170 && down.rows <= 170, `${up.rows} and ${down.rows} rows`);
    assert.ok(Math.max(up.most, down.most) < 12_000, `${up.most} and ${down.most} nodes`);
    assert.ok(heap < 80e6, `${heap} bytes of heap`);
    eve.close();
  },

  async "nothing serious for those who see, hear or point otherwise"({ page, server, browser }) {
    const found = [];
    await page.goto(server.url);
    await page.getByLabel("Your name").waitFor();
    found.push(...(await scanned(page, "door")));
    await page.emulateMedia({ colorScheme: "dark" });
    found.push(...(await scanned(page, "door, dark", true)));
    await walkIn(page, `${server.url}#tea`, "ann");
    const eve = Caller.irc(server.port, "eve", "#tea");
    await eve.hear(" 366 ");
    eve.send("PRIVMSG #tea :ann: see **this**, `code` and https://example.org/ or #1", "PRIVMSG ann :psst");
    await article(page, "see this").waitFor();
    await say(page, "an answer\n> to this");
    await article(page, "see this").hover();
    await article(page, "see this").getByRole("button", { name: "React" }).click();
    await article(page, "see this").getByRole("button", { name: "🎉" }).click();
    await article(page, "see this").locator(".reactions button").waitFor();
    const states = {
      room: async () => {},
      search: async () => {
        await page.getByRole("button", { name: "Search", exact: true }).click();
        await page.getByLabel("Words to look for").fill("code");
        await until("the index has it", async () => {
          await page.keyboard.press("Enter");
          await page.getByRole("status").filter({ hasText: /message|Nobody/ }).waitFor();
          return page.locator("aside mark").count();
        });
      },
      thread: async () => {
        await article(page, "see this").hover();
        await article(page, "see this").getByRole("button", { name: "Thread" }).click();
        await page.getByLabel("Answer in this thread").waitFor();
      },
      settings: async () => {
        await page.getByRole("button", { name: "About #tea" }).click();
        await page.getByLabel("Topic", { exact: true }).waitFor();
      },
      person: async () => page.locator("footer button", { hasText: "ann" }).click(),
      switcher: async () => page.keyboard.press("Control+k"),
    };
    for (const [name, enter] of Object.entries(states)) {
      await enter();
      // Everything once, and the colours again where they differ.
      await page.emulateMedia({ colorScheme: "light", contrast: "no-preference" });
      found.push(...(await scanned(page, `${name}, light`)));
      await page.emulateMedia({ colorScheme: "dark", contrast: "no-preference" });
      found.push(...(await scanned(page, `${name}, dark`, true)));
      if (name === "room" || name === "settings") {
        await page.emulateMedia({ colorScheme: "light", contrast: "more" });
        found.push(...(await scanned(page, `${name}, high contrast`, true)));
      }
    }
    const shade = await browser.newContext({ viewport: { width: 320, height: 640 }, reducedMotion: "reduce" });
    const small = await shade.newPage();
    await walkIn(small, `${server.url}#tea`, "bob");
    found.push(...(await scanned(small, "320 pixels")));
    for (const [button, label] of [["Search", "search"], ["About #tea", "settings"]]) {
      await small.getByRole("button", { name: button, exact: true }).click();
      await small.locator("aside.panel").waitFor();
      assert.ok(await small.evaluate(() => document.documentElement.scrollWidth <= innerWidth), `${label} is wider than 320 pixels`);
      await small.screenshot({ path: `${shots}phone-${label}.png` });
      await small.locator("aside.panel").getByRole("button", { name: "Close" }).click();
    }
    // Whoever wants no motion gets none.
    assert.equal(await small.evaluate(() => [...document.querySelectorAll("*")].filter((node) => parseFloat(getComputedStyle(node).transitionDuration) > 0.001 || parseFloat(getComputedStyle(node).animationDuration) > 0.001).length), 0);
    await shade.close();
    eve.close();
    assert.deepEqual(found, []);
  },

  async "installed: it opens without the server, and tells only those who asked for it"({ page, server, context }) {
    await context.addInitScript(() => {
      globalThis.asked = 0;
      globalThis.told = [];
      const ask = Notification.requestPermission.bind(Notification);
      Notification.requestPermission = (...more) => (globalThis.asked++, ask(...more));
      ServiceWorkerRegistration.prototype.showNotification = function (title, options) {
        globalThis.told.push(`${title}: ${options.body}`);
        return Promise.resolve();
      };
    });
    const manifest = await (await fetch(`${server.url}manifest.webmanifest`)).json();
    for (const { src } of manifest.icons) assert.equal((await fetch(new URL(src, server.url))).status, 200, src);
    await walkIn(page, server.url, "ann");
    await page.evaluate(() => navigator.serviceWorker.ready);
    const eve = Caller.irc(server.port, "eve", "#lobby");
    await eve.hear(" 366 ");
    // Nobody looks: another page is in front.
    await page.evaluate(() => (document.hasFocus = () => false));
    eve.send("PRIVMSG #lobby :ann: are you there?");
    await article(page, "are you there").waitFor();
    assert.deepEqual(await page.evaluate(() => [globalThis.asked, globalThis.told]), [0, []]);
    await context.grantPermissions(["notifications"], { origin: new URL(server.url).origin });
    await page.locator("footer button", { hasText: "ann" }).click();
    await page.getByLabel(/Tell me when somebody names me/).check();
    eve.send("PRIVMSG ann :psst, over here", "PRIVMSG #lobby :nobody is named");
    await until("I am told", () => page.evaluate(() => globalThis.told.length));
    assert.deepEqual(await page.evaluate(() => globalThis.told), ["eve: psst, over here"]);
    eve.close();
    await server.end();
    server.front?.close();
    const opened = await context.newPage();
    await opened.goto(server.url);
    await opened.getByLabel("Your name").fill("bob");
    await opened.getByRole("button", { name: "Walk in" }).click();
    await opened.getByText("The server does not answer.").waitFor();
  },

  async "a phone-sized screen"({ browser, server }) {
    const context = await browser.newContext({ viewport: { width: 320, height: 640 }, hasTouch: true, isMobile: true });
    const page = await context.newPage();
    await walkIn(page, server.url, "ann");
    await say(page, "a rather long message from a small screen, with a_word_that_is_much_longer_than_the_screen_is_wide_and_goes_on");
    const fits = () => page.evaluate(() => document.documentElement.scrollWidth <= innerWidth);
    assert.ok(await fits());
    await page.screenshot({ path: `${shots}phone.png` });
    await page.getByRole("button", { name: "Rooms and people" }).tap();
    await page.getByRole("button", { name: "Find or open a room" }).tap();
    await page.getByRole("combobox", { name: "A room's name" }).fill("tea");
    await page.keyboard.press("Enter");
    await page.getByText("This is the beginning of #tea.").waitFor();
    await page.getByRole("button", { name: "Rooms and people" }).tap();
    await page.locator("nav li", { hasText: "lobby" }).waitFor();
    await page.waitForTimeout(300);
    await page.screenshot({ path: `${shots}phone-rooms.png` });
    assert.ok(await fits());
    await context.close();
  },

  async "keyboard only"({ page, server }) {
    await page.goto(server.url);
    await page.keyboard.type("ann");
    await page.keyboard.press("Enter");
    await page.locator("#writing").waitFor();
    await page.keyboard.type("first");
    await page.keyboard.press("Enter");
    await page.locator("article:not(.pending)", { hasText: "first" }).waitFor();
    await page.keyboard.type("a");
    await page.keyboard.press("Shift+Enter");
    await page.keyboard.type("second");
    await page.keyboard.press("Enter");
    await page.locator("article:not(.pending)", { hasText: "second" }).waitFor();
    await page.keyboard.press("ArrowUp");
    await page.getByText("Editing your message").waitFor();
    await page.keyboard.press("Escape");
    await page.keyboard.press("Control+k");
    await page.getByRole("combobox", { name: "A room or a person" }).waitFor();
    await page.keyboard.type("#tea");
    await page.screenshot({ path: `${shots}switcher.png` });
    await page.keyboard.press("Enter");
    await page.getByText("This is the beginning of #tea.").waitFor();
    await page.keyboard.type("in the other room");
    await page.keyboard.press("Enter");
    await article(page, "in the other room").waitFor();
    await page.keyboard.press("Alt+ArrowUp");
    await article(page, "second").waitFor();
    // To the messages, and an answer from there.
    await page.locator("#writing").focus();
    await page.keyboard.press("Shift+Tab");
    await until("a message has the focus", () => page.evaluate(() => document.activeElement?.closest("article") !== null));
    await page.evaluate(() => document.activeElement?.closest("article")?.focus());
    await page.keyboard.press("ArrowUp");
    await page.keyboard.press("r");
    await page.getByText("Replying to ann").waitFor();
    await page.keyboard.type("an answer to @an");
    await page.getByRole("option", { name: "ann" }).waitFor();
    await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    await page.locator(".answered", { hasText: "first" }).waitFor();
    const nameless = await page.evaluate(() => [...document.querySelectorAll("button, input, textarea, a")].filter((node) => !(node.getAttribute("aria-label") || node.textContent?.trim() || node.labels?.length || node.closest("[aria-hidden=true]"))).map((node) => node.outerHTML));
    assert.deepEqual(nameless, []);
  },

  async "keeping a name, and logging in with it"({ page, server, browser }) {
    await walkIn(page, server.url, "ann");
    await page.getByRole("button", { name: "Keep this name" }).click();
    await page.getByLabel("Password").fill("a long sentence");
    await page.screenshot({ path: `${shots}keep.png` });
    await page.keyboard.press("Enter");
    await page.getByText("This name is yours now.").waitFor();
    await page.getByRole("button", { name: "Keep this name" }).waitFor({ state: "detached" });
    // Whoever comes back is asked for the password at once.
    await page.reload();
    await page.getByLabel("Password").fill("a long sentence");
    await page.keyboard.press("Enter");
    await page.locator("#writing").waitFor();
    // Also whoever is faster than the screen, which tries the name by itself meanwhile.
    const slow = await page.context().newCDPSession(page);
    for (const rate of [1, 4, 2, 8, 1, 4, 2, 8]) {
      await slow.send("Emulation.setCPUThrottlingRate", { rate });
      await page.reload();
      await page.getByLabel("Password").fill("a long sentence");
      await page.keyboard.press("Enter");
      await page.locator("#writing").waitFor();
    }
    await slow.send("Emulation.setCPUThrottlingRate", { rate: 1 });
    const second = await browser.newPage();
    await second.goto(server.url);
    await second.getByLabel("Your name").fill("ann");
    await second.getByRole("button", { name: "I have a password" }).click();
    await second.getByLabel("Password").fill("wrong");
    await second.getByRole("button", { name: "Walk in" }).click();
    await second.getByText("That is not the password").waitFor();
    await second.getByLabel("Password").fill("a long sentence");
    await second.getByRole("button", { name: "Walk in" }).click();
    await second.locator("#writing").waitFor();
    await say(second, "from my other screen");
    await article(page, "from my other screen").waitFor();
    await second.close();
    // A code from here makes another browser mine, too.
    await page.locator("footer button", { hasText: "ann" }).click();
    await page.getByRole("button", { name: "Make a code" }).click();
    const said = await page.locator("aside.panel p[role=status]").textContent();
    const code = /\/link (\S+)/.exec(said)?.[1] ?? /LINK (\S+)/.exec(said)?.[1];
    const third = await browser.newPage();
    await walkIn(third, server.url, "ann_phone");
    await third.getByRole("button", { name: "Keep this name" }).click();
    await third.getByRole("button", { name: "I have an account elsewhere" }).click();
    await third.getByLabel("Code").fill(code);
    await third.keyboard.press("Enter");
    await third.getByRole("button", { name: "Keep this name" }).waitFor({ state: "detached" });
    await third.close();
  },
};

/** Draws docs/web.png and docs/web-phone.png anew: `npm run e2e -- pictures`. */
const pictures = {
  async "pictures for the README"({ page, server, browser }) {
    const docs = new URL("../../../docs/", import.meta.url).pathname;
    const people = [];
    for (const name of ["ann", "bob", "dora"]) {
      const caller = Caller.irc(server.port, name, "#build");
      await caller.hear(" 366 ");
      caller.send("CAP REQ :echo-message draft/multiline batch", "METADATA * SET status :making tea");
      people.push(caller);
    }
    const [ann, bob, dora] = people;
    const said = async (who, text, tags = "") => {
      who.send(`${tags}PRIVMSG #build :${text}`);
      const heard = await who.hear(text);
      return /msgid=([^;\s]+)/.exec(heard.split("\r\n").findLast((line) => line.endsWith(text)))[1];
    };
    ann.send("TOPIC #build :Builds and releases · the pipeline is at https://example.org/builds");
    const first = await said(ann, "Morning! Is the build **green** again?");
    ann.send(`PIN #build ${await said(ann, "Release 0.2 leaves on Friday; what is not in by Thursday waits for 0.3.")}`);
    await said(bob, "yes, since ten minutes ago: it was a clock that ran backwards", `@+draft/reply=${first} `);
    bob.send("BATCH +c draft/multiline #build", ...["It is this now:", "```rust", "let next = last.max(now);", "assert!(next >= last, \"time stands still, or moves on\");", "```"].map((line) => `@batch=c PRIVMSG #build :${line}`), "BATCH -c");
    const nice = await said(dora, "Nice catch. I have one like that in #4, shall I take it as well?");
    for (const who of [ann, bob]) who.send(`@+draft/react=+1;+draft/reply=${nice} TAGMSG #build`);
    await page.setViewportSize({ width: 1180, height: 760 });
    await walkIn(page, `${server.url}#build`, "eve");
    await page.evaluate(() => document.activeElement.blur());
    ann.send("PRIVMSG eve :have you got a minute?");
    await page.locator("nav .badge").first().waitFor();
    await say(page, "ann, bob: thank you both. All is quiet here, too.");
    await page.locator("pre span").first().waitFor();
    await page.screenshot({ path: `${docs}web.png` });
    const context = await browser.newContext({ viewport: { width: 390, height: 760 }, colorScheme: "dark", hasTouch: true, isMobile: true });
    const phone = await context.newPage();
    await walkIn(phone, `${server.url}#build`, "finn");
    await phone.locator("pre span").first().waitFor();
    await phone.screenshot({ path: `${docs}web-phone.png` });
    await context.close();
    for (const who of people) who.close();
  },
};

const wanted = process.argv[2] ?? "";
const browser = await chromium.launch({ executablePath: browserPath(), args: process.getuid?.() === 0 ? ["--no-sandbox"] : [] });
let failed = 0;
for (const [name, run] of Object.entries(wanted === "pictures" ? pictures : tests)) {
  if (!name.includes(wanted)) continue;
  const server = await Server.start();
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, locale: "en-GB" });
  const page = await context.newPage();
  const broken = [];
  page.on("pageerror", (error) => broken.push(String(error)));
  page.on("console", (message) => {
    if (message.type() === "error" && !/WebSocket|ERR_INTERNET_DISCONNECTED|status of 507/.test(message.text())) broken.push(message.text());
  });
  const began = Date.now();
  try {
    await run({ page, server, browser, context });
    assert.deepEqual(broken, [], "the page complained");
    console.log(`ok    ${name} (${Date.now() - began} ms)`);
  } catch (error) {
    failed++;
    console.log(`FAIL  ${name}: ${error.stack}\n${broken.join("\n")}`);
    await page.screenshot({ path: `${shots}failed-${failed}.png` }).catch(() => {});
  }
  await context.close();
  await server.stop();
}
await browser.close();
process.exit(failed ? 1 : 0);
