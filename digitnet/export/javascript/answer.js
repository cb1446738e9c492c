// Answers to prepared pixels.

import { about, classNames } from "./about.js";
import { floatsOf } from "./base64.js";
import { isDoubtful } from "./doubt.js";
import { judge } from "./judgement.js";
import { Layers } from "./layers.js";
import { weights } from "./weights.js";

const BYTE_SCALE = Math.fround(1 / 255);
const NUMBER = /^[0-9]{1,15}$/; // class names that are numbers, which JavaScript holds exactly

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
 * Return the answer that outputs stand for.
 * @param {ArrayLike<number>} outputs
 * @param {import("./doubt.js").PictureCounts} picture
 * @returns {Answer}
 */
export function answerTo(outputs, picture) {
  const { probabilities, best, confidence, evidence } = judge(outputs, about);
  const name = classNames[best];
  return {
    digit: NUMBER.test(name) ? Number(name) : name,
    probabilities,
    confidence,
    evidence,
    isDoubtful: isDoubtful({ confidence, evidence }, about, picture),
  };
}

/** @type {Layers | null} decoded when first used */
let layers = null;
/** @type {import("./layers.js").LayerState | null} what the layers compute in */
let state = null;

/**
 * Return the activations of the last layer, valid until the next call.
 * @param {ArrayLike<number>} pixels 784 numbers from 0 to 1
 * @returns {Float64Array}
 */
export function outputsFor(pixels) {
  if (!layers) {
    const { layer_sizes: sizes, activation, output } = about;
    layers = new Layers({ sizes, activation, output }, weights.map(floatsOf));
    weights.length = 0; // frees the text
    state = layers.emptyState();
  }
  const [input] = state.a;
  for (let i = 0; i < input.length; i++) input[i] = Math.fround(pixels[i]);
  layers.feedforward(state);
  return state.a[state.a.length - 1];
}

/**
 * Return bytes as numbers from 0 to 1.
 * @param {Uint8Array} bytes
 */
export function scaledBytes(bytes) {
  return Float32Array.from(bytes, (byte) => byte * BYTE_SCALE);
}
