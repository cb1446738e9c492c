// Reads the pad as `digitnet predict` reads a picture.

import { ONE_DIGIT } from "../../export/javascript/doubt.js";
import { flatten } from "../../export/javascript/image/files.js";
import { readingOf } from "../../export/javascript/image/reading.js";
import { scoreOf } from "../../export/javascript/judgement.js";
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
  const picture = flatten({ data: rgba, width: PAD_SIDE, height: PAD_SIDE });
  const score = scoreOf((image) => net.forward(image), model);
  const found = readingOf(picture, score);
  if ("error" in found) return { ...ONE_DIGIT, pixels: new Uint8Array(784), error: found.error };
  return { pixels: found.image, digits: found.digits, prior: found.prior, error: null };
}
