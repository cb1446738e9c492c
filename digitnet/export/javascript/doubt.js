// Decide when an answer is `?`.

/**
 * What the preparation of a picture found. digits: how many digits the picture seems to hold. prior:
 * cost in nats of the ink outside the digit and of its position.
 * @typedef {{digits: number, prior: number}} PictureCounts
 */
/** @typedef {{min_confidence: number, min_evidence: number}} Thresholds 0 to 1; nats */

/** @type {PictureCounts} */
export const ONE_DIGIT = { digits: 1, prior: 0 };

/**
 * Return whether a threshold is not reached, or not exactly one digit was found; never without
 * thresholds.
 *
 * If evidence has a threshold, the prior is subtracted from evidence first.
 * @param {{confidence: number, evidence: number}} answer 0 to 1; nats
 * @param {Thresholds} thresholds
 * @param {PictureCounts} picture
 * @returns {boolean}
 */
export function isDoubtful({ confidence, evidence }, thresholds, { digits, prior }) {
  const { min_confidence: minConfidence, min_evidence: minEvidence } = thresholds;
  if (!minConfidence && !minEvidence) return false;
  const left = evidence - (minEvidence ? prior : 0);
  return !(confidence >= minConfidence && left >= minEvidence && digits === 1);
}
