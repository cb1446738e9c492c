// The ink in a picture, and basic operations on masks: dilate, erode, bounding box.

import { Mask, Plane } from "../plane.js";
import { extremesOf } from "../statistics.js";

export const DOT_LENGTH = 4; // stroke widths: ink whose height and width are at most this is a dot
export const MIN_INK_STRENGTH = 0.2; // of the contrast between paper and ink: fainter is paper
export const MIN_PAGE_SIDE = 60; // px: smaller pictures show a digit, but no shadow or line
const OTSU_BINS = 256;

/**
 * The ink in a picture.
 *
 * strength: 0 on paper to 1 under full ink. marked: the pixels above the low threshold. sure: those
 * above the high threshold. dark: whether ink is darker than the paper. threshold: between paper
 * and ink. isEven: whether the paper has one shade; then `sure` is `marked`. shadowed: whether a
 * shadow was found.
 * @typedef {{strength: Plane, sure: Mask, marked: Mask, dark: boolean, threshold: number,
 *   isEven: boolean, shadowed: boolean}} Ink
 */

/**
 * Return Otsu's threshold and the means of the values below and above: Otsu 1979, eq. 14.
 * @param {Float32Array} values
 * @param {[number, number]} [extremes] the least and the greatest value
 * @returns {[number, number, number]}
 */
export function otsu(values, extremes = extremesOf(values)) {
  const edges = binEdges(...extremes);
  const counts = histogram(values, edges);
  const below = new Float64Array(OTSU_BINS);
  const total = new Float64Array(OTSU_BINS);
  let [count, sum] = [0, 0];
  for (let i = 0; i < OTSU_BINS; i++) {
    below[i] = count += counts[i];
    total[i] = sum += counts[i] * ((edges[i + 1] + edges[i]) / 2);
  }
  let [best, most, low, high] = [0, -1, 0, 0];
  for (let i = 0; i < OTSU_BINS; i++) {
    const above = count - below[i];
    const lower = total[i] / Math.max(below[i], 1);
    const upper = (sum - total[i]) / Math.max(above, 1);
    const between = below[i] * above * (upper - lower) ** 2;
    if (between > most) [best, most, low, high] = [i, between, lower, upper];
  }
  return [edges[best + 1], low, high];
}

/** Return the edges of bins of equal width from the least to the greatest value. */
function binEdges(least, most) {
  if (least === most) [least, most] = [least - 0.5, most + 0.5];
  const step = (most - least) / OTSU_BINS;
  const edges = Float64Array.from({ length: OTSU_BINS + 1 }, (_, i) => i * step + least);
  edges[OTSU_BINS] = most;
  return edges;
}

/** Return how many values each bin holds; only the last bin includes its right edge. */
function histogram(values, edges) {
  const counts = new Int32Array(OTSU_BINS);
  const [first, last] = [edges[0], OTSU_BINS - 1];
  const range = edges[OTSU_BINS] - first;
  for (let k = 0; k < values.length; k++) {
    const value = values[k];
    let index = (((value - first) / range) * OTSU_BINS) | 0;
    if (index > last) index = last;
    if (value < edges[index]) index--;
    else if (index !== last && value >= edges[index + 1]) index++;
    counts[index]++;
  }
  return counts;
}

/**
 * Return the mean stroke width, px: twice the area divided by the length of the outline.
 *
 * The outline is counted in edges between pixels; averaged over all directions, its true length is
 * pi/4 of that count.
 * @param {Mask} mask
 * @param {number} [area] of the ink, px, where it is known better than from the mask
 */
export function strokeWidth(mask, area = mask.count()) {
  const { h, w, v } = mask;
  let steps = 0;
  for (let y = 0, k = 0; y < h; y++) {
    let left = 0;
    for (let x = 0; x < w; x++, k++) {
      const here = v[k];
      steps += here ^ left;
      steps += here ^ (y > 0 ? v[k - w] : 0);
      left = here;
    }
    steps += left;
  }
  for (let k = (h - 1) * w; k < h * w; k++) steps += v[k];
  return (2 * area) / ((Math.max(steps, 1) * Math.PI) / 4);
}

/**
 * Return the bounding box of a mask that is not empty.
 * @param {Mask} mask
 */
export function boundingBox({ h, w, v }) {
  let [top, bottom, left, right] = [h, 0, w, 0];
  for (let y = 0; y < h; y++) {
    const row = v.subarray(y * w, (y + 1) * w);
    const first = row.indexOf(1);
    if (first === -1) continue;
    if (top === h) top = y;
    bottom = y + 1;
    left = Math.min(left, first);
    right = Math.max(right, row.lastIndexOf(1) + 1);
  }
  return { top, bottom, left, right };
}

/**
 * Return whether the mask touches a side of the picture.
 * @param {Mask} mask
 */
export function touchesBorder({ h, w, v }) {
  for (let x = 0; x < w; x++) if (v[x] || v[(h - 1) * w + x]) return true;
  for (let k = 0; k < h * w; k += w) if (v[k] || v[k + w - 1]) return true;
  return false;
}

/**
 * Return last - first row or last - first column, whichever is larger; not for empty masks.
 * @param {Mask} mask
 */
export function longerSpan(mask) {
  const { top, bottom, left, right } = boundingBox(mask);
  return Math.max(bottom - top, right - left) - 1;
}

/**
 * Return the mask dilated `steps` times with a cross of 3x3 pixels.
 *
 * Marks all pixels whose distance, along rows and columns, is at most `steps`: two passes.
 * @param {Mask} mask
 * @param {number} steps
 */
export function dilate(mask, steps) {
  const { h, w, v } = mask;
  const far = steps + 1;
  const distances = new Int32Array(h * w);
  for (let y = 0, k = 0; y < h; y++)
    for (let x = 0; x < w; x++, k++) {
      if (v[k]) continue;
      const left = x > 0 ? distances[k - 1] : far;
      const above = y > 0 ? distances[k - w] : far;
      distances[k] = Math.min(left, above) + 1;
    }
  const dilated = new Mask(h, w);
  for (let y = h - 1, k = h * w - 1; y >= 0; y--)
    for (let x = w - 1; x >= 0; x--, k--) {
      const right = x < w - 1 ? distances[k + 1] + 1 : far;
      const below = y < h - 1 ? distances[k + w] + 1 : far;
      const nearer = Math.min(right, below);
      if (nearer < distances[k]) distances[k] = nearer;
      dilated.v[k] = distances[k] <= steps ? 1 : 0;
    }
  return dilated;
}

/**
 * Return the mask eroded `steps` times; pixels outside the picture count as background.
 * @param {Mask} mask
 * @param {number} steps
 */
export function erode(mask, steps) {
  const { h, w } = mask;
  const inverse = new Mask(
    h,
    w,
    mask.v.map((marked) => marked ^ 1),
  ).padded(1, 1);
  const eroded = dilate(inverse, steps).crop({ top: 1, bottom: h + 1, left: 1, right: w + 1 });
  return new Mask(
    h,
    w,
    eroded.v.map((marked) => marked ^ 1),
  );
}
