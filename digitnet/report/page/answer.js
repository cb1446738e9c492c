// The answer that outputs of the network stand for, and whether it is `?`.

import { ONE_DIGIT, isDoubtful } from "../../export/javascript/doubt.js";
import { PHOTO_ADVICE } from "../../export/javascript/image/look.js";
import { judge } from "../../export/javascript/judgement.js";

/** @typedef {import("../../export/javascript/doubt.js").PictureCounts} PictureCounts */
/** @typedef {import("../../export/javascript/doubt.js").Thresholds} Thresholds */
/** @typedef {import("../../export/javascript/judgement.js").Scale & Thresholds} AnswerModel */
/**
 * best, second: the two likeliest classes. shares: probabilities. evidence: nats. reason: why the
 * answer is `?`, null if it is not.
 * @typedef {{shares: number[], best: number, second: number, confidence: number,
 *   evidence: number, reason: string | null}} Answer
 */

/**
 * Return the answer to one picture.
 * @param {ArrayLike<number>} outputs activations of the last layer
 * @param {AnswerModel} model
 * @param {PictureCounts} [reading]
 * @returns {Answer}
 */
export function answerOf(outputs, model, reading = ONE_DIGIT) {
  const { probabilities: shares, best, confidence, evidence } = judge(outputs, model);
  let second = best === 0 ? 1 : 0;
  for (let i = 0; i < shares.length; i++) if (i !== best && shares[i] > shares[second]) second = i;
  const reason = whyDoubtful({ confidence, evidence }, model, reading);
  return { shares, best, second, confidence, evidence, reason };
}

/** Return why the answer is `?`; null if it is not. */
function whyDoubtful({ confidence, evidence }, thresholds, reading) {
  if (!isDoubtful({ confidence, evidence }, thresholds, reading)) return null;
  const { min_confidence: minConfidence, min_evidence: minEvidence } = thresholds;
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
