// The icon as pictures of points, for those who take no SVG: drawn from the same shapes as public/icon.svg.
import { crc32, deflateSync } from "node:zlib";

const GREEN = [0x2f, 0x6f, 0x62];
const WHITE = [0xfd, 0xfc, 0xf9];
/** Points beside each other of which one is made, so that edges are smooth. */
const FINE = 4;

function rounded(x, y, left, top, right, bottom, radius) {
  if (x < left || x > right || y < top || y > bottom) return false;
  const dx = Math.max(left + radius - x, x - right + radius, 0);
  const dy = Math.max(top + radius - y, y - bottom + radius, 0);
  return dx * dx + dy * dy <= radius * radius;
}

/** The colour at a place in a square of 64, or none. */
function colour(x, y, mask) {
  const [u, v] = mask ? [32 + (x - 32) * 1.25, 32 + (y - 32) * 1.25] : [x, y];
  if ([24.5, 32, 39.5].some((at) => (u - at) ** 2 + (v - 28.5) ** 2 <= 9)) return GREEN;
  const tail = u >= 20 && u <= 31 && v >= 41 && v <= 51 && (u - 20) * 9 <= (51 - v) * 11;
  if (tail || rounded(u, v, 14, 15, 50, 42, 6)) return WHITE;
  return mask || rounded(x, y, 0, 0, 64, 64, 15) ? GREEN : null;
}

function chunk(kind, data) {
  const body = Buffer.concat([Buffer.from(kind, "latin1"), data]);
  const [length, check] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(data.length);
  check.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, check]);
}

/** A PNG of this many points each way; `mask`: to the edges, for those who cut their own shape out of it. */
export function icon(size, mask) {
  const rows = Buffer.alloc(size * (size * 4 + 1));
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < size; x++) {
      const sum = [0, 0, 0, 0];
      for (let part = 0; part < FINE * FINE; part++) {
        const at = (whole, rest) => ((whole + (rest + 0.5) / FINE) * 64) / size;
        const found = colour(at(x, part % FINE), at(y, Math.floor(part / FINE)), mask);
        if (found) found.forEach((value, index) => (sum[index] += value)), sum[3]++;
      }
      const to = y * (size * 4 + 1) + 1 + x * 4;
      for (let index = 0; index < 3; index++) rows[to + index] = sum[3] ? Math.round(sum[index] / sum[3]) : 0;
      rows[to + 3] = Math.round((sum[3] * 255) / FINE ** 2);
    }
  }
  const head = Buffer.alloc(13);
  head.writeUInt32BE(size, 0);
  head.writeUInt32BE(size, 4);
  head.set([8, 6, 0, 0, 0], 8);
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  return Buffer.concat([signature, chunk("IHDR", head), chunk("IDAT", deflateSync(rows, { level: 9 })), chunk("IEND", Buffer.alloc(0))]);
}
