// Grey-scale closing and max filter with squares, and the test whether a square fits into a mask.
// Serra 1982, Image Analysis and Mathematical Morphology.

import { Plane } from "../plane.js";

// Kept between calls, as new arrays of this size cost more than the maxima.
let [rowMaxima, scratch] = [new Float32Array(0), new Float32Array(0)];

function grown(buffer, n) {
  return buffer.length < n ? new Float32Array(n) : buffer;
}

/**
 * Return the closing of a picture with a square of `size` pixels, an odd number.
 *
 * The centre of the square stays inside the picture.
 * @param {Plane} light
 * @param {number} size
 */
export function greyClosing(light, size) {
  return negated(maxFilter(negated(maxFilter(light, size)), size));
}

/** Return the picture itself with opposite values. */
function negated(light) {
  const { v } = light;
  for (let k = 0; k < v.length; k++) v[k] = -v[k];
  return light;
}

/** Return a picture with opposite values. */
export function negative({ h, w, v }) {
  return negated(new Plane(h, w, v.slice()));
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
 * Lines are cut into blocks of `size` pixels. Each window is the end of one block and the start of
 * the next, whose running maxima are combined (van Herk 1992): the cost does not grow with `size`.
 * @param {Plane} light
 * @param {number} size
 */
export function maxFilter(light, size) {
  scratch = grown(scratch, size * light.w);
  rowMaxima = grown(rowMaxima, light.h * light.w);
  writeMaximaOfRows(light, size);
  return maxOfColumns(light, size);
}

/** Write the maximum of `size` neighbours around each pixel in its row to `rowMaxima`. */
function writeMaximaOfRows({ h, w, v }, size) {
  for (let y = 0; y < h; y++) {
    const row = v.subarray(y * w, (y + 1) * w);
    if (isConstant(row)) rowMaxima.fill(row[0], y * w, (y + 1) * w);
    else for (let x = 0; x < w; x += size) writeMaximaOfBlock(row, x, size, y * w);
  }
}

function isConstant(row) {
  for (let x = 1; x < row.length; x++) if (row[x] !== row[0]) return false;
  return true;
}

/** Write the maxima around `size` pixels of a row, from pixel `first` on; the row begins at `at`. */
function writeMaximaOfBlock(row, first, size, at) {
  const half = size >> 1;
  const w = row.length;
  let most = -Infinity;
  for (let r = size - 1; r >= 0; r--) {
    const x = first + r - half;
    if (x >= 0 && x < w && row[x] > most) most = row[x];
    scratch[r] = most; // of the window's pixels in the first block
  }
  most = -Infinity;
  for (let x = first; x < Math.min(first + size, w); x++) {
    const before = scratch[x - first];
    rowMaxima[at + x] = before > most ? before : most;
    const next = x + size - half;
    if (next < w && row[next] > most) most = row[next];
  }
}

/** Return the maximum of `size` rows of `rowMaxima` around each pixel. */
function maxOfColumns({ h, w }, size) {
  const half = size >> 1;
  const maxima = new Float32Array(h * w);
  const most = new Float32Array(w);
  for (let first = 0; first < h; first += size) {
    most.fill(-Infinity);
    for (let r = size - 1; r >= 0; r--) {
      const y = first + r - half;
      if (y >= 0 && y < h) writeMaxima(most, 0, most, 0, rowMaxima, y * w, w);
      scratch.set(most, r * w);
    }
    most.fill(-Infinity);
    for (let y = first; y < Math.min(first + size, h); y++) {
      writeMaxima(maxima, y * w, scratch, (y - first) * w, most, 0, w);
      const next = y + size - half;
      if (next < h) writeMaxima(most, 0, most, 0, rowMaxima, next * w, w);
    }
  }
  return new Plane(h, w, maxima);
}

/** Write the greater of n pairs of values, each list from a place on. */
function writeMaxima(to, toStart, one, oneStart, two, twoStart, n) {
  for (let k = 0; k < n; k++) {
    const a = one[oneStart + k];
    const b = two[twoStart + k];
    to[toStart + k] = a > b ? a : b;
  }
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
