// Why this answer: the pixels for and against it; or what one neuron looks for.

import { Thumbnail } from "./colours.js";
import { byId, setText } from "./dom.js";
import { Excitement } from "./excitement.js";
import { pictureButton } from "./sheets.js";
import { clipped, counted, decimal, kindOfPicture } from "./text.js";

const SHOWN = 8; // pictures that excite a neuron most

/** @typedef {import("./answer.js").Answer} Answer */
/** @typedef {import("./network.js").Net} Net */
/** @typedef {import("./sheets.js").Sheet} Sheet */
/** @typedef {import("./stage.js").Neuron} Neuron */

export class Inspector {
  /**
   * @param {Net} net
   * @param {{sizes: number[], activation: string, output: string, class_names: string[]}} model
   * @param {Sheet} samples
   * @param {(k: number) => void} onPicture puts a sample on the stage
   */
  constructor(net, model, samples, onPicture) {
    this.net = net;
    this.names = model.class_names.map((name) => clipped(name, 16));
    this.samples = samples;
    this.kind = kindOfPicture(samples.source.split);
    this.onPicture = onPicture;
    this.excitement = new Excitement(net, model, samples);
    this.looks = new Thumbnail(byId("looks"));
    this.got = new Thumbnail(byId("got"));
    this.given = new Float64Array(784);
    /** @type {Neuron | null} whose pictures are shown */
    this.excited = null;
  }

  /**
   * Show what speaks for an answer and against its rival; without an answer, what can be done here.
   * @param {Answer | null} answer
   * @param {"dark" | "light"} theme
   */
  explain(answer, theme) {
    this.clearPictures();
    if (!answer) {
      this.showSlopes(new Float64Array(784), theme, "", "");
      this.describe(
        "Draw on the pad",
        "Each neuron is as bright as it is active. Point at a neuron, or move among the neurons " +
          "with the arrow keys, to see what it looks for.",
      );
      return;
    }
    const factors = new Float64Array(this.names.length);
    factors[answer.best] = 1;
    factors[answer.second] = -1;
    const slopes = this.net.slopes(this.net.z.length - 1, factors);
    const [best, second] = [this.names[answer.best], this.names[answer.second]];
    this.showSlopes(slopes, theme, "slope", "slope × ink");
    this.describe(
      `Why ${best}, not ${second}?`,
      `Left: more ink on blue pixels speaks for ${best}, on red ones for ${second} (the slope of ` +
        `output ${best} − output ${second}). Right: that slope × ink, what the picture’s own ink does.`,
    );
  }

  /**
   * Show what a neuron looks for, and what the picture on the stage gives it.
   * @param {Neuron} neuron
   * @param {"dark" | "light"} theme
   */
  inspect([l, j], theme) {
    const { net } = this;
    const isFirst = l === 0;
    const slopes = isFirst ? firstWeights(net, j) : net.slopes(l, unit(net.z[l].length, j));
    const looksFor = isFirst ? "weights" : "slope";
    this.showSlopes(slopes, theme, looksFor, `${looksFor} × ink`);
    const title = `Layer ${l + 1}, neuron ${counted(j + 1)} of ${counted(net.z[l].length)}`;
    this.describe(l === net.z.length - 1 ? `Output ${this.names[j]}` : title, this.sumOf(l, j));
    this.showPictures([l, j]);
  }

  /** Return how a neuron's activation comes about. */
  sumOf(l, j) {
    const { net } = this;
    let [supporting, against] = [0, 0];
    for (let i = 0; i < net.sizes[l]; i++) {
      const given = net.weight(l, j, i) * net.a[l][i];
      if (given > 0) supporting += given;
      else against += given;
    }
    const parts = `${decimal(supporting)} for, ${decimal(against)} against, bias ${decimal(net.bias(l, j))}`;
    const z = decimal(net.z[l][j]);
    return `Activation ${decimal(net.a[l + 1][j])}, from the weighted input z = ${z}: ${parts}.`;
  }

  showSlopes(slopes, theme, looksFor, gets) {
    const { given, net } = this;
    for (let i = 0; i < 784; i++) given[i] = slopes[i] * net.a[0][i];
    this.looks.showSigned(slopes, theme);
    this.got.showSigned(given, theme);
    setText(byId("looks-text"), looksFor);
    setText(byId("got-text"), gets);
  }

  describe(title, text) {
    setText(byId("what"), title);
    setText(byId("about"), text);
  }

  /** @param {Neuron} neuron */
  async showPictures(neuron) {
    const [l, j] = neuron;
    if (!this.samples.labels.length || (this.excited?.[0] === l && this.excited[1] === j)) return;
    this.clearPictures();
    setText(byId("best-title"), "");
    this.excited = neuron;
    const order = await this.excitement.most(neuron, SHOWN);
    const pictures = await this.samples.pictures();
    if (this.excited !== neuron) return;
    const label = (k) => `${this.names[this.samples.labels[k]]}: put on the stage`;
    byId("best").replaceChildren(
      ...order.map((k) => pictureButton(pictures[k], label(k), () => this.onPicture(k))),
    );
    setText(byId("best-title"), `${this.kind}s that excite it most`);
  }

  clearPictures() {
    this.excited = null;
    setText(byId("best-title"), "Choose a neuron to see what it looks for.");
    if (byId("best").childElementCount) byId("best").replaceChildren();
  }
}

/**
 * Return the weights from all pixels to a neuron of the first layer.
 * @param {Net} net
 * @param {number} j
 * @returns {Float64Array}
 */
export function firstWeights(net, j) {
  return Float64Array.from({ length: 784 }, (_, i) => net.weight(0, j, i));
}

function unit(length, j) {
  const values = new Float64Array(length);
  values[j] = 1;
  return values;
}
