// Remove printed structure: frames, lines of tables, edges of the page.
//
// Digits that touch a frame or a line are separated from it: straight thin runs longer than a digit
// are removed, strokes that cross them stay.

import { connectedComponents, runsOf } from "../ink/components.js";
import { MIN_PAGE_SIDE, strokeWidth } from "../ink/ink.js";
import { Mask } from "../plane.js";

const MIN_COMPONENT_AREA = 6; // px: smaller components are dirt
const MIN_FRAME_SIDE = 20; // px of the shorter side of a frame around other components
const MAX_FRAME_FILL = 0.3; // of its bounding box: a frame covers no more
const MIN_CONTENT_HEIGHT = 0.1; // of a frame's height: height of a component inside it
const MIN_HUGGING_SIDE = 0.3; // of the picture's shorter side: height and width of an empty frame
const MIN_EDGE_LENGTH = 0.5; // of the picture's shorter side: so long at the border is an edge
const MIN_SOLID_FILL = 0.4; // of its bounding box: an edge that covers more is a table or a page
const [MAX_DIGIT_WIDTH, MAX_DIGIT_HEIGHT] = [2.5, 2.2]; // typical heights: larger ones hold more
const MIN_LINE_LENGTH = 1.5; // typical heights: longer straight runs are no strokes
const THICKNESS_FACTOR = 1.7; // greatest to usual thickness of a line: slanted lines have steps

/** @typedef {import("../ink/components.js").Component} Component */

/**
 * Return the components of the ink that may be written, without printed structure.
 * @param {import("../ink/ink.js").Ink} ink
 * @param {Component[]} parts all components of the ink
 * @returns {Component[]}
 */
export function writtenComponents(ink, parts) {
  const { h, w } = ink.marked;
  let components = parts.filter((one) => one.area >= MIN_COMPONENT_AREA);
  if (!ink.isEven) components = components.filter((one) => one.overlaps(ink.sure));
  if (!components.length) return [];
  const structure = structureOf(components, h, w);
  const others = components.filter((one) => !structure.has(one) && 5 * one.height >= one.width);
  const typical = typicalHeight(others.length ? others : components);
  return components.flatMap((one) => removeLines(one, typical, h, w, structure.has(one)));
}

/** Return the median height, px, weighted by height: specks count little. */
function typicalHeight(components) {
  const heights = Int32Array.from(components, (component) => component.height).sort();
  const half = heights.reduce((sum, height) => sum + height, 0) / 2;
  let i = 0;
  for (let counted = heights[0]; counted < half; counted += heights[i]) i++;
  return heights[i];
}

/** Return the frames, the components that hug their bounding box, and the edges of the page. */
function structureOf(components, h, w) {
  const shorter = Math.min(h, w);
  if (shorter < MIN_PAGE_SIDE) return new Set(findFrames(components));
  const hugging = components.filter(
    (one) =>
      Math.min(one.height, one.width) > MIN_HUGGING_SIDE * shorter &&
      one.area < MAX_FRAME_FILL * one.height * one.width &&
      one.hugsBoundingBox(),
  );
  const edges = components.filter(
    (one) => one.longer > MIN_EDGE_LENGTH * shorter && one.isAtBorder(h, w),
  );
  return new Set([...findFrames(components), ...hugging, ...edges]);
}

/**
 * Return the components that surround a component of some height: frames.
 * @param {Component[]} components
 */
export function findFrames(components) {
  return components.filter((one) => {
    if (one.area > MAX_FRAME_FILL * one.height * one.width) return false;
    if (Math.min(one.height, one.width) < MIN_FRAME_SIDE) return false;
    const least = MIN_CONTENT_HEIGHT * one.height;
    return components.some((other) => other.height >= least && one.surrounds(other));
  });
}

/**
 * Return what may be written: the component, its pieces without long lines, or nothing.
 *
 * typical: height of the page's components, px. h, w: of the picture.
 */
