// Flatten transparent pictures.

import { Colours } from "./plane.js";

const MIN_VISIBLE = 0.1; // of black to white: with less contrast on white, the background becomes black

/**
 * Pixels as a canvas has them: red, green, blue and opacity, 0 to 255, row by row.
 * @typedef {{data: ArrayLike<number>, width: number, height: number}} Rgba
 */

/**
 * Return a picture flattened on white, or on black where nothing is visible on white.
 * @param {Rgba} picture
 * @returns {Colours}
 */
export function flatten(picture) {
  const shown = onPaper(picture, 255);
  const isVisible = isOpaque(picture) || contrastOf(shown) >= MIN_VISIBLE;
  return isVisible ? shown : onPaper(picture, 0);
}

function isOpaque({ data }) {
  for (let i = 3; i < data.length; i += 4) if (data[i] < 255) return false;
  return true;
}

/** Return a picture on paper of this brightness, 0 to 255. */
function onPaper({ data, width, height }, paper) {
  const shown = new Colours(height, width);
  for (let k = 0, i = 0; k < shown.v.length; k++, i += 4) {
    const opacity = data[i + 3];
    const red = blended(data[i], paper, opacity);
    const green = blended(data[i + 1], paper, opacity);
    const blue = blended(data[i + 2], paper, opacity);
    shown.v[k] = red | (green << 8) | (blue << 16);
  }
  return shown;
}

/** Return a value over that of paper, rounded as Pillow does. */
function blended(value, paper, opacity) {
  if (opacity === 255) return value;
  const sum = value * opacity + paper * (255 - opacity) + 128;
  return ((sum >> 8) + sum) >> 8; // sum / 255
}

/** Return the contrast of a picture, 0 to 1. */
function contrastOf({ v }) {
  const contrasts = [0, 8, 16].map((shift) => spanOf(v, shift) / 255);
  return Math.hypot(...contrasts) / Math.sqrt(3);
}

/** Return the difference between the largest and the smallest value of one colour of packed pixels. */
function spanOf(v, shift) {
  let least = 255;
  let most = 0;
  for (let k = 0; k < v.length; k++) {
    const value = (v[k] >> shift) & 255;
    if (value < least) least = value;
    if (value > most) most = value;
  }
  return most - least;
}
