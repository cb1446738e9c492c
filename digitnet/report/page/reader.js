// Reads the pad as `digitnet predict` reads a picture.

import { ONE_DIGIT, scoreOf } from "./answer.js";
import { lightOf } from "./image/files.js";
import { read } from "./image/reading.js";
import { PAD_SIDE } from "./pad.js";

/** @typedef {import("./network.js").Net} Net */
/**
 * pixels: 784 bytes for the network, all 0 without a digit. error: why there is no digit; null
 * if there is one.
 * @typedef {{pixels: Uint8Array, digits: number, prior: number, error: string | null}} PadReading
 */

/**
 * Return what is read from a pad's pixels.
 * @param {Uint8ClampedArray} rgba
 * @param {Net} net scores candidates; the activations that it keeps are overwritten
 * @param {import("./answer.js").AnswerModel} model
 * @returns {PadReading}
 */
export function readPad(rgba, net, model) {
  const found = read(lightOf(rgba, PAD_SIDE, PAD_SIDE), scoreOf(net, model));
  if ("error" in found) return { ...ONE_DIGIT, pixels: new Uint8Array(784), error: found.error };
  return { pixels: found.image, digits: found.digits, prior: found.prior, error: null };
}
