// A neural network that reads handwritten digits and other characters: an ES module for browsers,
// node (name the file .mjs) and other runtimes, without dependencies, written by `digitnet export`.
// In a browser, with a canvas on which something is drawn:
//
//   import { check, predict, read } from "./digits.js";
//   const canvas = document.querySelector("canvas"); // at most 320 pixels wide and high
//   const picture = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
//   const answer = read(picture); // null if nothing is drawn
//   console.log(answer?.isDoubtful ? "?" : answer?.digit, check());
//
// `read` prepares a picture as `digitnet predict` does. `predict` takes 784 numbers from 0 to 1: 28 rows
// of a prepared picture, white ink on black. `digitnet predict -m MODEL --save-prepared FOLDER` writes
// such pictures as PNG, with the help of this model. With one of them drawn on a canvas of 28x28:
//
//   const bytes = context.getImageData(0, 0, 28, 28).data; // red, green, blue, opacity of each pixel
//   predict(Float32Array.from({ length: 784 }, (_, i) => bytes[4 * i] / 255));

import { about } from "./about.js";
import { answerTo, outputsFor } from "./answer.js";
import { ONE_DIGIT } from "./doubt.js";

/**
 * Return the answer to a prepared picture.
 * @param {ArrayLike<number>} pixels 784 numbers from 0 (paper) to 1 (ink), row by row
 * @returns {import("./answer.js").Answer}
 * @throws {TypeError} if pixels are no array of numbers
 * @throws {RangeError} if their number is not 784, or one of them is outside 0 to 1
 */
export function predict(pixels) {
  requirePixels(pixels);
  return answerTo(outputsFor(pixels), ONE_DIGIT);
}

function requirePixels(pixels) {
  const count = about.layer_sizes[0];
  if (typeof pixels?.length !== "number" || typeof pixels !== "object") {
    const found = pixels === null ? "null" : typeof pixels;
    throw new TypeError(`pixels: expected ${count} numbers, found ${found}`);
  }
  if (pixels.length !== count) {
    const advice = pixels.length === 4 * count ? "; of a canvas, take every fourth byte" : "";
    throw new RangeError(`pixels: expected ${count} numbers, found ${pixels.length}${advice}`);
  }
  for (let i = 0; i < count; i++) requirePixel(pixels[i], i);
}

function requirePixel(value, i) {
  if (value >= 0 && value <= 1 && typeof value === "number") return;
  const where = `pixels[${i}]: expected a number from 0 to 1`;
  if (typeof value !== "number") throw new TypeError(`${where}, found ${typeof value}`);
  const advice = value > 1 ? "; divide bytes by 255" : "";
  throw new RangeError(`${where}, found ${value}${advice}`);
}
