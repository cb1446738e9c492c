// What neurons add to the next layer: activation × weight, and which contributions are strongest.

import { MAX_CIRCLES } from "./arrangement.js";

const MAX_LINES = 140; // between layers of which one is a grid
const ALL_LINES = 420; // between two layers of circles
const FIRST_LINES = 150; // from the pixels to a layer of circles
const INTO_CHOSEN = 60; // into a chosen neuron
const ALL_PAIRS = 20_000; // pairs of neurons: with more, only the most active neurons are looked at

/** @typedef {import("./network.js").Net} Net */

/** Contributions into a layer. value: relative to the strongest one, -1 to 1. */
class Lines {
  /** @param {number} most lines that there is room for */
  constructor(most) {
    this.count = 0;
    this.from = new Int32Array(most);
    this.to = new Int32Array(most);
    this.value = new Float32Array(most);
    this.sizes = new Float32Array(most);
  }

  add(from, to, value) {
    if (value === 0) return;
    this.from[this.count] = from;
    this.to[this.count] = to;
    this.value[this.count++] = value;
  }

  /** Keep the strongest lines from index `start` on. */
  keep(start, most) {
    const found = this.count - start;
    if (found <= most) return;
    const sizes = this.sizes.subarray(0, found);
    for (let k = 0; k < found; k++) sizes[k] = Math.abs(this.value[start + k]);
    sizes.sort();
    const least = sizes[found - most];
    let end = start;
    for (let k = start; k < this.count && end < start + most; k++) {
      if (Math.abs(this.value[k]) < least) continue;
      this.from[end] = this.from[k];
      this.to[end] = this.to[k];
      this.value[end++] = this.value[k];
    }
    this.count = end;
  }

  scale() {
    let most = 0;
    for (let k = 0; k < this.count; k++) most = Math.max(most, Math.abs(this.value[k]));
    for (let k = 0; k < this.count; k++) this.value[k] /= most || 1;
  }
}

/** The strongest contributions into each layer, for the network's last picture. */
export class Contributions {
  /** @param {Net} net */
  constructor(net) {
    this.net = net;
    this.layers = net.z.map((_, l) => new Lines(maxPairs(net.sizes, l)));
    this.chosen = new Lines(Math.max(...net.sizes));
    const most = Math.max(...net.sizes);
    this.inputs = new Int32Array(most);
    this.outputs = new Int32Array(most);
    this.levels = new Float64Array(most);
  }

  /** Find them anew. */
  update() {
    this.layers.forEach((lines, l) => this.updateLayer(lines, l));
  }

  /** @param {Lines} lines @param {number} l */
  updateLayer(lines, l) {
    const { net, inputs, outputs } = this;
    const [before, after] = [net.sizes[l], net.sizes[l + 1]];
    const isSmall = before * after <= 4096;
    const m = this.mostActive(net.a[l], l === 0 || isSmall ? before : 32, inputs);
    const n =
      before * after <= ALL_PAIRS
        ? indices(outputs, after)
        : this.mostActive(net.a[l + 1], 40, outputs);
    const fansIn = l === 0 && after <= MAX_CIRCLES;
    const each = Math.max(Math.floor(FIRST_LINES / after), 3);
    lines.count = 0;
    for (let q = 0; q < n; q++) {
      const j = outputs[q];
      const start = lines.count;
      for (let p = 0; p < m; p++)
        lines.add(inputs[p], j, net.weight(l, j, inputs[p]) * net.a[l][inputs[p]]);
      if (fansIn) lines.keep(start, each);
    }
    const areCircles = before <= MAX_CIRCLES && after <= MAX_CIRCLES && lines.count <= ALL_LINES;
    if (!fansIn && !areCircles) lines.keep(0, MAX_LINES);
    lines.scale();
  }

  /**
   * Return the strongest contributions into one neuron.
   * @param {number} l index into `net.z`
   * @param {number} j
   * @returns {Lines}
   */
  into(l, j) {
    const { net, chosen } = this;
    chosen.count = 0;
    for (let i = 0; i < net.sizes[l]; i++) chosen.add(i, j, net.weight(l, j, i) * net.a[l][i]);
    chosen.keep(0, INTO_CHOSEN);
    chosen.scale();
    return chosen;
  }

  /** Write the indices of the `most` most active neurons; return how many were written. */
  mostActive(activations, most, found) {
    const n = activations.length;
    let least = 0;
    if (most < n) {
      const levels = this.levels.subarray(0, n);
      for (let i = 0; i < n; i++) levels[i] = Math.abs(activations[i]);
      levels.sort();
      least = levels[n - most];
    }
    let count = 0;
    for (let i = 0; i < n && count < most; i++)
      if (activations[i] !== 0 && Math.abs(activations[i]) >= least) found[count++] = i;
    return count;
  }
}

function maxPairs(sizes, l) {
  const [before, after] = [sizes[l], sizes[l + 1]];
  if (before * after <= 4096) return before * after;
  const inputs = l === 0 ? before : Math.min(before, 32);
  return inputs * (before * after <= ALL_PAIRS ? after : Math.min(after, 40));
}

function indices(found, count) {
  for (let i = 0; i < count; i++) found[i] = i;
  return count;
}
