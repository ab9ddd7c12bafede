import assert from "node:assert/strict";
import { test } from "node:test";
import { filesIn, ownFile } from "../client/model/files.ts";

const HERE = "http://chat.example:55555";
const ID = "abcdefghijkmnpqrstuvwxyz23";

test("only files of this server are files", () => {
  assert.deepEqual(ownFile(`${HERE}/files/${ID}/gr%C3%B6%C3%9Fe.PNG`, HERE), { id: ID, name: "größe.PNG", path: `/files/${ID}/gr%C3%B6%C3%9Fe.PNG`, picture: true });
  assert.equal(ownFile(`${HERE}/files/${ID}/a.pdf`, HERE)?.picture, false);
  assert.equal(ownFile(`${HERE}/files/${ID}/%ff.txt`, HERE)?.name, "%ff.txt");
  assert.equal(ownFile(`${HERE}/files/${ID}/%E2%80%AEgnp.exe`, HERE)?.name, "gnp.exe");
  for (const other of [`http://evil.example/files/${ID}/a.png`, `${HERE}.evil.example/files/${ID}/a.png`, `${HERE}/files/short/a.png`, `${HERE}/files/${ID}/../../x.png`, `${HERE}/files/${ID}/a.png?x=1`, `javascript:${HERE}/files/${ID}/a.png`, `${HERE}/files/${ID}/`]) {
    assert.equal(ownFile(other, HERE), null, other);
  }
});

test("a line that is only a link is not shown as text", () => {
  const link = `${HERE}/files/${ID}/a.png`;
  assert.deepEqual(filesIn("hello", HERE), { text: "hello", files: [] });
  assert.deepEqual(filesIn(`look\n${link}\n`, HERE).text, "look\n");
  assert.equal(filesIn(link, HERE).text, "");
  assert.equal(filesIn(`see ${link} here`, HERE).text, `see ${link} here`);
  assert.equal(filesIn(`see ${link} here`, HERE).files.length, 1);
  assert.equal(filesIn(`${link}\n${link}`, HERE).files.length, 1);
});

test("more files than are shown stay links", () => {
  const ids = [..."abcdefghijkmnp"].map((sign) => sign + ID.slice(1));
  const shown = filesIn(ids.map((id) => `${HERE}/files/${id}/a.png`).join("\n"), HERE);
  assert.equal(shown.files.length, 10);
  assert.equal(shown.text.split("\n").length, 4);
});
