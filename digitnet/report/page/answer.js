// The answer that outputs of the network stand for, and whether it is `?`.

import {
  evidenceOf,
  indexOfLargest,
  probabilitiesOf,
} from "../../export/javascript/probabilities.js";
import { PHOTO_ADVICE } from "./image/look.js";

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
  const best = indexOfLargest(shares);
  let second = best === 0 ? 1 : 0;
  for (let i = 0; i < shares.length; i++) if (i !== best && shares[i] > shares[second]) second = i;
  const confidence = shares[best];
  const evidence = evidenceOf(outputs, model.output);
  const reason = whyDoubtful(confidence, evidence, reading, model);
  return { shares, best, second, confidence, evidence, reason };
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
