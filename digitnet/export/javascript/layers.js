// The network: pixels in, outputs out. Sums are float64, outputs are rounded to float32.

// Activation functions of the hidden layers.
const HIDDEN = {
  sigmoid: (z) => 1 / (1 + Math.exp(-z)),
  tanh: Math.tanh,
  relu: (z) => Math.max(z, 0),
};

/** Return the sigmoid of z as float32 rounds it: (1 + tanh(z/2)) / 2 is exactly 0 for low z. */
function outputSigmoid(z) {
  return Math.fround(Math.fround(Math.fround(Math.tanh(z / 2)) * 0.5) + 0.5);
}

/** Write the softmax of z to a, float32. */
function softmax(z, a) {
  let highest = -Infinity;
  for (let j = 0; j < z.length; j++) if (z[j] > highest) highest = z[j];
  let total = 0;
  for (let j = 0; j < z.length; j++) total += a[j] = Math.exp(z[j] - highest);
  for (let j = 0; j < z.length; j++) a[j] = Math.fround(a[j] / total);
}

/** @typedef {{sizes: number[], activation: string, output: string}} Architecture */
/**
 * Weighted inputs and activations for one picture. z[l], a[l + 1]: those of layer l + 1. a[0]: the
 * pixels, float32 from 0 to 1.
 * @typedef {{z: Float64Array[], a: Float64Array[]}} LayerState
 */

/** Layers of neurons, each connected to the whole layer before it. */
export class Layers {
  /**
   * @param {Architecture} architecture sizes: neurons per layer, the pixels first
   * @param {Float32Array[]} matrices per layer [W b] transposed, (n_in + 1, n_out): the weights of
   * one input lie side by side, and the biases come last
   */
  constructor({ sizes, activation, output }, matrices) {
    this.sizes = sizes;
    this.matrices = matrices;
    this.hidden = HIDDEN[activation];
    this.isSoftmax = output === "softmax";
    this.active = new Int32Array(Math.max(...sizes));
  }

  /** @returns {LayerState} zeros, for `feedforward` to compute in */
  emptyState() {
    return {
      z: this.sizes.slice(1).map((n) => new Float64Array(n)),
      a: this.sizes.map((n) => new Float64Array(n)),
    };
  }

  /**
   * Compute z and a of every layer from a[0].
   * @param {LayerState} state
   */
  feedforward({ z, a }) {
    const last = z.length - 1;
    for (let l = 0; l <= last; l++) {
      const output = a[l + 1];
      this.weigh(l, a[l], z[l]);
      if (l < last) for (let j = 0; j < output.length; j++) output[j] = this.hidden(z[l][j]);
      else if (this.isSoftmax) softmax(z[l], output);
      else for (let j = 0; j < output.length; j++) output[j] = outputSigmoid(z[l][j]);
    }
  }

  /** Write W a + b of layer l to z, four inputs at a time; inputs of 0 are skipped. */
  weigh(l, input, z) {
    const W = this.matrices[l];
    const n = z.length;
    const active = this.active;
    let count = 0;
    for (let i = 0; i < input.length; i++) if (input[i] !== 0) active[count++] = i;
    for (let j = 0, at = input.length * n; j < n; j++) z[j] = W[at + j];
    let k = 0;
    for (; k + 3 < count; k += 4) {
      const [p, q, r, s] = [active[k], active[k + 1], active[k + 2], active[k + 3]];
      const [a, b, c, d] = [input[p], input[q], input[r], input[s]];
      const [A, B, C, D] = [p * n, q * n, r * n, s * n];
      for (let j = 0; j < n; j++) z[j] += a * W[A + j] + b * W[B + j] + c * W[C + j] + d * W[D + j];
    }
    for (; k < count; k++) {
      const a = input[active[k]];
      const A = active[k] * n;
      for (let j = 0; j < n; j++) z[j] += a * W[A + j];
    }
  }
}
