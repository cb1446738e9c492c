// The brightness of a picture, whose colours are projected on their first principal component.

import { Plane } from "./plane.js";
import { meanOfThree } from "./statistics.js";

const BRIGHTNESS = Float32Array.from({ length: 256 }, (_, value) => value / 255);
const SQUARINGS = 40; // of a covariance matrix, whose power then is its first component to the last bit

/** @typedef {import("./plane.js").Colours} Colours */

/**
 * Return the brightness of a picture, 0 to 1.
 *
 * It is Python's to the last bit for grey pixels. For others, the last bit may differ; and where the
 * component is no lighter than its opposite, as from red to an equal green, light and dark may change
 * places.
 * @param {Colours} picture
 * @returns {Plane}
 */
export function brightnessOf(picture) {
  return picture.isGrey() ? greyBrightness(picture) : colourBrightness(picture);
}

/**
 * Return the brightness of grey pixels as a projection leaves it: the component goes through the median,
 * whose mean over three colours may differ from it in the last bit.
 */
function greyBrightness({ h, w, v }) {
  const median = medianOf256(v, 0);
  const middle = meanOfThree(median, median, median);
  const levels = BRIGHTNESS.map((value) => withinRange(value - median + middle));
  const light = new Plane(h, w);
  for (let k = 0; k < v.length; k++) light.v[k] = levels[v[k] & 255];
  return light;
}

function colourBrightness({ h, w, v }) {
  const [red, green, blue] = [0, 8, 16].map((shift) => medianOf256(v, shift));
  const middle = meanOfThree(red, green, blue);
  const offsets = [red, green, blue].map((median) =>
    Float64Array.from(BRIGHTNESS, (value) => value - median),
  );
  const direction = principalDirection(covarianceOf(v, offsets));
  const [r, g, b] = offsets.map((values, i) =>
    values.map((value) => value * (direction[i] / Math.sqrt(3))),
  );
  const light = new Plane(h, w);
  for (let k = 0; k < v.length; k++) {
    const colour = v[k];
    const projected = r[colour & 255] + g[(colour >> 8) & 255] + b[colour >> 16];
    light.v[k] = withinRange(projected + middle);
  }
  return light;
}

function withinRange(value) {
  return value < 0 ? 0 : value > 1 ? 1 : value;
}

/**
 * Return the sums of products of two colours' offsets from their medians, 3x3.
 * @param {Uint32Array} v
 * @param {Float64Array[]} offsets of each value of red, green and blue
 */
function covarianceOf(v, [reds, greens, blues]) {
  let [rr, rg, rb, gg, gb, bb] = [0, 0, 0, 0, 0, 0];
  for (let k = 0; k < v.length; k++) {
    const colour = v[k];
    const [r, g, b] = [reds[colour & 255], greens[(colour >> 8) & 255], blues[colour >> 16]];
    rr += r * r;
    rg += r * g;
    rb += r * b;
    gg += g * g;
    gb += g * b;
    bb += b * b;
  }
  return [
    [rr, rg, rb],
    [rg, gg, gb],
    [rb, gb, bb],
  ];
}

/**
 * Return the unit eigenvector of the largest eigenvalue of a covariance matrix, 3x3; its sum is not
 * negative. Zeros for a picture of one colour.
 */
function principalDirection(matrix) {
  let power = matrix;
  for (let n = 0; n < SQUARINGS; n++) {
    const trace = power[0][0] + power[1][1] + power[2][2];
    const scaled = power.map((row) => row.map((value) => value / (trace || 1)));
    power = scaled.map((row) => scaled.map((column) => dot(row, column)));
  }
  const lengths = power.map((row) => Math.hypot(...row));
  const longest = lengths.indexOf(Math.max(...lengths));
  const row = power[longest].map((value) => value / (lengths[longest] || 1));
  return row[0] + row[1] + row[2] >= 0 ? row : row.map((value) => -value);
}

function dot([a, b, c], [x, y, z]) {
  return a * x + b * y + c * z;
}

/** Return the median brightness of one colour of packed pixels. */
function medianOf256(v, shift) {
  const counts = new Int32Array(256);
  for (let k = 0; k < v.length; k++) counts[(v[k] >> shift) & 255]++;
  const at = (place) => {
    let value = 0;
    for (let below = counts[0]; below <= place; below += counts[value]) value++;
    return BRIGHTNESS[value];
  };
  return Math.fround(Math.fround(at((v.length - 1) >> 1) + at(v.length >> 1)) / 2);
}
