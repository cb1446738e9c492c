// Find sheets of paper, cards, stickers, and the paper in a printed box.

import { connectedComponents } from "../ink/components.js";
import { boundingBox, erode, otsu } from "../ink/ink.js";
import { smooth } from "../ink/uneven.js";
import { Plane } from "../plane.js";
import { roundHalfEven } from "../statistics.js";
import { fillOutline, hasFourCorners, isConvex } from "./outline.js";

const MIN_SHORTER_SIDE = 21; // px of a sheet's shorter side: more than MNIST's digits have
const MAX_SIDES_RATIO = 2; // longer to shorter side: longer marks are a 1
const MAX_CORNERED_RATIO = 1.6; // longer to shorter side: longer sheets may be a broad 1
const MAX_ROUND_RATIO = 1.3; // longer to shorter side: longer marks without corners may be a 0
const MAX_FRAME_RATIO = 1.3; // longer to shorter side: longer frames may be a 0 of straight lines
const MIN_SHEET_FILL = 0.5; // of the bounding box: marks that cover less are no sheet
const MIN_SOLID = 0.8; // of the filled outline: marks that cover less are no sheet
const EDGE_RIM = 0.035; // of the shorter side: removed along the edge of a sheet, for shadows
const FRAME_RIM = 0.12; // of the shorter side: removed for the lines of a printed box
const [MIN_SHEET_SHARE, MAX_SHEET_SHARE] = [0.1, 0.97]; // of the picture: size of a sheet
const MIN_RAGGED_SOLID = 0.8; // of the filled outline: covered by a page without straight edges
const MIN_RAGGED_FILL = 0.7; // of the bounding box: covered by the filled outline of such a page

/** @typedef {import("../plane.js").Mask} Mask */
/** @typedef {import("../plane.js").Part} Part */

/**
 * A sheet of paper in a picture.
 *
 * inside: mask of the sheet without its rim. part: the region of the picture that it covers.
 * isCornered: whether the sheet has three or four corners and is too broad to be a 1.
 * @typedef {{inside: Mask, part: Part, isCornered: boolean}} Sheet
 */

/**
 * Return a part of a part as a part of the whole picture.
 * @param {Part} box
 * @param {Part} part
 * @returns {Part}
 */
export function inPicture(box, part) {
  return {
    top: part.top + box.top,
    bottom: part.top + box.bottom,
    left: part.left + box.left,
    right: part.left + box.right,
  };
}

/**
 * Return brightness with each row extended from its first and last pixel inside.
 * @param {Plane} light
 * @param {Mask} inside
 */
export function fillOutside({ h, w, v }, inside) {
  const filled = v.slice();
  for (let y = 0; y < h; y++) {
    const row = inside.v.subarray(y * w, (y + 1) * w);
    const first = row.indexOf(1);
    if (first === -1) continue;
    const last = row.lastIndexOf(1);
    filled.fill(v[y * w + first], y * w, y * w + first);
    filled.fill(v[y * w + last], y * w + last, (y + 1) * w);
  }
  return new Plane(h, w, filled);
}

/**
 * Return the sheet if marks are a sheet, the paper inside if they are a printed box, or null.
 *
 * A sheet is a card or convex, and has few gaps. A printed box is nearly square; a longer one could
 * be a 0 of straight lines.
 * @param {Mask} mask of the marks in their bounding box
 * @param {Part} part the region of the picture that the mask covers
 * @returns {Sheet | null}
 */
export function sheetOf(mask, part) {
  const [shorter, longer] = [Math.min(mask.h, mask.w), Math.max(mask.h, mask.w)];
  if (shorter < MIN_SHORTER_SIDE || longer > MAX_SIDES_RATIO * shorter) return null;
  const frame = Math.max(roundHalfEven(FRAME_RIM * shorter), 1);
  const isFrame = longer < MAX_FRAME_RATIO * shorter && !hasInkInside(mask, frame);
  const area = mask.count();
  if (area < MIN_SHEET_FILL * mask.v.length && !isFrame) return null;
  const filled = fillOutline(mask);
  if (area <= MIN_SOLID * filled.count() && !isFrame) return null;
  const isCornered = hasFourCorners(filled);
  if (!isCornered && (isFrame || longer > MAX_ROUND_RATIO * shorter || !isConvex(filled)))
    return null;
  const rim = isFrame ? frame : edgeRim(shorter);
  return withoutRim(filled, rim, part, isCornered && longer <= MAX_CORNERED_RATIO * shorter);
}

/** Return whether a mask has marks farther than `margin` from its sides. */
function hasInkInside(mask, margin) {
  for (let y = margin; y < mask.h - margin; y++)
    if (mask.anyInRow(y, margin, mask.w - margin)) return true;
  return false;
}

function edgeRim(shorter) {
  return Math.max(roundHalfEven(EDGE_RIM * shorter), 1);
}

/** Return the sheet left of a filled mask eroded by `rim`; null if nothing is left. */
function withoutRim(filled, rim, part, isCornered) {
  const inside = erode(filled, rim);
  if (!inside.any()) return null;
  const box = boundingBox(inside);
  return { inside: inside.crop(box), part: inPicture(box, part), isCornered };
}

/**
 * Return the sheet that is the largest light component of a picture, ragged or not; else null.
 * @param {Plane} light of a region of the picture
 * @param {Part} part that region
 * @returns {Sheet | null}
 */
export function lightestSheet(light, part) {
  const smoothed = smooth(light);
  const [threshold] = otsu(smoothed.v);
  const components = connectedComponents(smoothed.above(threshold));
  if (!components.length) return null;
  const paper = components.reduce((largest, one) => (one.area > largest.area ? one : largest));
  const size = light.v.length;
  if (!(MIN_SHEET_SHARE * size < paper.area && paper.area < MAX_SHEET_SHARE * size)) return null;
  if (paper.height * paper.width > MAX_SHEET_SHARE * size) return null;
  const mask = paper.mask();
  const region = inPicture(paper, part);
  const sheet = sheetOf(mask, region);
  if (sheet) return sheet;
  const filled = fillOutline(mask);
  const area = filled.count();
  const isRagged = paper.area > MIN_RAGGED_SOLID * area && area > MIN_RAGGED_FILL * filled.v.length;
  return isRagged ? withoutRim(filled, edgeRim(Math.min(filled.h, filled.w)), region, false) : null;
}
