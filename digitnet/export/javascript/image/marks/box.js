// Remove a printed box of straight lines; strokes that touch or cross its sides stay.

import { MAX_FRAME_THICKNESS, runsOf } from "../ink/components.js";
import { Mask } from "../plane.js";

const MIN_INKED = 0.85; // of a row: less ink is not a side of a box
const MAX_INKED_BESIDE = 0.6; // of a row beside a side: more ink belongs to a broad bar

/**
 * Return marks without the box around them, which may be open above or below.
 *
 * Without a box, return null.
 * @param {Mask} marked cropped to its bounding box
 * @returns {Mask | null}
 */
export function removeBox(marked) {
  const padded = marked.padded(1);
  const level = sidesOf(padded);
  if (!level.length) return null;
  const turned = padded.transposed();
  const upright = sidesOf(turned);
  const rim = MAX_FRAME_THICKNESS * turned.h;
  if (!upright.length) return null;
  if (upright[0][0] > rim || upright.at(-1)[1] < turned.h - rim) return null;
  const rest = removeRows(removeRows(padded, level).transposed(), upright).transposed();
  return rest.crop({ top: 1, bottom: padded.h - 1, left: 1, right: padded.w - 1 });
}

/**
 * Return the level sides of a box, each as its first row and the row after its last.
 *
 * A side is a thin group of rows that are inked nearly from end to end. The rows beside it have
 * much less ink; the row next to it may be a soft edge and is not counted.
 */
function sidesOf({ h, w, v }) {
  const shares = new Float64Array(h + 4); // of ink in each row, with two rows above and below
  for (let y = 0; y < h; y++) {
    let count = 0;
    for (let k = y * w; k < (y + 1) * w; k++) count += v[k];
    shares[y + 2] = count / w;
  }
  const inked = Uint8Array.from(shares.subarray(2, h + 2), (share) => (share > MIN_INKED ? 1 : 0));
  return runsOf(new Mask(1, h, inked))
    .map(([, start, end]) => [start, end])
    .filter(
      ([start, end]) =>
        Math.max(shares[start], shares[end + 3]) < MAX_INKED_BESIDE &&
        start > 0 &&
        end < h &&
        end - start < MAX_FRAME_THICKNESS * h,
    );
}

/** Return marks without the rows of `sides`; strokes that continue above and below stay. */
function removeRows({ h, w, v }, sides) {
  const rest = v.slice();
  for (const [start, end] of sides)
    for (let x = 0; x < w; x++) {
      const continues = rest[(start - 1) * w + x] & rest[end * w + x];
      if (!continues) for (let y = start; y < end; y++) rest[y * w + x] = 0;
    }
  return new Mask(h, w, rest);
}
