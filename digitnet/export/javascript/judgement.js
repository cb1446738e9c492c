// What the network's outputs say about a picture.

import { evidenceOf, indexOfLargest, probabilitiesOf } from "./probabilities.js";

/** @typedef {{output: string, temperature: number}} Scale what makes probabilities of outputs */
/**
 * best: index of the likeliest class. confidence: its probability. evidence: nats from 0, how far the
 * outputs are from a uniform distribution.
 * @typedef {{probabilities: number[], best: number, confidence: number, evidence: number}} Judged
 */

/**
 * Return the probabilities and the evidence that outputs stand for.
 * @param {ArrayLike<number>} outputs activations of the last layer
 * @param {Scale} scale
 * @returns {Judged}
 */
export function judge(outputs, { output, temperature }) {
  const probabilities = probabilitiesOf(outputs, temperature);
  const best = indexOfLargest(probabilities);
  const evidence = evidenceOf(outputs, output);
  return { probabilities, best, confidence: probabilities[best], evidence };
}

/**
 * Return the function that scores prepared pictures with a network.
 * @param {(image: Uint8Array) => ArrayLike<number>} outputsFor
 * @param {Scale} scale
 * @returns {import("./image/evidence.js").Score}
 */
export function scoreOf(outputsFor, scale) {
  return (images) => {
    const judged = images.map((image) => judge(outputsFor(image), scale));
    return {
      probabilities: judged.map((each) => each.probabilities),
      evidence: judged.map((each) => each.evidence),
    };
  };
}
