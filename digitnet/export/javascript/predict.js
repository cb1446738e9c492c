// A neural network that reads handwritten digits and other characters: an ES module for browsers,
// node (name the file .mjs) and other runtimes, without dependencies, written by `digitnet export`.
// In a browser:
//
//   import { check, predict } from "./digits.js";
//   const image = await createImageBitmap(await (await fetch("prepared.png")).blob());
//   const context = new OffscreenCanvas(28, 28).getContext("2d");
//   context.drawImage(image, 0, 0);
//   const bytes = context.getImageData(0, 0, 28, 28).data; // red, green, blue, opacity of each pixel
//   const pixels = Float32Array.from({ length: 784 }, (_, i) => bytes[4 * i] / 255);
//   const { digit, confidence, isDoubtful } = predict(pixels);
//   console.log(isDoubtful ? "?" : digit, confidence, check());
//
// The pixels are those of a prepared picture: 28 rows of 28 numbers from 0 to 1, white ink on
// black. `digitnet predict --save-prepared FOLDER` prepares pictures and writes them as PNG. A picture
// that is prepared in another way gets other answers.

import { about, classNames } from "./about.js";
import { bytesOf, floatsOf } from "./base64.js";
import { Layers } from "./layers.js";
import { evidenceOf, indexOfLargest, probabilitiesOf } from "./probabilities.js";
import { sample } from "./sample.js";
import { weights } from "./weights.js";

const TOLERANCE = 1e-5; // of an output: the stored ones were computed in float32
const ROUNDING = 1e-9; // of a probability, and nats: the stored ones were computed in float64
const NUMBER = /^[0-9]{1,15}$/; // class names that are numbers, which JavaScript holds exactly
const BYTE_SCALE = Math.fround(1 / 255);

/**
 * digit: the likeliest class, a number if its name is a decimal number of at most 15 digits, else
 * its name. probabilities: one per class, sum 1, in the order of `classNames`. confidence: the
 * largest probability. evidence: nats from 0, how far the outputs are from a uniform distribution.
 * isDoubtful: whether confidence or evidence is below its threshold in `about`; then `digitnet
 * predict` answers `?`.
 * @typedef {{digit: number | string, probabilities: number[], confidence: number,
 *   evidence: number, isDoubtful: boolean}} Answer
 */

/**
 * Return the answer to a prepared picture.
 * @param {ArrayLike<number>} pixels 784 numbers from 0 (paper) to 1 (ink), row by row
 * @returns {Answer}
 * @throws {TypeError} if pixels are no array of numbers
 * @throws {RangeError} if their number is not 784, or one of them is outside 0 to 1
 */
export function predict(pixels) {
  requirePixels(pixels);
  return answerTo(outputsFor(pixels));
}

/**
 * Return whether this file is intact: its sample picture gets the answer that is stored beside it.
 * @returns {boolean}
 */
export function check() {
  const bytes = bytesOf(sample.pixels);
  const pixels = Array.from({ length: bytes.byteLength }, (_, i) => bytes.getUint8(i) * BYTE_SCALE);
  const { probabilities, evidence } = answerTo(sample.outputs);
  return (
    areClose(outputsFor(pixels), sample.outputs, TOLERANCE) &&
    indexOfLargest(probabilities) === sample.label &&
    areClose([...probabilities, evidence], [...sample.probabilities, sample.evidence], ROUNDING)
  );
}

/**
 * Return the answer that outputs stand for.
 * @returns {Answer}
 */
function answerTo(outputs) {
  const probabilities = probabilitiesOf(outputs, about.temperature);
  const best = indexOfLargest(probabilities);
  const confidence = probabilities[best];
  const evidence = evidenceOf(outputs, about.output);
  const isDoubtful = !(confidence >= about.min_confidence && evidence >= about.min_evidence);
  const name = classNames[best];
  const digit = NUMBER.test(name) ? Number(name) : name;
  return { digit, probabilities, confidence, evidence, isDoubtful };
}

function areClose(some, others, tolerance) {
  return others.every((value, i) => Math.abs(value - some[i]) <= tolerance);
}

/** @type {Layers | null} decoded when first used */
let layers = null;
/** @type {{z: Float64Array[], a: Float64Array[]} | null} what the layers compute in */
let state = null;

/** Return the activations of the last layer. */
function outputsFor(pixels) {
  if (!layers) {
    const { layer_sizes: sizes, activation, output } = about;
    layers = new Layers({ sizes, activation, output }, weights.map(floatsOf));
    state = layers.emptyState();
  }
  const [input] = state.a;
  for (let i = 0; i < input.length; i++) input[i] = Math.fround(pixels[i]);
  layers.feedforward(state);
  return state.a[state.a.length - 1];
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