function removeLines(component, typical, h, w, isStructure) {
  const isWide = component.width > MAX_DIGIT_WIDTH * typical;
  const isHigh = component.height > MAX_DIGIT_HEIGHT * typical;
  if (!(isWide || isHigh || isStructure)) return [component];
  const isSolid = component.area > MIN_SOLID_FILL * component.height * component.width;
  if (isStructure && isSolid && (isHigh || isWide) && component.isAtBorder(h, w)) return [];
  const mask = component.mask();
  let least = MIN_LINE_LENGTH * typical;
  if (!(isStructure || isHigh))
    // An underline must be longer than the feet of two digits.
    least = Math.max(1.2 * component.height, 0.6 * component.width);
  least = Math.max(Math.trunc(least), 10);
  const usual = Math.min(strokeWidth(mask), 0.3 * typical);
  const thickest = Math.max(Math.trunc(THICKNESS_FACTOR * usual) + 1, 3);
  let left = mask;
  if (isWide || isStructure) left = left.without(longRuns(mask, least, thickest));
  if (isHigh || isStructure)
    left = left.without(longRuns(mask.transposed(), least, thickest).transposed());
  if (left.count() === component.area) return [component];
  const isFrame = isStructure && Math.min(component.height, component.width) > 2 * typical;
  return connectedComponents(left)
    .filter((piece) => piece.area >= MIN_COMPONENT_AREA)
    .filter((piece) => !(isFrame && isCorner(piece, component, typical)))
    .map((piece) => piece.moved(component.top, component.left, w));
}

/**
 * Return whether a piece left of a frame is one of the frame's corners.
 *
 * The position of `piece` is relative to the bounding box of `frame`.
 */
function isCorner(piece, frame, typical) {
  const margin = Math.max(0.04 * frame.longer, typical / 4);
  const near = [
    piece.top < margin,
    piece.left < margin,
    piece.bottom > frame.height - margin,
    piece.right > frame.width - margin,
  ].filter(Boolean).length;
  const isSmall = piece.height < 0.5 * typical || piece.width < 0.3 * typical;
  return near > 0 && (isSmall || near > 1);
}

/**
 * Return the pixels of level runs at least `least` px long and at most `thickest` thick.
 *
 * A run may step by one row, as slanted lines do. Where a run is thicker, a stroke crosses it, and
 * the pixels of the stroke are not returned.
 */
function longRuns(mask, least, thickest) {
  const { h, w, v } = mask;
  const found = new Mask(h, w);
  if (w < least) return found;
  const lines = pixelsOfLines(mask, least);
  const runs = runsOf(mask.transposed()).filter(([column, start, end]) => {
    if (end - start > thickest) return false;
    for (let y = start; y < end; y++) if (lines.v[y * w + column]) return true;
    return false;
  });
  if (!runs.length) return found;
  // Where a line runs along a stroke, both together are thicker than the line elsewhere.
  const lengths = runs.map(([, start, end]) => end - start).sort((one, two) => one - two);
  const middle = lengths.length >> 1;
  const usual = (lengths[middle] + lengths[(lengths.length - 1) >> 1]) / 2;
  for (const [column, start, end] of runs)
    if (end - start <= THICKNESS_FACTOR * usual + 1)
      for (let y = start; y < end; y++) found.v[y * w + column] = v[y * w + column];
  return found;
}

/** Return the marked pixels in long level runs of pixels that are marked or beside marked ones. */
function pixelsOfLines({ h, w, v }, least) {
  const lines = new Mask(h, w);
  const isStepped = (k) => v[k] || (k >= w && v[k - w]) || (k + w < h * w && v[k + w]);
  for (let y = 0; y < h; y++) {
    const end = (y + 1) * w;
    for (let k = y * w; k < end; k++) {
      const start = k;
      while (k < end && isStepped(k)) k++;
      if (k - start >= least) lines.v.set(v.subarray(start, k), start);
    }
  }
  return lines;
}
