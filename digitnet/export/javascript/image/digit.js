// Find the candidates for the digit in a picture: components, and groups of close components.
//
// Each candidate has a prior, in nats: its cost before the network has scored it.

import {
  FILLING,
  MIN_BAR_RATIO,
  Rectangle,
  connectedComponents,
  joined,
  maskOf,
} from "./ink/components.js";
import { MIN_PAGE_SIDE } from "./ink/ink.js";
import { removeBox } from "./marks/box.js";
import { Neighbours } from "./marks/groups.js";
import { findFrames, writtenComponents } from "./marks/structure.js";

const MAX_GROUPED_COMPONENTS = 120; // components: the largest are grouped, the others ignored
const MAX_DIGIT_CANDIDATES = 48; // candidates: the cheapest ones are kept
const MIN_CANDIDATE_SIZE = 0.03; // of the picture's longer side: smaller candidates are specks
const LEFT_OUT_WEIGHT = 1; // times -log(share of the ink that is in the candidate)
const BAR_LEFT_OUT_WEIGHT = 2; // the same for a bar: beside other ink it is rather a line than a 1
const REMOVED_WEIGHT = 0.3; // times -log(share of the ink that stays without lines and frames)
const BOX_WEIGHT = 5; // times -log(share of the ink in the bounding box that is in the candidate)
const GAP_WEIGHT = 6; // times the largest gap between components / the candidate's longer side
const LINE_COST = 6; // nats: for ink that crosses the picture or runs along its border
const MIN_BORDER_LINE = 0.8; // of the picture's height or width: a line along it is longer
const MIN_LINE_OFFSET = 0.35; // of half the picture: a line's centre is farther from the middle
const [RIM_WIDTH, MIN_RIM_SHARE] = [0.25, 0.9]; // of the shorter side; of a line's ink in this rim

/** @typedef {import("./ink/components.js").Component} Component */
/** @typedef {import("./ink/ink.js").Ink} Ink */

/**
 * Ink that may be the digit.
 *
 * mask: within the box. alone: whether the picture has no other ink and its paper has one shade.
 * contextCost: nats, for the ink outside the candidate and for its position. gapCost: nats, for the
 * gaps between its components. prior: their sum.
 * @typedef {{box: Rectangle, mask: import("./plane.js").Mask, alone: boolean, contextCost: number,
 *   gapCost: number, prior: number}} Candidate
 */

/**
 * Return the candidates for the digit, the lowest prior first.
 *
 * A lone component in a small picture is the only candidate. Some candidates are found after
 * frames, lines or boxes have been removed.
 * @param {Ink} ink
 * @returns {Candidate[]}
 */
export function candidatesOf(ink) {
  const { h, w } = ink.marked;
  const all = connectedComponents(ink.marked);
  const sure = ink.isEven ? all : all.filter((part) => part.overlaps(ink.sure));
  const parts = sure.length ? sure : all;
  const isAlone = parts.length === 1;
  if (isAlone && Math.min(h, w) < MIN_PAGE_SIDE) return [loneCandidate(parts[0], ink)];
  const every = largestComponents(parts);
  const found = new Map();
  for (const { components, removalCost } of variantsOf(every, all, ink)) {
    const total = areaOf(components);
    const inner = areaOf(components.filter((part) => !isCutOff(part, h, w)));
    for (const [group, gap] of new Neighbours(components, h, w).groups()) {
      const key = keyOf(group);
      if (boxOf(group).longer < MIN_CANDIDATE_SIZE * Math.max(h, w) || !hasInk(group, ink))
        continue;
      const compared = group.some((part) => isCutOff(part, h, w)) ? total : inner;
      const candidate = candidateOf(group, gap, compared, ink, isAlone, removalCost);
      if (!found.has(key) || candidate.prior < found.get(key).prior) found.set(key, candidate);
    }
  }
  const candidates = [...found.values()].sort((one, two) => one.prior - two.prior);
  if (candidates.length) return candidates.slice(0, MAX_DIGIT_CANDIDATES);
  return [candidateOf(every, 0, areaOf(every), ink, isAlone, 0)];
}

/** Return lists of components, and the cost in nats of what was removed from each. */
function variantsOf(every, all, ink) {
  const { h, w } = ink.marked;
  const variants = [{ components: every, removalCost: 0 }];
  if (Math.min(h, w) < MIN_PAGE_SIDE) return variants;
  const written = largestComponents(writtenComponents(ink, all));
  if (!haveEqualKeys(written, every)) {
    const share = areaOf(every) / Math.max(areaOf(written), 1);
    const removalCost = REMOVED_WEIGHT * Math.log(Math.max(share, 1));
    variants.push({ components: written, removalCost });
  }
  const frames = new Set(findFrames(every));
  if (frames.size)
    variants.push({ components: every.filter((part) => !frames.has(part)), removalCost: 0 });
  for (const part of every) {
    const components = insideBox(part, w);
    if (components.length) variants.push({ components, removalCost: 0 });
  }
  return variants;
}

function haveEqualKeys(some, others) {
  const [one, two] = [some, others].map((parts) => new Set(parts.map((part) => keyOf([part]))));
  return one.size === two.size && [...one].every((key) => two.has(key));
}

