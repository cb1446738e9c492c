// Turn the network's scores of candidates into costs, in nats.

const EVIDENCE_MIDPOINT = 0.55; // nats: a digit and a non-digit are equally likely
const EVIDENCE_SCALE = 0.4; // nats: the odds of a digit grow e-fold with this much more evidence
export const CLEAR_COST = 0.8; // nats: a candidate that costs less is clearly a digit

/**
 * Scores of n pictures: probabilities (n, classes), evidence (n,) in nats.
 * @typedef {{probabilities: number[][], evidence: number[]}} Judgement
 */
/** @typedef {(images: Uint8Array[]) => Judgement} Score scores prepared pictures */

/**
 * Return the cost of each candidate in nats: little evidence and doubt cost.
 *
 * The cost is -log P(it is a digit) - log P(the likeliest digit).
 * @param {Judgement} judgement
 * @returns {number[]}
 */
export function networkCosts({ probabilities, evidence }) {
  return evidence.map((nats, i) => {
    const odds = (EVIDENCE_MIDPOINT - nats) / EVIDENCE_SCALE;
    const notDigit = odds > 0 ? odds + Math.log1p(Math.exp(-odds)) : Math.log1p(Math.exp(odds));
    return notDigit - Math.log(Math.max(...probabilities[i], 1e-6));
  });
}
