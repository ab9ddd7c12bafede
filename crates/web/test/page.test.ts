// The page as it is before the client has come.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { texts } from "../client/texts.ts";

test("the first screen says before the client has come what it says afterwards", () => {
  const page = readFileSync("index.html", "utf8");
  const form = /<form>[\s\S]*<\/form>/.exec(page)?.[0] ?? "";
  for (const text of [texts.tagline, texts.nameLabel, texts.namePlaceholder, texts.nameHint, texts.enter, texts.haveAccount]) assert.ok(form.includes(text), text);
  // Nothing can be sent before there is somebody who takes it.
  const buttons = form.match(/<button[^>]*>/g) ?? [];
  assert.equal(buttons.length, 2);
  assert.ok(buttons.every((button) => / disabled>/.test(button)));
});
