// Prepare a picture as the 28x28 pixels that a network sees, and record each decision.

import { CLEAR_COST } from "./evidence.js";
import { findInk } from "./ink/paper.js";
import { NO_INK, lookAt, readLook } from "./look.js";
import { inPicture, lightestSheet, sheetOf } from "./marks/sheet.js";

export const MAX_SIDE = 320; // px of a picture's longer side: `digitnet predict` reduces larger ones first
const EMPTY_SHEET = "expected a digit, found an empty sheet or box";
const SAME_DIGIT_IOU = 0.6; // intersection over union of two boxes that hold the same digit
const MIN_SHEET_SIDE = 30; // px of a look's shorter side: in smaller ones it may be a bold digit

/** @typedef {import("./evidence.js").Score} Score */
/** @typedef {import("./look.js").LookResult} LookResult */

/**
 * Return the prepared picture and the decisions, or why there are none.
 *
 * @param {import("./plane.js").Colours} picture at most MAX_SIDE wide and high, which is looked at in
 * full resolution
 * @param {Score} score scores candidates with the network
 * @returns {import("./look.js").Reading | {error: string}}
 */
export function readingOf(picture, score) {
  const look = lookAt(picture);
  if (!look) return { error: NO_INK };
  const best = bestResult(look, score);
  return best ? best.reading : { error: EMPTY_SHEET };
}

/**
 * Return the cheapest candidate in the look and, where none is clear, in other looks.
 *
 * If the look shows a sheet of paper, only the sheet is read. Null for an empty sheet.
 * @returns {LookResult | null}
 */
function bestResult(look, score) {
  let best = readLook(look, score);
  if (Math.min(look.light.h, look.light.w) < MIN_SHEET_SIDE) return best;
  let isEmpty = false;
  const { mask, box } = best.candidate;
  const sheet = sheetOf(mask, inPicture(box, look.part));
  if (sheet) {
    const onSheet = readSheet(look, sheet, score);
    isEmpty = !onSheet && sheet.isCornered;
    if (onSheet && (sheet.isCornered || onSheet.cost < best.cost)) best = onSheet;
  }
  if (!isEmpty && best.cost <= CLEAR_COST) return best;
  let least = isEmpty ? CLEAR_COST : best.cost;
  const seen = best.reading.box;
  for (const result of otherLooks(look, score)) {
    if (!result || (isEmpty && isSameDigit(result.reading.box, seen))) continue;
    if (result.cost < least) [best, isEmpty, least] = [result, false, result.cost];
  }
  return isEmpty ? null : best;
}

/**
 * Yield the best candidates for dark ink, and on the lightest sheet.
 * @returns {Generator<LookResult | null>}
 */
function* otherLooks(look, score) {
  if (!look.ink.dark) {
    const ink = findInk(look.light, true);
    yield ink && readLook({ ...look, ink }, score);
  }
  const sheet = lightestSheet(look.light, look.part);
  yield sheet && readSheet(look, sheet, score);
}

/** Return the best candidate on a sheet of paper, or null for an empty sheet. */
function readSheet(look, sheet, score) {
  const closer = lookAt(look.whole, sheet);
  return closer && readLook(closer, score);
}

/** Return whether two boxes overlap so much that they hold the same digit. */
function isSameDigit(one, other) {
  const [height, width] = [0, 1].map((i) =>
    Math.max(Math.min(one[i + 2], other[i + 2]) - Math.max(one[i], other[i]), 0),
  );
  const [first, second] = [one, other].map((box) => (box[2] - box[0]) * (box[3] - box[1]));
  return height * width >= SAME_DIGIT_IOU * (first + second - height * width);
}
