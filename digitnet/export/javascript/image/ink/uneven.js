// Find ink on unevenly lit paper.
//
// Strokes are thinner than the paper around them is wide. So the paper under dark strokes is found
// by a grey-scale closing (Serra 1982): a max filter, then a min filter. The closing follows the
// light and the edge of a shadow, but bridges every stroke. Light strokes are found in the same way
// on the negative. Ink is what differs from the paper by more than the noise of the paper.

import { Plane } from "../plane.js";
import {
  deviationOf,
  extremesOf,
  meanOf,
  meanOfThree,
  quantileOf,
  splitAt,
} from "../statistics.js";
import { greyClosing, negative, paddedGreyClosing } from "./closing.js";
import { MIN_INK_STRENGTH, otsu, strokeWidth } from "./ink.js";
import { rulingStrength } from "./ruling.js";
import { findShadow } from "./shadow.js";

const CLOSING_SHARE = 0.35; // of the shorter side: size of the closing for unknown stroke width
const CLOSING_WIDTHS = 3; // stroke widths: size of the closing once they are known
const MIN_CLOSING_SIZE = 9; // px
const MAX_UNSMOOTHED_SIDE = 60; // px of the shorter side: larger pictures are smoothed first
const MIN_DARKENING = 0.06; // fraction of the light that ink takes away on uneven paper
const MIN_RARE_DARKENING = 0.2; // the same for ink on fewer pixels than grain or fine lines have
const MAX_GRAIN_SPLITS = 3; // Otsu splits: grain from fine lines, fine lines from writing
const MIN_DEVIATIONS = 4; // standard deviations of the paper, between ink and paper
const FULL_INK_QUANTILE = 0.7; // of the strength of sure ink: counts as full ink
const LOW_THRESHOLD = 0.6; // of the high threshold: pixels above are ink if joined to sure ink
const SMOOTHED = new WeakMap(); // pictures, smoothed: several looks share one
const DARKEST_PAPER = 0.15; // brightness: darker paper counts as this, or noise becomes ink

/**
 * Return the ink in a picture of brightness 0 to 1; null without ink.
 * @param {Plane} light
 * @param {{shadowed: boolean, dark?: boolean}} known shadowed: whether the picture is known to have
 * a shadow. dark: whether ink is darker than the paper; if unknown, the likelier is tried first
 * @returns {import("./ink.js").Ink | null}
 */
export function findInkOnUnevenPaper(light, { shadowed, dark }) {
  const smoothed = smooth(light);
  const size = Math.max(
    Math.trunc(Math.min(light.h, light.w) * CLOSING_SHARE) | 1,
    MIN_CLOSING_SIZE,
  );
  if (dark !== undefined) return findInTwoPasses(smoothed, size, dark, shadowed);
  const isDark = isInkDark(smoothed, size);
  return (
    findInTwoPasses(smoothed, size, isDark, shadowed) ??
    findInTwoPasses(smoothed, size, !isDark, shadowed)
  );
}

/**
 * Return whether ink is darker than the paper.
 *
 * A closing bridges dark strokes and so removes their edges; it keeps the edges of light strokes.
 */
function isInkDark(light, size) {
  return edgesOf(greyClosing(light, size)) <= edgesOf(greyClosing(negative(light), size));
}

/**
 * Return ink found with a closing of `size` pixels, then with the size that its strokes need.
 *
 * A smaller closing follows the light more closely. Strokes must be thinner than `size` pixels.
 */
function findInTwoPasses(light, size, dark, shadowed) {
  const ink = findWithClosing(light, size, dark, shadowed);
  if (!ink) return null;
  const suitable = Math.trunc(CLOSING_WIDTHS * strokeWidth(ink.marked)) | 1;
  if (Math.max(suitable, MIN_CLOSING_SIZE) >= size) return ink;
  return findWithClosing(light, Math.max(suitable, MIN_CLOSING_SIZE), dark, ink.shadowed);
}

