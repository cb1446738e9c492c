// Classify the outline of a mask: a card with corners, a round sheet, or neither.

import { Mask } from "../plane.js";

const MIN_CARD_OVERLAP = 0.93; // common to mask and polygon of its corners; digits: up to 0.90
const MIN_CONVEX_OVERLAP = 0.93; // common to mask and polygon of its farthest points
const DIRECTIONS = 16; // number of those farthest points

/**
 * Return the mask with every pixel that has marks on all four sides added.
 * @param {Mask} mask
 */
export function fillOutline(mask) {
  const { h, w, v } = mask;
  const filled = new Mask(h, w);
  for (let y = 0; y < h; y++) {
    const row = v.subarray(y * w, (y + 1) * w);
    const first = row.indexOf(1);
    if (first !== -1) filled.v.fill(1, y * w + first, y * w + row.lastIndexOf(1) + 1);
  }
  for (let x = 0; x < w; x++) {
    for (let k = x; k < h * w && !v[k]; k += w) filled.v[k] = 0;
    for (let k = (h - 1) * w + x; k >= 0 && !v[k]; k -= w) filled.v[k] = 0;
  }
  return filled;
}

/**
 * Return whether a filled mask is a polygon of three or four corners, as a card is.
 *
 * Of the digits only a straight 1 has this shape.
 * @param {Mask} filled
 */
export function hasFourCorners(filled) {
  const pixels = pixelsOf(filled);
  const diagonal = [(y, x) => y + x, (y, x) => y - x, (y, x) => -y - x, (y, x) => x - y];
  const straight = [(y) => y, (_, x) => -x, (y) => -y, (_, x) => x];
  return [diagonal, straight].some((ends) => {
    const corners = ends.map((distance) => farthest(pixels, distance));
    return overlapOf(pixels, corners) > MIN_CARD_OVERLAP;
  });
}

/**
 * Return whether a filled mask, round or not, is like the polygon of its farthest points.
 * @param {Mask} filled
 */
export function isConvex(filled) {
  const pixels = pixelsOf(filled);
  const corners = Array.from({ length: DIRECTIONS }, (_, i) => {
    const angle = (2 * Math.PI * i) / DIRECTIONS;
    const [c, s] = [Math.cos(angle), Math.sin(angle)];
    return farthest(pixels, (y, x) => x * c + y * s);
  });
  return overlapOf(pixels, corners) > MIN_CONVEX_OVERLAP;
}

/** Return rows and columns of the marked pixels, in reading order. */
function pixelsOf(mask) {
  const n = mask.count();
  const pixels = { n, y: new Int32Array(n), x: new Int32Array(n) };
  for (let row = 0, k = 0, i = 0; row < mask.h; row++)
    for (let column = 0; column < mask.w; column++, k++)
      if (mask.v[k]) {
        pixels.y[i] = row;
        pixels.x[i++] = column;
      }
  return pixels;
}

/** Return the index of the first pixel with the greatest distance. */
function farthest({ n, y, x }, distance) {
  let [best, most] = [0, -Infinity];
  for (let i = 0; i < n; i++) {
    const d = distance(y[i], x[i]);
    if (d > most) {
      best = i;
      most = d;
    }
  }
  return best;
}

/**
 * Return the overlap of pixels and the polygon of some of them: common to larger area, 0 to 1.
 *
 * corners: indices of pixels.
 */
function overlapOf({ n, y, x }, corners) {
  let [twiceArea, steps] = [0, 0]; // of the polygon between pixel centres; px along its sides
  const outside = new Uint8Array(n);
  corners.forEach((one, i) => {
    const two = corners[(i + 1) % corners.length];
    const [top, left] = [y[one], x[one]];
    const [dy, dx] = [y[two] - top, x[two] - left];
    const limit = -Math.sqrt(dy * dy + dx * dx); // a pixel may lie up to a pixel's width outside a side
    for (let j = 0; j < n; j++) if (dx * (y[j] - top) - dy * (x[j] - left) < limit) outside[j] = 1;
    twiceArea += left * dy - top * dx;
    steps += Math.max(Math.abs(dy), Math.abs(dx));
  });
  let inside = n;
  for (let j = 0; j < n; j++) inside -= outside[j];
  const area = (Math.abs(twiceArea) + steps) / 2 + 1; // number of pixels, about: Pick's theorem
  return Math.min(inside, area) / Math.max(n, area);
}
