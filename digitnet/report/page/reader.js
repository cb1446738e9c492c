// Reads the pad as `digitnet predict` reads a picture.

import { evidenceOf, probabilitiesOf } from "./answer.js";
import { lightOf } from "./image/files.js";
import { read } from "./image/reading.js";
import { PAD_SIDE } from "./pad.js";

/** @typedef {import("./network.js").Net} Net */
/**
 * pixels: 784 bytes for the network, all 0 without a digit. error: why there is no digit; null
 * if there is one.
 * @typedef {{pixels: Uint8Array, digits: number, prior: number, error: string | null}} PadReading
 */

const NOTHING = { digits: 1, prior: 0 };

/**
 * Return what is read from a pad's pixels.
 * @param {Uint8ClampedArray} rgba
 * @param {Net} net scores candidates; the activations that it keeps are overwritten
 * @param {{temperature: number}} model
 * @returns {PadReading}
 */
export function readPad(rgba, net, model) {
  const score = (images) => scoresOf(images, net, model.temperature);
  const found = read(lightOf(rgba, PAD_SIDE, PAD_SIDE), score);
  if ("error" in found) return { ...NOTHING, pixels: new Uint8Array(784), error: found.error };
  return { pixels: found.image, digits: found.digits, prior: found.prior, error: null };
}

/**
 * Return what the network thinks of prepared pictures.
 * @param {Uint8Array[]} images
 * @param {Net} net
 * @param {number} temperature
 * @returns {{probabilities: number[][], evidence: number[]}}
 */
function scoresOf(images, net, temperature) {
  const probabilities = [];
  const evidence = [];
  for (const image of images) {
    const outputs = net.forward(image);
    probabilities.push(probabilitiesOf(outputs, temperature));
    evidence.push(evidenceOf(outputs));
  }
  return { probabilities, evidence };
}
