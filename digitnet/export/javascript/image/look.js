// Look at a part of a picture: find its ink, and read the digit in it.

import { brightnessOf } from "./brightness.js";
import { countDigits } from "./counting.js";
import { candidatesOf } from "./digit.js";
import { CLEAR_COST, networkCosts } from "./evidence.js";
import { BOX, toField } from "./field.js";
import { MIN_PAGE_SIDE } from "./ink/ink.js";
import { findInk } from "./ink/paper.js";
import { fillOutside, inPicture } from "./marks/sheet.js";

export const PHOTO_ADVICE =
  "crop closer to the digit, or photograph it with more light and contrast";
export const NO_INK = `expected a digit, found no ink; ${PHOTO_ADVICE}`;
const UNSCORED_WEIGHT = 4; // times the context cost of a candidate that no network scores

/** @typedef {import("./plane.js").Colours} Colours */
/** @typedef {import("./plane.js").Plane} Plane */

/**
 * A prepared picture, and what each step of the preparation decided.
 *
 * image: 28x28. dark: whether the ink is darker than the paper. threshold: a pixel above it is ink;
 * a share of the contrast, or under uneven light, of the light that ink absorbs. box: top, left,
 * bottom and right of the digit, px. stroke: mean stroke width, in pixels of the 20x20 box. corner:
 * row and column of that box on the field. digits: how many digits the picture seems to hold.
 * prior: cost in nats of the ink outside the digit and of its position.
 * @typedef {{image: Uint8Array, dark: boolean, threshold: number, box: number[], stroke: number,
 *   corner: [number, number], digits: number, prior: number}} Reading
 */

/**
 * The ink in a part of a picture. whole: the picture. light: brightness of the part.
 * @typedef {{whole: Colours, part: import("./plane.js").Part, light: Plane,
 *   ink: import("./ink/ink.js").Ink, sheet: import("./marks/sheet.js").Sheet | null}} Look
 */

/**
 * The cheapest candidate in a look. cost: nats.
 * @typedef {{look: Look, reading: Reading, candidate: import("./digit.js").Candidate,
 *   cost: number}} LookResult
 */

/**
 * Return a look at a picture, or null where there is no ink.
 * @param {Colours} whole
 * @param {import("./marks/sheet.js").Sheet | null} [sheet] everything outside is ignored
 * @returns {Look | null}
 */
export function lookAt(whole, sheet = null) {
  const part = sheet ? sheet.part : { top: 0, bottom: whole.h, left: 0, right: whole.w };
  let light = brightnessOf(sheet ? whole.crop(part) : whole);
  if (sheet) light = fillOutside(light, sheet.inside);
  const ink = findInk(light);
  return ink && { whole, part, light, ink, sheet };
}

/**
 * Return the candidate in a look that costs least.
 * @param {Look} look
 * @param {import("./evidence.js").Score} score
 * @returns {LookResult}
 */
export function readLook(look, score) {
  const { ink, light } = look;
  const candidates = candidatesOf(ink);
  const isOnly = candidates.length === 1 && Math.max(light.h, light.w) < MIN_PAGE_SIDE;
  const fields = candidates.map((candidate) => fieldOf(ink, candidate));
  let rivals = [];
  let costs = candidates.map((c) => UNSCORED_WEIGHT * c.contextCost + c.gapCost);
  if (!isOnly) {
    const scored = networkCosts(score(fields.map((field) => field.image)));
    rivals = candidates.filter((_, i) => scored[i] < CLEAR_COST);
    costs = candidates.map((candidate, i) => scored[i] + candidate.prior);
  }
  const best = costs.indexOf(Math.min(...costs));
  const [candidate, field] = [candidates[best], fields[best]];
  const { top, left, bottom, right } = inPicture(candidate.box, look.part);
  const reading = {
    image: field.image,
    dark: ink.dark,
    threshold: ink.threshold,
    box: [top, left, bottom, right],
    stroke: (field.width * BOX) / candidate.box.longer,
    corner: field.corner,
    digits: countDigits(ink, candidate, rivals),
    prior: candidate.contextCost,
  };
  return { look, reading, candidate, cost: costs[best] };
}

function fieldOf(ink, { box, mask, alone }) {
  return toField(ink.strength.crop(box), mask, alone, box.width < ink.strength.w);
}
