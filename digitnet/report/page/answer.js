// The answer that outputs of the network stand for, and whether it is `?`.

import { PHOTO_ADVICE } from "./image/look.js";

const MIN_PROBABILITY = 2 ** -126; // lower bound in the evidence
// The smallest positive float32 that each output returns: replaces 0 in the evidence.
const MIN_OUTPUTS = { sigmoid: 2 ** -25, softmax: 2 ** -149 };
const SMALLEST_MAXIMUM = 2 ** -1022; // smallest normal number: avoids division by 0

/** @typedef {{digits: number, prior: number}} PictureCounts what the preparation of a picture found */
/**
 * What makes an answer of outputs.
 * @typedef {{output: string, temperature: number, min_confidence: number,
 *   min_evidence: number}} AnswerModel
 */
/**
 * best, second: the two likeliest classes. shares: probabilities. evidence: nats. reason: why the
 * answer is `?`, null if it is not.
 * @typedef {{shares: number[], best: number, second: number, confidence: number,
 *   evidence: number, reason: string | null}} Answer
 */

export const ONE_DIGIT = { digits: 1, prior: 0 };

/**
 * Return the answer to one picture.
 * @param {ArrayLike<number>} outputs activations of the last layer
 * @param {AnswerModel} model
 * @param {PictureCounts} [reading]
 * @returns {Answer}
 */
export function answerOf(outputs, model, reading = ONE_DIGIT) {
  const shares = probabilitiesOf(outputs, model.temperature);
  let best = 0;
  for (let i = 1; i < shares.length; i++) if (shares[i] > shares[best]) best = i;
  let second = best === 0 ? 1 : 0;
  for (let i = 0; i < shares.length; i++) if (i !== best && shares[i] > shares[second]) second = i;
  const confidence = shares[best];
  const evidence = evidenceOf(outputs, model.output);
  const reason = whyDoubtful(confidence, evidence, reading, model);
  return { shares, best, second, confidence, evidence, reason };
}

/**
 * Return probabilities p_i ∝ a_i^(1/T) of the last layer's activations a; uniform where their sum
 * is 0 or not finite.
 * @param {ArrayLike<number>} outputs
 * @param {number} temperature
 * @returns {number[]}
 */
export function probabilitiesOf(outputs, temperature) {
  let a = Array.from(outputs, Math.fround);
  if (temperature !== 1) {
    const highest = Math.max(...a, SMALLEST_MAXIMUM);
    a = a.map((value) => (value / highest) ** (1 / temperature));
  }
  const total = a.reduce((sum, value) => sum + value, 0);
  return total > 0 && total < Infinity
    ? a.map((value) => value / total)
    : a.map(() => 1 / a.length);
}

/**
 * Return how far outputs are from a uniform distribution, nats from 0.
 * @param {ArrayLike<number>} outputs
 * @param {string} output "sigmoid" or "softmax"
 * @returns {number}
 */
export function evidenceOf(outputs, output) {
  const positive = Array.from(outputs, (a) => Math.max(Math.fround(a), MIN_OUTPUTS[output]));
  const logs = probabilitiesOf(positive, 1).map((p) => Math.log(Math.max(p, MIN_PROBABILITY)));
  const mean = logs.reduce((sum, log) => sum + log, 0) / logs.length;
  return Math.max(-mean - Math.log(logs.length), 0);
}

/**
 * Return the function that scores prepared pictures with a network, for `read`.
 * @param {import("./network.js").Net} net
 * @param {AnswerModel} model
 * @returns {import("./image/evidence.js").Score}
 */
export function scoreOf(net, model) {
  return (images) => {
    const judgement = { probabilities: [], evidence: [] };
    for (const image of images) {
      const outputs = net.forward(image);
      judgement.probabilities.push(probabilitiesOf(outputs, model.temperature));
      judgement.evidence.push(evidenceOf(outputs, model.output));
    }
    return judgement;
  };
}

/** Return why the answer is `?`; null if it is not. */
function whyDoubtful(confidence, evidence, reading, thresholds) {
  const { min_confidence: minConfidence, min_evidence: minEvidence } = thresholds;
  if (!minConfidence && !minEvidence) return null;
  const left = evidence - (minEvidence ? reading.prior : 0);
  if (confidence >= minConfidence && left >= minEvidence && reading.digits === 1) return null;
  if (reading.digits > 1) {
    const found = `found ${reading.digits} possible digits`;
    return `expected one digit, ${found}; to read numbers, use --digits any`;
  }
  if (confidence < minConfidence) {
    const found = `found ${withDecimals(confidence, 4)}`;
    return `expected a confidence of ${withDecimals(minConfidence, 4)} or more, ${found}`;
  }
  if (evidence < minEvidence) {
    const found = `found ${withDecimals(evidence, 2)}`;
    return `expected evidence of ${withDecimals(minEvidence, 2)} or more, ${found}`;
  }
  return `expected one digit, found a line, or a part of something larger; ${PHOTO_ADVICE}`;
}

/** Return a number as text, a tie rounded to the even digit, as Python does. */
function withDecimals(value, decimals) {
  const isTie = Math.abs((value * 2 ** (decimals + 1)) % 2) === 1;
  const scale = 10 ** decimals;
  return (isTie ? (2 * Math.round((value * scale) / 2)) / scale : value).toFixed(decimals);
}
