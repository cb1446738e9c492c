// Scale a picture with antialiasing, or enlarge it with sharp edges.

import { Plane } from "./plane.js";
import { roundHalfEven } from "./statistics.js";

export const OVERSAMPLING = 4; // fine pixels per pixel of the box: strokes are changed in these

/**
 * What each pixel of a scaled line is made of: `counts[i]` pixels from `starts[i]` on, with weights
 * from i * stride on.
 * @typedef {{starts: Int32Array, counts: Int32Array, weights: Float64Array, stride: number}} Taps
 */

/**
 * Return ink resampled with antialiasing, so that its longer side has `longer` pixels.
 * @param {Plane} ink
 * @param {number} longer
 */
export function resize(ink, longer) {
  const scale = longer / Math.max(ink.h, ink.w);
  if (scale === 1) return ink;
  const [h, w] = [ink.h, ink.w].map((length) => Math.max(roundHalfEven(length * scale), 1));
  return scaled(ink, triangularTaps(ink.h, h), triangularTaps(ink.w, w));
}

/**
 * Return ink, 0 to 1, four times as large.
 *
 * Cubic convolution (Keys 1981) keeps edges sharper than linear interpolation.
 * @param {Plane} ink
 */
export function enlarge(ink) {
  const larger = scaled(ink, cubicTaps(ink.h), cubicTaps(ink.w));
  for (let k = 0; k < larger.v.length; k++) larger.v[k] = Math.min(Math.max(larger.v[k], 0), 1);
  return larger;
}

/** Return a picture scaled along both axes; the sums are float64, as Python's. */
function scaled({ w, v }, rows, columns) {
  const [height, width] = [rows.starts.length, columns.starts.length];
  const row = new Float64Array(w);
  const result = new Plane(height, width);
  for (let y = 0; y < height; y++) {
    row.fill(0);
    for (let i = 0; i < rows.counts[y]; i++) {
      const weight = rows.weights[y * rows.stride + i];
      for (let x = 0, k = (rows.starts[y] + i) * w; x < w; x++, k++) row[x] += weight * v[k];
    }
    for (let x = 0; x < width; x++) {
      const [start, at] = [columns.starts[x], x * columns.stride];
      let sum = 0;
      for (let i = 0; i < columns.counts[x]; i++) sum += columns.weights[at + i] * row[start + i];
      result.v[y * width + x] = sum;
    }
  }
  return result;
}

/**
 * Return taps that scale a line of pixels: triangular weights, two pixels of the coarser line wide.
 *
 * Scaling down thus averages all pixels that an output pixel covers, scaling up interpolates, and
 * the same size changes nothing.
 */
function triangularTaps(nIn, nOut) {
  const scale = nIn / nOut;
  const reach = Math.max(scale, 1);
  return tapsOf(nIn, nOut, scale, reach, (d) => 1 - d / reach);
}

/** Return taps that enlarge a line of pixels. */
function cubicTaps(nIn) {
  const weight = (d) => (d < 1 ? (3 * d - 5) * d * d + 2 : ((5 - d) * d - 8) * d + 4);
  return tapsOf(nIn, OVERSAMPLING * nIn, 1 / OVERSAMPLING, 2, weight);
}

/** Return taps whose weights depend on the distance, px, and are 0 from `reach` on. */
function tapsOf(nIn, nOut, scale, reach, weightAt) {
  const stride = Math.ceil(2 * reach) + 1;
  const [starts, counts] = [new Int32Array(nOut), new Int32Array(nOut)];
  const weights = new Float64Array(nOut * stride);
  for (let i = 0; i < nOut; i++) {
    const centre = (i + 0.5) * scale;
    const start = Math.max(Math.ceil(centre - reach - 0.5), 0);
    const end = Math.min(Math.floor(centre + reach - 0.5) + 1, nIn);
    let total = 0;
    for (let k = start; k < end; k++) {
      const weight = weightAt(Math.abs(k + 0.5 - centre));
      weights[i * stride + k - start] = weight;
      total += weight;
    }
    for (let k = 0; k < end - start; k++) weights[i * stride + k] /= total;
    starts[i] = start;
    counts[i] = end - start;
  }
  return { starts, counts, weights, stride };
}
