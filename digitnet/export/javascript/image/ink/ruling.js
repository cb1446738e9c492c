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

/** @typedef {import("../plane.js").Mask} Mask */

/**
 * Return the strength of the printed lines, at LINE_QUANTILE; null without lines.
 *
 * Lines reach two opposite sides of the picture and are hardly wider than strokes. The writing is
 * darker than the lines and keeps away from the border.
 * @param {import("../plane.js").Plane} strength of the ink
 * @param {Mask} marked where there is any ink
 * @returns {number | null}
 */
export function rulingStrength(strength, marked) {
  if (Math.min(marked.h, marked.w) < MIN_PAGE_SIDE || !reachesOppositeSides(marked, 0)) return null;
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

/**
 * Return whether values above a limit reach two opposite sides of the picture.
 * @param {import("../plane.js").Plane | Mask} picture
 * @param {number} limit
 */
export function reachesOppositeSides({ h, w, v }, limit) {
  const isInRows = (top, bottom) => hasAbove(v, limit, top * w, bottom * w);
  if (isInRows(0, LINE_BORDER) && isInRows(h - LINE_BORDER, h)) return true;
  let [left, right] = [false, false];
  for (let k = 0; k < h * w && !(left && right); k += w) {
    left ||= hasAbove(v, limit, k, k + LINE_BORDER);
    right ||= hasAbove(v, limit, k + w - LINE_BORDER, k + w);
  }
  return left && right;
}

function hasAbove(values, limit, start, end) {
  for (let k = start; k < end; k++) if (values[k] > limit) return true;
  return false;
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
