// Files on their way to the server: asked for, sent with what can be seen of it, and said with the text that was written
// beside them.

import { texts } from "../texts.ts";
import type { Room } from "../model/types.ts";
import { chat } from "./live.svelte.ts";

/** Files of one message. */
const FILES_MAX = 10;

/** A file that somebody wants to show. */
export interface Upload {
  readonly id: number;
  readonly room: string;
  readonly file: File;
  readonly name: string;
  sent: number;
  state: "asking" | "sending" | "done" | "failed";
  why: string;
  url: string;
}

/** What was written, to be said when the files have come. */
interface Held {
  text: string;
  replyTo: string | undefined;
}

const all = $state<Upload[]>([]);
const held = $state<Record<string, Held>>({});
const requests = new Map<number, XMLHttpRequest>();
let ids = 0;

/** The files of a room that have not been said. */
export function uploadsOf(room: Room): Upload[] {
  return all.filter((upload) => upload.room === room.id);
}

/** Whether they are said as soon as they have come. */
export function isHeld(room: Room): boolean {
  return room.id in held;
}

/** Takes files along with the next message. */
export function attach(room: Room, files: Iterable<File>): void {
  for (const file of files) {
    if (uploadsOf(room).length >= FILES_MAX) return chat.tell(texts.tooManyFiles(FILES_MAX), true);
    all.push({ id: ++ids, room: room.id, file, name: file.name || texts.pastedName, sent: 0, state: "asking", why: "", url: "" });
    const upload = all.at(-1);
    if (upload) begin(room, upload);
  }
}

/** Sends it, or sends it again. */
export function begin(room: Room, upload: Upload): void {
  Object.assign(upload, { state: "asking", sent: 0, why: "" });
  chat.askTicket((path, why) => {
    // It was taken back meanwhile.
    if (!all.includes(upload)) return;
    if (path) send(room, upload, path);
    else fail(upload, why || texts.uploadFailed);
  });
}

function fail(upload: Upload, why: string): void {
  Object.assign(upload, { state: "failed", why });
}

function send(room: Room, upload: Upload, path: string): void {
  const request = new XMLHttpRequest();
  requests.set(upload.id, request);
  upload.state = "sending";
  request.upload.onprogress = (event) => (upload.sent = event.loaded);
  request.onerror = () => fail(upload, texts.uploadFailed);
  request.onload = () => {
    if (request.status !== 201) return fail(upload, request.responseText.trim().slice(0, 300) || texts.uploadFailed);
    Object.assign(upload, { state: "done", sent: upload.file.size, url: request.responseText.trim() });
    settle(room);
  };
  request.onloadend = () => requests.delete(upload.id);
  request.open("PUT", path + encodeURIComponent(upload.name));
  request.send(upload.file);
}

/** Takes it back. */
export function detach(room: Room, upload: Upload): void {
  const at = all.indexOf(upload);
  if (at >= 0) all.splice(at, 1);
  requests.get(upload.id)?.abort();
  settle(room);
}

/** Says a text with the files of the room: now, or when they have come. */
export function sayWith(room: Room, text: string, replyTo: string | undefined): void {
  held[room.id] = { text, replyTo };
  settle(room);
}

function settle(room: Room): void {
  const waiting = held[room.id];
  const mine = uploadsOf(room);
  if (!waiting || mine.some((upload) => upload.state !== "done")) return;
  delete held[room.id];
  const whole = [waiting.text, ...mine.map((upload) => upload.url)].filter((line) => line.trim()).join("\n");
  if (whole) chat.say(room, whole, waiting.replyTo);
  for (const upload of mine) all.splice(all.indexOf(upload), 1);
}
