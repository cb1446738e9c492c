// Put a digit on a field of 28x28 pixels, the way MNIST did.
//
// LeCun and others 1998, section III.A: the digit is "size normalized to fit in a 20x20 pixel box
// while preserving the aspect ratio" and "centered in a 28x28 image by computing the center of mass
// of the pixels". The ink is white and the paper black. Many pens are thinner or thicker than those
// of MNIST's writers: thin strokes are made thicker, and thick strokes thinner.

import { boundingBox, dilate, strokeWidth } from "./ink/ink.js";
import { Plane } from "./plane.js";
import { OVERSAMPLING, enlarge, resize } from "./resampling.js";
import { bufferedSum, extremesOf, pairwiseSum, roundHalfEven } from "./statistics.js";

export const SIDE = 28; // px: side of the field
export const BOX = 20; // px: longer side of the digit on the field
const CENTRE = 14.5; // px from the edge: the middle of pixel 14, where MNIST puts the centre of mass
const MIN_DILATION = 0.25; // fine pixels on each side of a stroke: smaller changes are not made
const EDGE_INK = 0.3; // strength of the ink at the edge of a stroke
const THINNEST = 1.3; // px of the box: nearly all of MNIST's strokes are at least this wide
const THICKEST = 3.3; // px of the box: most of MNIST's strokes are at most this wide
const MAX_STROKE = 6; // px of the box: anything wider is not a stroke and keeps its width
const THIN_STROKE = 2; // px of the box: narrower strokes reach full ink in few places
const FULL_QUANTILE = 0.9; // quantile of the inked pixels of thin strokes: this is full ink
const SOFT_EDGE = 2; // px: pixels this close to a digit may be partly covered by its ink

/**
 * A digit on its field. image: 28x28. corner: row and column of the box's top left corner on the
 * field. width: mean stroke width, in pixels of the picture.
 * @typedef {{image: Uint8Array, corner: [number, number], width: number}} Field
 */

/**
 * Return the digit on its field.
 * @param {Plane} strength 0 to 1, of the ink in the digit's box
 * @param {import("./plane.js").Mask} mask the digit's pixels
 * @param {boolean} alone whether all ink in the box belongs to the digit; otherwise only ink near
 * `mask` does
 * @param {boolean} isPart whether the box is narrower than the picture
 * @returns {Field}
 */
export function toField(strength, mask, alone, isPart) {
  const ink = alone ? strength : near(mask, strength);
  const area = alone && isPart ? bufferedSum(ink.v, ink.w) : pairwiseSum(ink.v);
  const width = strokeWidth(mask, area);
  const size = Math.max(ink.h, ink.w);
  const isSmall = size < BOX;
  const fit = isSmall ? fitToBox(enlarge(ink), width * OVERSAMPLING) : fitToBox(ink, width);
  const full = scaledToFull(fit, (width * BOX) / size < THIN_STROKE || isSmall);
  const { image, corner } = centreOnField(isSmall ? sharpened(full, size) : full);
  return { image, corner, width };
}

/** Return the ink within SOFT_EDGE of the mask. */
function near(mask, { h, w, v }) {
  const around = dilate(mask, SOFT_EDGE).v;
  const ink = new Plane(h, w);
  for (let k = 0; k < v.length; k++) ink.v[k] = around[k] ? v[k] : 0;
  return ink;
}

/** Return ink divided by its strength where it is full: its maximum, or in thin strokes less. */
function scaledToFull({ h, w, v }, isThin) {
  let [, full] = extremesOf(v);
  if (isThin) {
    const quarter = Math.fround(full / 4);
    const inked = v.filter((value) => value > quarter).sort();
    full = inked[Math.trunc(FULL_QUANTILE * inked.length)];
  }
  const scaled = new Plane(h, w);
  for (let k = 0; k < v.length; k++) scaled.v[k] = v[k] > full ? 1 : v[k] / full;
  return scaled;
}

/**
 * Return ink, 0 to 1, scaled to a longer side of 20 pixels.
 *
 * width: mean stroke width, px. Strokes are brought to a width from THINNEST to THICKEST.
 */
