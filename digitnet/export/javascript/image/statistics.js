// Sums, means and quantiles with NumPy's rounding, so that thresholds have the same bits.

const PAIRWISE_BLOCK = 128; // values: shorter arrays are summed in eight columns
const BUFFERED_VALUES = 8192; // values: NumPy sums so many of a part of a picture at once

/** Return a number rounded to a whole one, ties to the even one. */
export function roundHalfEven(value) {
  const floor = Math.floor(value);
  const rest = value - floor;
  if (rest !== 0.5) return rest < 0.5 ? floor : floor + 1;
  return floor % 2 === 0 ? floor : floor + 1;
}

/**
 * Return the float32 sum: halves are summed apart, as NumPy does.
 * @param {Float32Array} values
 * @returns {number}
 */
export function pairwiseSum(values, start = 0, n = values.length) {
  const { fround } = Math;
  if (n > PAIRWISE_BLOCK) {
    const half = (n >> 1) - ((n >> 1) % 8);
    const first = pairwiseSum(values, start, half);
    return fround(first + pairwiseSum(values, start + half, n - half));
  }
  let sum = 0;
  let i = 0;
  if (n >= 8) {
    const [a, b, c, d, e, f, g, h] = columnSums(values, start, n - (n % 8));
    sum = fround(fround(fround(a + b) + fround(c + d)) + fround(fround(e + f) + fround(g + h)));
    i = n - (n % 8);
  }
  for (; i < n; i++) sum = fround(sum + values[start + i]);
  return sum;
}

/**
 * Return the float32 sum of a part of a wider picture: NumPy takes whole rows into a buffer.
 * @param {Float32Array} values
 * @param {number} width
 */
export function bufferedSum(values, width) {
  const together = Math.floor(BUFFERED_VALUES / width) * width;
  let sum = 0;
  for (let start = 0; start < values.length; start += together) {
    const n = Math.min(together, values.length - start);
    sum = Math.fround(sum + pairwiseSum(values, start, n));
  }
  return sum;
}

const SUMS = new Float32Array(8);

/** Return the sums of every eighth of n values, n a multiple of 8. */
function columnSums(values, start, n) {
  for (let k = 0; k < 8; k++) SUMS[k] = values[start + k];
  for (let i = start + 8; i < start + n; i += 8)
    for (let k = 0; k < 8; k++) SUMS[k] += values[i + k];
  return SUMS;
}

/** @param {Float32Array} values */
export function meanOf(values) {
  return Math.fround(pairwiseSum(values) / values.length);
}

export function meanOfThree(a, b, c) {
  return Math.fround(Math.fround(Math.fround(a + b) + c) / 3);
}

/**
 * Return the standard deviation.
 * @param {Float32Array} values
 */
export function deviationOf(values) {
  const mean = meanOf(values);
  const squares = new Float32Array(values.length);
  for (let k = 0; k < values.length; k++) {
    const difference = Math.fround(values[k] - mean);
    squares[k] = difference * difference;
  }
  return Math.fround(Math.sqrt(meanOf(squares)));
}

/**
 * Return the values up to a limit, and those above it.
 * @param {Float32Array} values
 * @param {number} limit
 * @returns {[Float32Array, Float32Array]}
 */
export function splitAt(values, limit) {
  let n = 0;
  for (let k = 0; k < values.length; k++) if (values[k] <= limit) n++;
  const [low, high] = [new Float32Array(n), new Float32Array(values.length - n)];
  for (let k = 0, i = 0, j = 0; k < values.length; k++) {
    if (values[k] <= limit) low[i++] = values[k];
    else high[j++] = values[k];
  }
  return [low, high];
}

/**
 * Return a quantile, interpolated linearly (Hyndman and Fan 1996, definition 7).
 * @param {Float32Array} values
 * @param {number} share 0 to 1
 */
export function quantileOf(values, share) {
  const { fround } = Math;
  const sorted = values.slice().sort();
  const place = (values.length - 1) * share;
  const index = Math.floor(place);
  const [low, high] = [sorted[index], sorted[Math.min(index + 1, values.length - 1)]];
  const rest = place - index;
  const step = fround(high - low);
  if (rest >= 0.5) return fround(high - fround(step * fround(1 - rest)));
  return fround(low + fround(step * fround(rest)));
}

/** @param {Float32Array} values */
export function medianOf(values) {
  const sorted = values.slice().sort();
  const middle = values.length >> 1;
  if (values.length % 2) return sorted[middle];
  return Math.fround(Math.fround(sorted[middle - 1] + sorted[middle]) / 2);
}

/**
 * Return the minimum and the maximum.
 * @param {Float32Array} values
 * @returns {[number, number]}
 */
export function extremesOf(values) {
  let [least, most] = [Infinity, -Infinity];
  for (let k = 0; k < values.length; k++) {
    const value = values[k];
    if (value < least) least = value;
    if (value > most) most = value;
  }
  return [least, most];
}
