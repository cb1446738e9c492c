// Which of the page's pictures excite a neuron most.

import { Net } from "./network.js";

const SLICE = 20; // ms of work before the browser may do something else

/** @typedef {import("./sheets.js").Sheet} Sheet */

export class Excitement {
  /**
   * @param {Net} net
   * @param {{sizes: number[], activation: string, output: string}} model
   * @param {Sheet} samples
   */
  constructor(net, model, samples) {
    this.net = new Net(model, net.matrices);
    this.samples = samples;
    /** @type {Promise<Float32Array[][]> | null} */
    this.computed = null;
  }

  /**
   * Return the positions of the pictures that excite a neuron most, the most exciting one first.
   * @param {[number, number]} neuron
   * @param {number} count
   * @returns {Promise<number[]>}
   */
  async most([l, j], count) {
    this.computed ||= this.compute();
    const activations = await this.computed;
    return activations
      .map((_, k) => k)
      .sort((p, q) => activations[q][l][j] - activations[p][l][j])
      .slice(0, count);
  }

  /** Return the activations of each picture, layer by layer. */
  async compute() {
    const activations = [];
    let started = performance.now();
    for (const pixels of await this.samples.pictures()) {
      this.net.forward(pixels);
      activations.push(this.net.a.slice(1).map((a) => Float32Array.from(a)));
      if (performance.now() - started < SLICE) continue;
      await new Promise((resume) => setTimeout(resume));
      started = performance.now();
    }
    return activations;
  }
}