/**
 * Return the strokes inside a component's box of straight lines, which they touch.
 *
 * Empty where the component has no such box.
 */
function insideBox(part, width) {
  const inside = removeBox(part.mask());
  if (!inside) return [];
  return largestComponents(connectedComponents(inside)).map((stroke) =>
    stroke.moved(part.top, part.left, width),
  );
}

/** Return the candidate that is the only component of the ink. */
function loneCandidate(part, ink) {
  const box = boxOf([part]);
  const mask = ink.marked.crop(box);
  const cost = isAlongBorder(box, mask, ink.marked.h, ink.marked.w) ? LINE_COST : 0;
  return { box, mask, alone: ink.isEven, contextCost: cost, gapCost: 0, prior: cost };
}

/**
 * Return the largest components, the largest first.
 * @param {Component[]} parts
 */
export function largestComponents(parts) {
  return parts
    .slice()
    .sort((one, two) => two.area - one.area)
    .slice(0, MAX_GROUPED_COMPONENTS);
}

/** Return the bounding box and the area of a group as text: equal groups have equal keys. */
function keyOf(group) {
  const { top, bottom, left, right } = boxOf(group);
  return `${top} ${bottom} ${left} ${right} ${areaOf(group)}`;
}

function boxOf(group) {
  const box = new Rectangle(Infinity, 0, Infinity, 0);
  for (const part of group) {
    box.top = Math.min(box.top, part.top);
    box.bottom = Math.max(box.bottom, part.bottom);
    box.left = Math.min(box.left, part.left);
    box.right = Math.max(box.right, part.right);
  }
  return box;
}

function areaOf(parts) {
  return parts.reduce((sum, part) => sum + part.area, 0);
}

/**
 * Return whether a component reaches two or more sides of the picture, as the page's edge does.
 *
 * Ink that fills the picture does not count: it may be a digit in a tight crop.
 */
function isCutOff(part, h, w) {
  const sides = [part.top === 0, part.left === 0, part.bottom === h, part.right === w];
  const isOnTwo = sides.filter(Boolean).length > 1;
  return Math.min(h, w) >= MIN_PAGE_SIDE && isOnTwo && !part.fills(h, w);
}

function hasInk(group, { strength: { v, w } }) {
  return group.some((part) =>
    part.runs.some(([row, start, end]) => {
      for (let k = row * w + start; k < row * w + end; k++) if (v[k]) return true;
      return false;
    }),
  );
}

/**
 * Return a group of components as a candidate, with its costs.
 *
 * gap: the largest gap between the components, px. total: the area of the ink to compare with, px.
 * isAlone: whether the picture has a single component. removalCost: nats, added to the context's.
 */
function candidateOf(group, gap, total, ink, isAlone, removalCost) {
  const { h, w } = ink.marked;
  const box = boxOf(group);
  const mask = maskOf(group, box);
  const area = mask.count();
  const weight = isBar(joined(group)) ? BAR_LEFT_OUT_WEIGHT : LEFT_OUT_WEIGHT;
  const inked = ink.marked.crop(box).count();
  let contextCost = weight * Math.log(1 / (area / total));
  contextCost += BOX_WEIGHT * Math.log(inked / area);
  const spansOne = (box.height === h) !== (box.width === w);
  const crosses =
    !isAlone && ((group.length > 1 && spansOne) || group.some((part) => spansHeight(part, h, w)));
  if (crosses || isAlongBorder(box, mask, h, w)) contextCost += LINE_COST;
  contextCost += removalCost;
  const alone = isAlone && ink.isEven && area === ink.marked.count();
  const gapCost = (GAP_WEIGHT * gap) / box.longer;
  return { box, mask, alone, contextCost, gapCost, prior: contextCost + gapCost };
}

/** Return whether ink runs from top to bottom, as a line or an edge does, but is not wide. */
function spansHeight(box, h, w) {
  return box.height === h && box.width < FILLING * w;
}

/**
 * Return whether a component is a straight bar.
 * @param {Component} part
 */
export function isBar(part) {
  const [length, thickness] = part.asBar();
  return length > MIN_BAR_RATIO * thickness;
}

/** Return whether ink runs along one or two sides of the picture, as edges and corners do. */
function isAlongBorder(box, mask, h, w) {
  if (box.height < MIN_BORDER_LINE * h && box.width < MIN_BORDER_LINE * w) return false;
  const rim = RIM_WIDTH * Math.min(h, w);
  let [n, sumY, sumX, near] = [0, 0, 0, 0];
  for (let row = 0, k = 0; row < mask.h; row++)
    for (let column = 0; column < mask.w; column++, k++) {
      if (!mask.v[k]) continue;
      const y = row + box.top + 0.5;
      const x = column + box.left + 0.5;
      n++;
      sumY += y;
      sumX += x;
      if (Math.min(y, h - y, x, w - x) < rim) near++;
    }
  const [meanY, meanX] = [sumY / n, sumX / n];
  const offset = Math.max(Math.abs((2 * meanY) / h - 1), Math.abs((2 * meanX) / w - 1));
  return offset > MIN_LINE_OFFSET && near > MIN_RIM_SHARE * n;
}
