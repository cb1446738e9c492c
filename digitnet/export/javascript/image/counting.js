// Count the digits that a picture seems to hold.

import { MIN_BAR_RATIO, connectedComponents, joined } from "./ink/components.js";
import { MIN_PAGE_SIDE, strokeWidth } from "./ink/ink.js";
import { Neighbours } from "./marks/groups.js";
import { isBar, largestComponents } from "./digit.js";
import { roundHalfEven } from "./statistics.js";

const DIGIT_HEIGHT_RATIO = 1.5; // ratio of heights: up to this, other ink may be another digit
const RIVAL_HEIGHT_RATIO = 2; // the same for rivals, which the network takes for digits
const MAX_DIGIT_ASPECT = 1.5; // width / height: wider ink is a line
const MAX_STROKE_RATIO = 2.5; // of the digit's stroke width: thicker ink is an object
const PIECE_GAP = 0.08; // of a digit's longer side: closer components are pieces of one digit

/** @typedef {import("./digit.js").Candidate} Candidate */

/**
 * Return the number of digits that the picture seems to hold, the chosen one included.
 *
 * The larger of two counts, both with the chosen candidate: other components, or groups of
 * components, of about its height; and rivals that lie apart from it and from each other.
 * @param {import("./ink/ink.js").Ink} ink
 * @param {Candidate} chosen
 * @param {Candidate[]} rivals candidates that the network takes for digits
 * @returns {number}
 */
export function countDigits(ink, chosen, rivals) {
  if (chosen.alone) return 1;
  const { h, w } = ink.marked;
  const others = largestComponents(connectedComponents(ink.marked))
    .filter((part) => !overlapsCandidate(part, chosen))
    .filter((part) => !part.surrounds(chosen.box))
    // In a smaller picture, digits may reach the border.
    .filter((part) => Math.min(h, w) < MIN_PAGE_SIDE || !part.isAtBorder(h, w));
  if (!others.length) return 1;
  const neighbours = new Neighbours(others, h, w);
  const gap = (PIECE_GAP / 2) * chosen.box.longer;
  const groups = neighbours.within(Math.max(roundHalfEven(gap / neighbours.step), 1));
  const width = strokeWidth(chosen.mask);
  const similar = Math.max(
    groups.filter((group) => mayBeDigit(joined(group), chosen, width)).length,
    others.filter((part) => mayBeDigit(part, chosen, width) && !isBar(part)).length,
  );
  return Math.max(1 + similar, countSeparate(chosen.box, rivals));
}

function overlapsCandidate(part, { box, mask }) {
  return part.runs.some(([row, start, end]) => {
    if (row < box.top || row >= box.bottom) return false;
    const [first, last] = [Math.max(start, box.left), Math.min(end, box.right)];
    return mask.anyInRow(row - box.top, first - box.left, last - box.left);
  });
}

/** Return the number of boxes that lie apart: a digit's box, and rivals of about its height. */
function countSeparate(box, rivals) {
  const separate = [box];
  const byHeight = rivals.map((rival) => rival.box).sort((one, two) => two.height - one.height);
  for (const rival of byHeight) {
    const scaled = RIVAL_HEIGHT_RATIO * rival.height;
    const isHigh = box.height <= scaled && scaled <= RIVAL_HEIGHT_RATIO ** 2 * box.height;
    const isDigit = isHigh && MIN_BAR_RATIO * rival.width > rival.height;
    if (isDigit && separate.every((other) => rival.gap(other) >= 0)) separate.push(rival);
  }
  return separate.length;
}

/**
 * Return whether a component is about as high as the digit and as thick as the same pen writes.
 *
 * width: the digit's stroke width, px.
 */
function mayBeDigit(part, chosen, width) {
  const { height } = chosen.box;
  const scaled = DIGIT_HEIGHT_RATIO * part.height;
  const hasHeight = height <= scaled && scaled <= DIGIT_HEIGHT_RATIO ** 2 * height;
  const hasArea = 2 * DIGIT_HEIGHT_RATIO * part.area >= chosen.mask.count();
  if (!(hasHeight && hasArea && part.width <= MAX_DIGIT_ASPECT * part.height)) return false;
  return strokeWidth(part.mask()) <= MAX_STROKE_RATIO * width;
}
