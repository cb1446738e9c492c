// Separate ink from paper, whatever the light.
//
// Where the border has one shade, or the picture has only two, paper and ink have one shade each.
// Other pictures are left to `uneven`.

import { Mask, Plane } from "../plane.js";
import { extremesOf, medianOf, quantileOf, splitAt } from "../statistics.js";
import { holdsSquare, maxFilter, negative } from "./closing.js";
import { MIN_INK_STRENGTH, MIN_PAGE_SIDE } from "./ink.js";
import { reachesOppositeSides, rulingStrength } from "./ruling.js";
import { findShadow } from "./shadow.js";
import { findInkOnUnevenPaper } from "./uneven.js";

const EVEN_SPREAD = 0.15; // of the contrast: if the border varies by at most this, paper is even
const SAMPLED_SIDES = [80, 30]; // px of the sampled picture's longer side: 30 against soft edges
const SHADE_DISTANCE = 0.2; // of the contrast: flat pixels farther from both are a third shade
const INK_QUANTILE = 0.85; // quantile of the ink's side of the middle: the ink's shade
const MAX_BETWEEN = 0.03; // of the pixels: more between both shades are not faint strokes
const MAX_BEYOND_INK = 0.01; // of the pixels: if more are darker than ink, ink is a shadow
const MAX_BEYOND_PAPER = 0.002; // of the pixels: if more are lighter than paper, it is a shadow
const MAX_INK_SQUARE = 0.3; // of the longer side: ink that holds so large a square is a sheet
const MIN_UNEVEN_SIDE = 20; // px of the shorter side: smaller pictures are taken as evenly lit
const MIN_CONTRAST = 0.1; // of black to white: less between paper and ink is no ink
const GRAIN = 0.06; // of the contrast: strength of grain, set to 0; kept from twice that

/**
 * Return the ink in a picture of brightness 0 to 1; null without ink.
 * @param {Plane} light
 * @param {boolean} [dark] whether ink is darker than the paper, if known; the paper is then taken
 * to be uneven
 * @returns {import("./ink.js").Ink | null}
 */
export function findInk(light, dark) {
  if (dark !== undefined) return findInkOnUnevenPaper(light, { shadowed: false, dark });
  const border = borderOf(light).sort();
  const n = border.length;
  const tenth = Math.floor(n / 10);
  const [low, paper, high] = [border[tenth], border[n >> 1], border[n - 1 - tenth]];
  const [least, most] = extremesOf(light.v);
  const distanceTo = (extreme) => Math.abs(Math.fround(paper - extreme));
  const ink = distanceTo(most) > distanceTo(least) ? most : least;
  const contrast = Math.abs(paper - ink);
  if (contrast < MIN_CONTRAST) return null;
  const found = findInkOnEvenPaper(light, paper, ink);
  if (high - low <= EVEN_SPREAD * contrast) {
    if (Math.min(light.h, light.w) < MIN_PAGE_SIDE) return found;
    const isShadowed = findShadow(found.strength, found.marked, found.dark, false) !== null;
    return (isShadowed && findInkOnUnevenPaper(light, { shadowed: true })) || found;
  }
  const shades = twoShades(light, paper);
  if (shades) return findInkOnEvenPaper(light, ...shades);
  const isSmall = Math.min(light.h, light.w) < MIN_UNEVEN_SIDE;
  return isSmall ? found : findInkOnUnevenPaper(light, { shadowed: false });
}

/** Return the pixels along the four sides. */
function borderOf({ h, w, v }) {
  const border = new Float32Array(2 * (h + w));
  border.set(v.subarray(0, w));
  border.set(v.subarray((h - 1) * w), w);
  for (let y = 0; y < h; y++) {
    border[2 * w + 2 * y] = v[y * w];
    border[2 * w + 2 * y + 1] = v[(y + 1) * w - 1];
  }
  return border;
}

/** Return each pixel's place between `paper`, 0, and `ink`, 1. */
function placesBetween({ h, w, v }, paper, ink) {
  const range = Math.fround(ink - paper);
  const places = new Float32Array(h * w);
  for (let k = 0; k < places.length; k++) places[k] = Math.fround(v[k] - paper) / range;
  return new Plane(h, w, places);
}

