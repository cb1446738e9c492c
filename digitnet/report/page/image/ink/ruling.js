// Find ruled paper: printed lines or squares at any angle, fainter than the writing.

import { quantileOf } from "../statistics.js";
import { connectedComponents } from "./components.js";
import {
  DOT_LENGTH,
  MIN_PAGE_SIDE,
  dilate,
  longerSpan,
  otsu,
  strokeWidth,
  touchesBorder,
} from "./ink.js";

const LINE_BORDER = 4; // px: a line that comes this close to a side of the picture reaches it
const MAX_LINE_SPLITS = 3; // Otsu splits: edges of lines, lines, crossings are split from writing
const MAX_LINE_WIDTH = 1.5; // stroke widths: wider marks are not lines
const LINE_QUANTILE = 0.98; // quantile of the lines' strength: up to this, pixels count as paper

/**
 * Return the strength of the printed lines, at LINE_QUANTILE; null without lines.
 *
 * Lines reach two opposite sides of the picture and are hardly wider than strokes. The writing is
 * darker than the lines and keeps away from the border.
 * @param {import("../plane.js").Plane} strength of the ink
 * @param {import("../plane.js").Mask} marked where there is any ink
 * @returns {number | null}
 */
export function rulingStrength(strength, marked) {
  if (Math.min(marked.h, marked.w) < MIN_PAGE_SIDE || !reachesOppositeSides(marked)) return null;
  const written = writtenOnLines(strength, marked);
  if (!written) return null;
  const width = strokeWidth(written);
  const lines = marked.without(dilate(written, Math.ceil(width)));
  if (!crossesPicture(lines) || strokeWidth(lines) > MAX_LINE_WIDTH * width) return null;
  if (longerSpan(written) <= DOT_LENGTH * width) return null;
  return quantileOf(strength.where(lines), LINE_QUANTILE);
}

/** Return the darkest ink, if it keeps away from the border; else null. */
function writtenOnLines(strength, marked) {
  let written = marked;
  for (let split = 0; split < MAX_LINE_SPLITS; split++) {
    const [threshold] = otsu(strength.where(written));
    written = strength.above(threshold);
    if (!touchesBorder(written) && written.any()) return written;
  }
  return null;
}

/** Return whether the mask reaches two opposite sides of the picture. */
function reachesOppositeSides({ h, w, v }) {
  const [top, bottom] = [v.subarray(0, LINE_BORDER * w), v.subarray((h - LINE_BORDER) * w)];
  if (top.includes(1) && bottom.includes(1)) return true;
  let [left, right] = [0, 0];
  for (let k = 0; k < h * w; k += w)
    for (let x = 0; x < LINE_BORDER; x++) {
      left |= v[k + x];
      right |= v[k + w - 1 - x];
    }
  return Boolean(left && right);
}

/** Return whether one connected component of the mask reaches two opposite sides. */
function crossesPicture(mask) {
  const [height, width] = [mask.h - LINE_BORDER, mask.w - LINE_BORDER];
  return connectedComponents(mask).some(
    (one) =>
      (one.left < LINE_BORDER && one.right > width) ||
      (one.top < LINE_BORDER && one.bottom > height),
  );
}
