// Read a drawing or another picture as `digitnet predict` does.

import { about } from "./about.js";
import { answerTo, outputsFor, scaledBytes } from "./answer.js";
import { flatten } from "./image/files.js";
import { MAX_SIDE, readingOf } from "./image/reading.js";
import { scoreOf } from "./judgement.js";

/**
 * pixels: what the network saw, 784 numbers from 0 (paper) to 1 (ink), row by row. isDoubtful: also if
 * the picture seems to hold several digits, a line, or a part of something larger.
 * @typedef {import("./answer.js").Answer & {pixels: Float32Array}} PictureAnswer
 */

/**
 * Return the answer to a picture of any size up to 320x320 pixels, or null if nothing is drawn: there is
 * no ink, too faint ink, or only an empty sheet or box.
 *
 * Dark ink on light paper and light ink on dark paper are read alike. Transparent pixels are white, or
 * black if nothing would be visible on white.
 * @param {import("./image/files.js").Rgba} picture an `ImageData`, or an object with the same properties
 * @returns {PictureAnswer | null}
 * @throws {TypeError} if the picture is no such object
 * @throws {RangeError} if it is larger, has no pixels, or not four bytes for each
 */
export function read(picture) {
  requirePicture(picture);
  const score = scoreOf((image) => outputsFor(scaledBytes(image)), about);
  const found = readingOf(flatten(picture), score);
  if ("error" in found) return null;
  const pixels = scaledBytes(found.image);
  return { ...answerTo(outputsFor(pixels), found), pixels };
}

function requirePicture(picture) {
  const { data, width, height } = picture ?? {};
  const isRgba = typeof data?.length === "number" && typeof data !== "string";
  if (!isRgba || typeof width !== "number" || typeof height !== "number") {
    const found = picture?.constructor?.name ?? String(picture);
    const advice = "of a canvas, take context.getImageData(0, 0, width, height)";
    throw new TypeError(`picture: expected an ImageData, found ${found}; ${advice}`);
  }
  if (![width, height].every((side) => Number.isInteger(side) && side > 0 && side <= MAX_SIDE)) {
    const expected = `1 to ${MAX_SIDE} pixels wide and high`;
    const advice = "draw it on a smaller canvas with drawImage";
    throw new RangeError(`picture: expected ${expected}, found ${width}x${height}; ${advice}`);
  }
  if (data.length !== 4 * width * height) {
    const expected = `${4 * width * height} bytes (red, green, blue, opacity of each pixel)`;
    throw new RangeError(`picture.data: expected ${expected}, found ${data.length}`);
  }
  for (let k = 0; k < data.length; k++) requireByte(data[k], k);
}

function requireByte(value, k) {
  if (value >= 0 && value <= 255 && Number.isInteger(value)) return;
  const where = `picture.data[${k}]: expected a whole number from 0 to 255`;
  if (typeof value !== "number") throw new TypeError(`${where}, found ${typeof value}`);
  throw new RangeError(`${where}, found ${value}`);
}