function fitToBox(ink, width) {
  const pixel = Math.max(ink.h, ink.w) / (BOX * OVERSAMPLING);
  if (width < pixel) {
    // Scaling would fade the stroke.
    const radius = (pixel - width) / 2;
    ink = dilateInk(ink.padded(Math.ceil(radius)), radius);
    width = pixel;
  }
  width *= BOX / Math.max(ink.h, ink.w);
  const target = Math.min(Math.max(width, THINNEST), THICKEST);
  const radius = (((target - width) / (1 - target / BOX)) * OVERSAMPLING) / 2; // the box widens, too
  if (Math.abs(radius) < MIN_DILATION || width > MAX_STROKE) return resize(ink, BOX);
  ink = resize(ink, BOX * OVERSAMPLING).padded(Math.max(Math.ceil(radius), 1));
  ink = radius > 0 ? dilateInk(ink, radius) : inverted(dilateInk(inverted(ink), -radius));
  const inked = ink.above(EDGE_INK);
  return resize(inked.any() ? ink.crop(boundingBox(inked)) : ink, BOX);
}

function inverted({ h, w, v }) {
  const paper = new Plane(h, w);
  for (let k = 0; k < v.length; k++) paper.v[k] = 1 - v[k];
  return paper;
}

/** Return an enlarged digit with steeper edges; `size`: its longer side before, px. */
function sharpened({ h, w, v }, size) {
  const { fround } = Math;
  const steeper = new Plane(h, w);
  const contrast = fround(Math.sqrt(BOX / size));
  for (let k = 0; k < v.length; k++) {
    const value = fround(fround(fround(v[k] - 0.5) * contrast) + 0.5);
    steeper.v[k] = value < 0 ? 0 : Math.min(value, 1);
  }
  return steeper;
}

/**
 * Return the maximum of the ink within a disc around each pixel: greyscale dilation.
 *
 * Between two whole radii, interpolates linearly. Outside the picture, ink is as in its corner.
 */
function dilateInk(ink, radius) {
  const { fround } = Math;
  const whole = Math.trunc(radius);
  const margin = whole + 1;
  const padded = ink.padded(margin, ink.v[0]);
  const rowMaxima = rowMaximaOf(padded, ink.w, margin);
  const [inner, outer] = [whole, margin].map((r) => discMaximum(rowMaxima, ink, margin, r));
  const [less, more] = [fround(1 - (radius - whole)), fround(radius - whole)];
  for (let k = 0; k < inner.length; k++)
    inner[k] = fround(less * inner[k]) + fround(more * outer[k]);
  return new Plane(ink.h, ink.w, inner);
}

/** Return [n], the maxima within n columns on either side, for n up to `margin`. */
function rowMaximaOf({ h, w, v }, width, margin) {
  const rowMaxima = [];
  for (let n = 0; n <= margin; n++) {
    const before = rowMaxima[n - 1];
    const maxima = new Float32Array(h * width);
    for (let y = 0, k = 0; y < h; y++)
      for (let x = 0, at = y * w + margin; x < width; x++, k++, at++) {
        const most = Math.max(v[at - n], v[at + n]);
        maxima[k] = n > 0 && before[k] > most ? before[k] : most;
      }
    rowMaxima.push(maxima);
  }
  return rowMaxima;
}

/** Return the maximum within a disc of a whole radius around each pixel. */
function discMaximum(rowMaxima, { h, w }, margin, radius) {
  const greatest = rowMaxima[radius].slice(margin * w, (margin + h) * w);
  for (let dy = 1; dy <= radius; dy++) {
    const rows = rowMaxima[Math.floor(Math.sqrt(radius * radius - dy * dy))];
    const [above, below] = [(margin - dy) * w, (margin + dy) * w];
    for (let k = 0; k < greatest.length; k++) {
      const most = Math.max(rows[above + k], rows[below + k]);
      if (most > greatest[k]) greatest[k] = most;
    }
  }
  return greatest;
}

/**
 * Return a digit, 0 to 1, on the field, and its corner.
 * @returns {{image: Uint8Array, corner: [number, number]}}
 */
function centreOnField({ h, w, v }) {
  const [masses, moments] = [new Float64Array(w), new Float64Array(w)]; // of each column
  for (let y = 0, k = 0; y < h; y++)
    for (let x = 0; x < w; x++, k++) {
      masses[x] += v[k];
      moments[x] += v[k] * (y + 0.5);
    }
  let [mass, down, across] = [0, 0, 0];
  for (let x = 0; x < w; x++) {
    mass += masses[x];
    down += moments[x];
    across += masses[x] * (x + 0.5);
  }
  const top = Math.min(Math.max(roundHalfEven(CENTRE - down / mass), 0), SIDE - h);
  const left = Math.min(Math.max(roundHalfEven(CENTRE - across / mass), 0), SIDE - w);
  const image = new Uint8Array(SIDE * SIDE);
  for (let y = 0, k = 0; y < h; y++)
    for (let x = 0; x < w; x++, k++)
      image[(top + y) * SIDE + left + x] = roundHalfEven(Math.fround(v[k] * 255));
  return { image, corner: [top, left] };
}