/** Return the ink where `paper` and `ink` are the only two shades, brightness 0 to 1. */
function findInkOnEvenPaper(light, paper, ink) {
  const { h, w } = light;
  const strength = strengthBetween(light, paper, ink);
  let marked = fromStrength(strength, MIN_INK_STRENGTH);
  let threshold = MIN_INK_STRENGTH;
  const lines = linesIn(strength, marked);
  if (lines !== null) {
    threshold = lines + MIN_INK_STRENGTH * (1 - lines);
    marked = fromStrength(strength, threshold);
    const { v } = strength;
    const range = Math.fround(1 - lines);
    for (let k = 0; k < h * w; k++) v[k] = v[k] > lines ? Math.fround(v[k] - lines) / range : 0;
  }
  const dark = ink < paper;
  return { strength, sure: marked, marked, dark, threshold, isEven: true, shadowed: false };
}

/** Return the strength of ink, without grain: 0 at `paper`, 1 at `ink` and beyond. */
function strengthBetween({ h, w, v }, paper, ink) {
  const { fround } = Math;
  const [range, grain] = [fround(ink - paper), fround(GRAIN)];
  const strength = new Plane(h, w);
  for (let k = 0; k < v.length; k++) {
    if (v[k] === paper) continue;
    const place = Math.min(fround(fround(v[k] - paper) / range), 1);
    const covered = fround(fround(place / grain) - 1);
    if (covered > 0) strength.v[k] = covered < 1 ? place * covered : place;
  }
  return strength;
}

/** Return the mask of the pixels whose strength is at least a threshold. */
function fromStrength({ h, w, v }, threshold) {
  const limit = Math.fround(threshold);
  const mask = new Mask(h, w);
  for (let k = 0; k < v.length; k++) if (v[k] >= limit) mask.v[k] = 1;
  return mask;
}

/** Return the strength of the printed lines; null without lines. */
function linesIn(strength, marked) {
  const lines = rulingStrength(strength, marked);
  // Pale lines may exceed MIN_INK_STRENGTH only in the darker part of the page.
  if (lines !== null || !reachesOppositeSides(strength, Math.fround(2 * GRAIN))) return lines;
  return rulingStrength(strength, strength.above(2 * GRAIN));
}

/**
 * Return the brightness of paper and of ink if the picture has only two shades, else null.
 *
 * A digit that fills its picture has ink along the border. Then the paper is the shade closer to
 * `border`, the median brightness along the border.
 */
function twoShades(light, border) {
  for (const side of SAMPLED_SIDES) {
    const step = Math.ceil(Math.max(light.h, light.w) / side);
    const shades = twoShadesOfSample(sampled(light, step), border);
    if (shades) return shades;
  }
  return null;
}

/** Return every `step`-th pixel of every `step`-th row. */
function sampled({ h, w, v }, step) {
  const sample = new Plane(Math.ceil(h / step), Math.ceil(w / step));
  for (let y = 0, k = 0; y < sample.h; y++)
    for (let x = 0; x < sample.w; x++, k++) sample.v[k] = v[y * step * w + x * step];
  return sample;
}

function twoShadesOfSample(light, border) {
  const { fround } = Math;
  const [low, high] = extremesOf(light.v);
  if (fround(high - low) < fround(MIN_CONTRAST)) return null;
  const middle = fround(fround(low + high) / 2);
  const [darkSide, brightSide] = splitAt(light.v, middle);
  const [dark, bright] = [medianOf(darkSide), medianOf(brightSide)];
  const isPaperDark = border - dark < bright - border;
  const paper = isPaperDark ? dark : bright;
  const ink = isPaperDark
    ? quantileOf(brightSide, INK_QUANTILE)
    : quantileOf(darkSide, 1 - INK_QUANTILE);
  const strength = placesBetween(light, paper, ink);
  if (hasThirdShade(strength)) return null;
  const square = Math.trunc(MAX_INK_SQUARE * Math.max(light.h, light.w)) | 1;
  return holdsSquare(strength.above(0.5), square) ? null : [paper, ink];
}

/** Return whether many pixels are between paper and ink, or beyond one of the two. */
function hasThirdShade(strength) {
  const { fround } = Math;
  const { v } = strength;
  const [highest, lowest] = [maxFilter(strength, 3).v, maxFilter(negative(strength), 3).v];
  const [near, far] = [fround(SHADE_DISTANCE), fround(1 - SHADE_DISTANCE)];
  const [beyondInk, beyondPaper] = [fround(1 + SHADE_DISTANCE), fround(-SHADE_DISTANCE)];
  let [between, darker, lighter] = [0, 0, 0];
  for (let k = 0; k < v.length; k++) {
    const value = v[k];
    if (value > near && value < far && fround(highest[k] + lowest[k]) < near) between++;
    if (value > beyondInk) darker++;
    if (value < beyondPaper) lighter++;
  }
  return (
    between > MAX_BETWEEN * v.length ||
    darker > MAX_BEYOND_INK * v.length ||
    lighter > MAX_BEYOND_PAPER * v.length
  );
}
