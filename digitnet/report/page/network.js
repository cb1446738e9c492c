// The network: pixels in, outputs out, and the slopes of a neuron's weighted input.

/** @typedef {{sizes: number[], activation: string, output: string}} Architecture */

/**
 * Return the floats that base64 text holds.
 * @param {string} text base64 of little-endian numbers
 * @param {string} kind "float32" or "float16"
 * @returns {Float32Array}
 */
export function floatsOf(text, kind) {
  const raw = atob(text);
  const bytes = new Uint8Array(raw.length);
  for (let i = 0; i < raw.length; i++) bytes[i] = raw.charCodeAt(i);
  if (kind === "float32") return new Float32Array(bytes.buffer);
  return Float32Array.from(new Uint16Array(bytes.buffer), halfToFloat);
}

/** Return the number that 16 bits stand for (IEEE 754, binary16). */
function halfToFloat(half) {
  const sign = half & 0x8000 ? -1 : 1;
  const exponent = (half >> 10) & 31;
  const fraction = half & 1023;
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

const PIXEL_SCALE = Math.fround(1 / 255);

// σ, and its derivative as a function of a = σ(z).
const ACTIVATIONS = {
  sigmoid: { value: (z) => 1 / (1 + Math.exp(-z)), slope: (a) => a * (1 - a) },
  tanh: { value: Math.tanh, slope: (a) => 1 - a * a },
  relu: { value: (z) => (z > 0 ? z : 0), slope: (a) => (a > 0 ? 1 : 0) },
};

/** Return σ(z) with the rounding of float32: (1 + tanh(z/2)) / 2 is exactly 0 for low z. */
function outputSigmoid(z) {
  return Math.fround(Math.fround(Math.fround(Math.tanh(z / 2)) * 0.5) + 0.5);
}

/** Write eᶻ / Σ eᶻ to a. */
function softmax(z, a) {
  let highest = -Infinity;
  for (let j = 0; j < z.length; j++) if (z[j] > highest) highest = z[j];
  let total = 0;
  for (let j = 0; j < z.length; j++) total += a[j] = Math.exp(z[j] - highest);
  for (let j = 0; j < z.length; j++) a[j] /= total;
}

/**
 * Layers of neurons, each connected to the whole layer before it.
 *
 * z[l] and a[l + 1]: weighted inputs and activations of layer l + 1 for the last picture; a[0]:
 * its pixels, 0 to 1.
 */
export class Net {
  /**
   * @param {Architecture} model
   * @param {Float32Array[]} matrices per layer [W b] transposed, (n_in + 1, n_out): the weights of
   * one input lie side by side, and the biases come last
   */
  constructor(model, matrices) {
    this.sizes = model.sizes;
    this.hidden = ACTIVATIONS[model.activation];
    this.isSoftmax = model.output === "softmax";
    this.matrices = matrices;
    this.z = this.sizes.slice(1).map((n) => new Float64Array(n));
    this.a = this.sizes.map((n) => new Float64Array(n));
    this.active = new Int32Array(Math.max(...this.sizes));
  }

  /** Return the weight of layer l from neuron i to neuron j. */
  weight(l, j, i) {
    return this.matrices[l][i * this.sizes[l + 1] + j];
  }

  /** Return the bias of layer l's neuron j. */
  bias(l, j) {
    return this.weight(l, j, this.sizes[l]);
  }

  /**
   * Return the activations of the last layer; `z` and `a` keep those of every layer.
   * @param {Uint8Array} pixels 0 to 255
   * @returns {Float64Array} valid until the next call
   */
  forward(pixels) {
    const { sizes, a, z, hidden } = this;
    for (let i = 0; i < sizes[0]; i++) a[0][i] = Math.fround(pixels[i] * PIXEL_SCALE);
    const last = z.length - 1;
    for (let l = 0; l <= last; l++) {
      const output = a[l + 1];
      this.weigh(l, a[l], z[l]);
      if (l < last) for (let j = 0; j < output.length; j++) output[j] = hidden.value(z[l][j]);
      else if (this.isSoftmax) softmax(z[l], output);
      else for (let j = 0; j < output.length; j++) output[j] = outputSigmoid(z[l][j]);
    }
    return a[last + 1];
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

  /**
   * Return the slope of Σ factors × z[layer] by each pixel, for the last picture.
   * @param {number} layer index into `z`
   * @param {ArrayLike<number>} factors one per neuron of that layer
   * @returns {Float64Array}
   */
  slopes(layer, factors) {
    let delta = factors;
    for (let l = layer; ; l--) {
      const W = this.matrices[l];
      const n = delta.length;
      const back = new Float64Array(this.sizes[l]);
      for (let i = 0; i < back.length; i++) {
        let sum = 0;
        for (let j = 0, at = i * n; j < n; j++) sum += delta[j] * W[at + j];
        back[i] = l > 0 ? sum * this.hidden.slope(this.a[l][i]) : sum;
      }
      if (l === 0) return back;
      delta = back;
    }
  }
}