/** Return ink whose strokes are thinner than `size` pixels; null without ink. */
function findWithClosing(light, size, dark, shadowed) {
  const strength = darkening(dark ? light : inverse(light), size);
  if (extremesOf(strength.v)[1] < Math.fround(MIN_DARKENING)) return null;
  const split = splitInk(strength);
  if (!split) return null;
  let [threshold, paper, noise] = split;
  threshold = Math.max(threshold, paper + MIN_DEVIATIONS * noise);
  let sure = strength.above(threshold);
  if (!sure.any()) return null;
  const shadow = findShadow(strength, sure, dark, shadowed);
  if (shadow) {
    sure = sure.without(shadow);
    const shades = strength.where(shadow);
    [threshold, paper, noise] = [extremesOf(shades)[1], meanOf(shades), deviationOf(shades)];
  }
  const lowThreshold = Math.max(LOW_THRESHOLD * threshold, paper + (MIN_DEVIATIONS / 2) * noise);
  let marked = strength.above(lowThreshold);
  const lines = rulingStrength(strength, marked);
  if (lines !== null) {
    const written = quantileOf(strength.where(strength.above(lines)), FULL_INK_QUANTILE);
    [threshold, paper] = [lines + MIN_INK_STRENGTH * (written - lines), lines];
    marked = strength.above(threshold);
    sure = sure.and(marked);
    if (!sure.any()) return null;
  }
  const full = quantileOf(strength.where(sure), FULL_INK_QUANTILE);
  scaleBetween(strength, paper, full);
  const isShadowed = shadowed || shadow !== null;
  return { strength, sure, marked, dark, threshold, isEven: false, shadowed: isShadowed };
}

function inverse({ h, w, v }) {
  const opposite = new Plane(h, w);
  for (let k = 0; k < v.length; k++) opposite.v[k] = 1 - v[k];
  return opposite;
}

/** Return the fraction of the light that is missing, compared with the closing. */
function darkening({ h, w, v }, size) {
  const { fround } = Math;
  const background = paddedGreyClosing(new Plane(h, w, v), size).v;
  const strength = new Float32Array(h * w);
  const darkest = fround(DARKEST_PAPER);
  for (let k = 0; k < strength.length; k++) {
    const paper = background[k];
    const missing = fround(fround(paper - v[k]) / Math.max(paper, darkest));
    strength[k] = Math.max(missing, 0);
  }
  return new Plane(h, w, strength);
}

/** Bring strength to 0 at `paper` and 1 at `full`. */
function scaleBetween({ v }, paper, full) {
  const { fround } = Math;
  const [low, range] = [fround(paper), fround(Math.max(full - paper, 1e-6))];
  for (let k = 0; k < v.length; k++) {
    const value = fround(fround(v[k] - low) / range);
    v[k] = value < 0 ? 0 : Math.min(value, 1);
  }
}

/**
 * Return the threshold of ink, and the mean and standard deviation below it; null without ink.
 *
 * If the pixels above Otsu's threshold are hardly darker than the paper, they are grain or fine
 * lines. The writing, on few pixels of a large page, is then the darker part of them: they are
 * split again.
 */
function splitInk(strength) {
  let [darker, least, spread] = [strength.v, MIN_DARKENING, 0];
  for (let split = 0; split < MAX_GRAIN_SPLITS; split++) {
    const extremes = extremesOf(darker);
    if (!darker.length || extremes[0] === extremes[1]) return null;
    const [threshold, , ink] = otsu(darker, extremes);
    const limit = Math.fround(threshold);
    const [below] = splitAt(strength.v, limit);
    const [paper, noise] = [meanOf(below), deviationOf(below)];
    if (ink - paper >= Math.max(least, MIN_DEVIATIONS * Math.max(noise, spread)))
      return [threshold, paper, noise];
    [darker, least] = [splitAt(darker, limit)[1], MIN_RARE_DARKENING];
    spread = deviationOf(strength.v);
  }
  return null;
}

/** Return the strength of a picture's edges: mean square of the steps between neighbours. */
function edgesOf({ h, w, v }) {
  const { fround } = Math;
  let [down, across] = [0, 0];
  for (let y = 0, k = 0; y < h; y++)
    for (let x = 0; x < w; x++, k++) {
      if (y + 1 < h) down += fround(v[k + w] - v[k]) ** 2;
      if (x + 1 < w) across += fround(v[k + 1] - v[k]) ** 2;
    }
  return (down + across) / (h * w);
}

/**
 * Return a large picture smoothed by a 3x3 mean filter against noise; others unchanged.
 *
 * Large: more than MAX_UNSMOOTHED_SIDE pixels on the shorter side.
 * @param {Plane} light
 */
export function smooth(light) {
  if (Math.min(light.h, light.w) <= MAX_UNSMOOTHED_SIDE) return light;
  if (!SMOOTHED.has(light)) SMOOTHED.set(light, meanFilter(light));
  return SMOOTHED.get(light);
}

function meanFilter({ h, w, v }) {
  const across = new Float32Array(h * w);
  for (let y = 0, k = 0; y < h; y++)
    for (let x = 0; x < w; x++, k++)
      across[k] = meanOfThree(v[x > 0 ? k - 1 : k], v[k], v[x < w - 1 ? k + 1 : k]);
  const smoothed = new Float32Array(h * w);
  const end = h * w;
  for (let k = 0; k < end; k++)
    smoothed[k] = meanOfThree(
      across[k < w ? k : k - w],
      across[k],
      across[k + w < end ? k + w : k],
    );
  return new Plane(h, w, smoothed);
}
