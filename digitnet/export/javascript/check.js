// The module checks itself.

import { answerTo, outputsFor, scaledBytes } from "./answer.js";
import { bytesOf } from "./base64.js";
import { ONE_DIGIT } from "./doubt.js";
import { indexOfLargest } from "./probabilities.js";
import { sample } from "./sample.js";

const TOLERANCE = 1e-5; // of an output: the stored ones were computed in float32
const ROUNDING = 1e-9; // of a probability, and nats: the stored ones were computed in float64

/**
 * Return whether the network computes for the sample picture what digitnet computed.
 * @returns {boolean}
 */
export function check() {
  const pixels = scaledBytes(new Uint8Array(bytesOf(sample.pixels).buffer));
  const { probabilities, evidence } = answerTo(sample.outputs, ONE_DIGIT);
  return (
    areClose(outputsFor(pixels), sample.outputs, TOLERANCE) &&
    indexOfLargest(probabilities) === sample.label &&
    areClose([...probabilities, evidence], [...sample.probabilities, sample.evidence], ROUNDING)
  );
}

function areClose(some, others, tolerance) {
  return others.every((value, i) => Math.abs(value - some[i]) <= tolerance);
}
