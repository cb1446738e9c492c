// What the first layer's neurons look for: their weights as pictures, with live activations.

import { Thumbnail } from "./colours.js";
import { all, byId, make } from "./dom.js";
import { firstWeights } from "./inspector.js";
import { counted } from "./text.js";
import { pageTheme } from "./themes.js";

const ALL_SHOWN = 64; // neurons: of larger layers, the rest is folded
const FIRST_SHOWN = 42; // neurons with the largest weights, shown of a larger layer

/** @typedef {import("./network.js").Net} Net */
/** @typedef {import("./stage.js").Neuron} Neuron */
/** @typedef {{j: number, button: HTMLButtonElement, bar: HTMLElement, picture: Thumbnail}} Tile */

export class Tiles {
  /**
   * @param {Net} net
   * @param {number[]} reach length of each neuron's weights
   * @param {(neuron: Neuron | null) => void} onChoose
   */
  constructor(net, reach, onChoose) {
    this.net = net;
    this.onChoose = onChoose;
    const n = net.sizes[1];
    const order = Array.from({ length: n }, (_, j) => j);
    if (n > ALL_SHOWN) order.sort((p, q) => reach[q] - reach[p]);
    const first = n > ALL_SHOWN ? FIRST_SHOWN : n;
    byId("tiles").classList.toggle("many", n > ALL_SHOWN);
    /** @type {Tile[]} */
    this.tiles = this.add(byId("tiles"), order.slice(0, first));
    /** @type {Tile[]} made when they are unfolded */
    this.rest = [];
    this.marked = -1;
    this.level = (/** @type {number} */ _j) => 0;
    byId("rest")?.addEventListener("toggle", () => {
      if (!this.rest.length) this.rest = this.add(byId("rest-tiles"), order.slice(first));
      this.showRest();
    });
  }

  /** @param {HTMLElement} box @param {number[]} neurons @returns {Tile[]} */
  add(box, neurons) {
    const tiles = neurons.map((j) => this.tile(j));
    box.append(...tiles.map((tile) => tile.button));
    return tiles;
  }

  /** @returns {Tile} */
  tile(j) {
    const canvas = make("canvas", { ariaHidden: "true" });
    const bar = make("i");
    const button = make("button", { type: "button", className: "tile" }, canvas);
    button.append(make("span", { className: "bar" }, bar));
    button.setAttribute("aria-label", `Neuron ${counted(j + 1)} of layer 1`);
    button.setAttribute("aria-pressed", String(j === this.marked));
    button.addEventListener("click", () => this.onChoose(this.marked === j ? null : [0, j]));
    const tile = { j, button, bar, picture: new Thumbnail(canvas) };
    this.paintTile(tile);
    return tile;
  }

  paintTile({ picture, j }) {
    picture.showSigned(firstWeights(this.net, j), pageTheme());
  }

  /** Paint all weights in the colours of the theme. */
  paint() {
    for (const tile of [...this.tiles, ...this.rest]) this.paintTile(tile);
  }

  /**
   * Show how active the neurons are.
   * @param {(j: number) => number} level 0 to 1
   */
  showLevels(level) {
    this.level = level;
    for (const tile of this.tiles) this.showLevel(tile);
  }

  /** Show how active the unfolded rest is: thousands of bars, so not with each stroke. */
  showRest() {
    if (byId("rest")?.open) for (const tile of this.rest) this.showLevel(tile);
  }

  showLevel({ bar, j }) {
    bar.style.setProperty("--share", this.level(j).toFixed(3));
  }

  /** @param {Neuron | null} neuron the chosen one */
  mark(neuron) {
    this.marked = neuron?.[0] === 0 ? neuron[1] : -1;
    for (const button of all(".tile[aria-pressed=true]"))
      button.setAttribute("aria-pressed", "false");
    const tile = [...this.tiles, ...this.rest].find(({ j }) => j === this.marked);
    tile?.button.setAttribute("aria-pressed", "true");
  }
}
