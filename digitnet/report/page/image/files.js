// The brightness of a picture of grey pixels.

import { Plane } from "./plane.js";

const BRIGHTNESS = Float32Array.from({ length: 256 }, (_, value) => value / 255);

/**
 * Return the brightness, 0 to 1, of opaque grey pixels.
 * @param {ArrayLike<number>} rgba h × w × 4 values, 0 to 255, such as `ImageData`'s
 * @param {number} w
 * @param {number} h
 * @returns {Plane}
 */
export function lightOf(rgba, w, h) {
  const light = new Plane(h, w);
  const counts = new Int32Array(256);
  for (let k = 0; k < h * w; k++) {
    const value = rgba[4 * k];
    light.v[k] = BRIGHTNESS[value];
    counts[value]++;
  }
  return shiftedBy(light, medianOf256(counts, h * w));
}

/**
 * Return grey pixels as their projection on a principal component leaves them: the component goes
 * through the median, whose mean over three colours may differ from it in the last bit.
 * @param {Plane} light multiples of 1/255
 * @returns {Plane}
 */
export function centredOnMedian(light) {
  const counts = new Int32Array(256);
  for (let k = 0; k < light.v.length; k++) counts[(light.v[k] * 255 + 0.5) | 0]++;
  return shiftedBy(light, medianOf256(counts, light.v.length));
}

/** Return brightness shifted by the difference between a median and the mean of three of it. */
function shiftedBy(light, median) {
  const { fround } = Math;
  const middle = fround(fround(fround(median + median) + median) / 3);
  if (middle === median) return light;
  const shifted = light.v.map((v) => Math.min(Math.max(v - median + middle, 0), 1));
  return new Plane(light.h, light.w, shifted);
}

/** Return the median brightness of n pixels, of which `counts[value]` have each value. */
function medianOf256(counts, n) {
  const at = (place) => {
    let value = 0;
    for (let below = counts[0]; below <= place; below += counts[value]) value++;
    return BRIGHTNESS[value];
  };
  return Math.fround(Math.fround(at((n - 1) >> 1) + at(n >> 1)) / 2);
}
