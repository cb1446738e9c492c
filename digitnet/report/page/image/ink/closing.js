// Grey-scale closing and max filter with squares, and the test whether a square fits into a mask.
// Serra 1982, Image Analysis and Mathematical Morphology.

import { Plane } from "../plane.js";

/**
 * Return the closing of a picture with a square of `size` pixels, an odd number.
 *
 * The centre of the square stays inside the picture.
 * @param {Plane} light
 * @param {number} size
 */
export function greyClosing(light, size) {
  return negative(maxFilter(negative(maxFilter(light, size)), size));
}

/** Return the picture with opposite values. */
export function negative({ h, w, v }) {
  const opposite = new Float32Array(v.length);
  for (let k = 0; k < v.length; k++) opposite[k] = -v[k];
  return new Plane(h, w, opposite);
}

/**
 * Return the closing, the centre of the square also up to half its size outside the picture.
 *
 * Without that, paper that gets darker towards an edge of the picture would be made lighter there.
 * @param {Plane} light
 * @param {number} size
 */
export function paddedGreyClosing(light, size) {
  const half = size >> 1;
  const { h, w } = light;
  const closed = greyClosing(paddedWithEdge(light, half), size);
  return closed.crop({ top: half, bottom: half + h, left: half, right: half + w });
}

/** Return the picture with a margin of its edge pixels. */
function paddedWithEdge(light, margin) {
  const padded = light.padded(margin);
  const { h, w, v } = padded;
  for (let y = margin; y < h - margin; y++) {
    v.fill(v[y * w + margin], y * w, y * w + margin);
    v.fill(v[(y + 1) * w - margin - 1], (y + 1) * w - margin, (y + 1) * w);
  }
  for (let y = 0; y < margin; y++) {
    v.copyWithin(y * w, margin * w, (margin + 1) * w);
    v.copyWithin((h - 1 - y) * w, (h - 1 - margin) * w, (h - margin) * w);
  }
  return padded;
}

/**
 * Return the maximum in a square of `size` pixels, an odd number, around each pixel.
 *
 * Running maxima of blocks, from either end (van Herk 1992): the cost does not grow with `size`.
 * @param {Plane} light
 * @param {number} size
 */
export function maxFilter(light, size) {
  return maxOfColumns(maxOfRows(light, size), size);
}

/** Return the maximum of `size` neighbours around each pixel in its row. */
function maxOfRows({ h, w, v }, size) {
  const half = size >> 1;
  const n = w + 2 * half;
  const line = new Float32Array(n).fill(-Infinity);
  const [forward, backward] = [new Float32Array(n), new Float32Array(n)];
  const maxima = new Float32Array(h * w);
  for (let y = 0; y < h; y++) {
    line.set(v.subarray(y * w, (y + 1) * w), half);
    for (let start = 0; start < n; start += size) {
      const end = Math.min(start + size, n);
      let most = -Infinity;
      for (let k = start; k < end; k++) {
        if (line[k] > most) most = line[k];
        forward[k] = most;
      }
      most = -Infinity;
      for (let k = end - 1; k >= start; k--) {
        if (line[k] > most) most = line[k];
        backward[k] = most;
      }
    }
    for (let x = 0, k = y * w; x < w; x++, k++) {
      const [a, b] = [backward[x], forward[x + size - 1]];
      maxima[k] = Math.max(a, b);
    }
  }
  return new Plane(h, w, maxima);
}

/** Return the maximum of `size` neighbours around each pixel in its column. */
function maxOfColumns({ h, w, v }, size) {
  const half = size >> 1;
  const n = h + 2 * half;
  const forward = new Float32Array(n * w).fill(-Infinity);
  forward.set(v, half * w);
  const backward = forward.slice();
  for (let start = 0; start < n; start += size) {
    const end = Math.min(start + size, n);
    for (let k = (start + 1) * w; k < end * w; k++)
      if (forward[k - w] > forward[k]) forward[k] = forward[k - w];
    for (let k = (end - 1) * w - 1; k >= start * w; k--)
      if (backward[k + w] > backward[k]) backward[k] = backward[k + w];
  }
  const maxima = new Float32Array(h * w);
  for (let k = 0, later = (size - 1) * w; k < h * w; k++, later++) {
    const [a, b] = [backward[k], forward[later]];
    maxima[k] = Math.max(a, b);
  }
  return new Plane(h, w, maxima);
}

/**
 * Return whether a square of `side` pixels, an odd number, fits into the mask.
 * @param {import("../plane.js").Mask} mask
 * @param {number} side
 */
export function holdsSquare(mask, side) {
  const { h, w, v } = mask;
  if (mask.count() < side * side) return false;
  const sides = new Int32Array(w + 1); // of the largest square that ends at each column
  for (let y = 0, k = 0; y < h; y++) {
    let above = 0; // of the square that ends one row up and one column to the left
    for (let x = 1; x <= w; x++, k++) {
      const before = sides[x];
      const largest = v[k] ? Math.min(above, before, sides[x - 1]) + 1 : 0;
      if (largest >= side) return true;
      sides[x] = largest;
      above = before;
    }
  }
  return false;
}
