// The probabilities that outputs stand for, and the evidence for them.

const MIN_PROBABILITY = 2 ** -126; // lower bound in the evidence
// The smallest positive float32 that each output returns: replaces 0 in the evidence.
const MIN_OUTPUTS = { sigmoid: 2 ** -25, softmax: 2 ** -149 };
const SMALLEST_MAXIMUM = 2 ** -1022; // smallest normal number: avoids division by 0

/**
 * Return probabilities, in proportion to a^(1/T), of the last layer's activations a at temperature T;
 * uniform where their sum is 0 or not finite.
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
 * Return the index of the largest number, the first one of equal numbers.
 * @param {number[]} numbers
 * @returns {number}
 */
export function indexOfLargest(numbers) {
  let best = 0;
  for (let i = 1; i < numbers.length; i++) if (numbers[i] > numbers[best]) best = i;
  return best;
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
