// Which neuron is looked at: pointed at, clicked on, or reached with the arrow keys.

const LAYER_KEYS = { ArrowRight: 1, ArrowLeft: -1 };
const NEURON_KEYS = { ArrowDown: 1, ArrowUp: -1 };

/** @typedef {import("./stage.js").Stage} Stage */
/** @typedef {import("./stage.js").Neuron} Neuron */

export class Choice {
  /**
   * @param {Stage} stage
   * @param {(neuron: Neuron | null, isByKey: boolean) => void} onChange
   */
  constructor(stage, onChange) {
    this.stage = stage;
    this.onChange = onChange;
    /** @type {Neuron | null} */
    this.neuron = null;
    this.isPinned = false;
    const { canvas } = stage;
    canvas.addEventListener("pointermove", (event) => {
      if (!this.isPinned && event.pointerType !== "touch") this.choose(this.under(event), false);
    });
    canvas.addEventListener("pointerleave", () => {
      if (!this.isPinned) this.choose(null, false);
    });
    canvas.addEventListener("click", (event) => {
      const neuron = this.under(event);
      this.choose(neuron, neuron !== null);
    });
    canvas.addEventListener("keydown", (event) => {
      if (this.press(event.key)) event.preventDefault();
    });
  }

  under(event) {
    const box = this.stage.canvas.getBoundingClientRect();
    return this.stage.neuronAt(event.clientX - box.left, event.clientY - box.top);
  }

  /**
   * @param {Neuron | null} neuron
   * @param {boolean} isPinned whether it stays chosen when the pointer leaves it
   */
  choose(neuron, isPinned, isByKey = false) {
    this.isPinned = isPinned;
    const [l, j] = this.neuron || [-1, -1];
    const [nextLayer, nextNeuron] = neuron || [-1, -1];
    if (l === nextLayer && j === nextNeuron) return;
    this.neuron = neuron;
    this.onChange(neuron, isByKey);
  }

  /** Return whether a key chooses a neuron, after choosing it. */
  press(key) {
    if (key === "Escape") this.choose(null, false, true);
    else if (key in LAYER_KEYS) this.changeLayer(LAYER_KEYS[key]);
    else if (key in NEURON_KEYS) this.changeNeuron(NEURON_KEYS[key]);
    else return false;
    return true;
  }

  changeNeuron(step) {
    const [l, j] = this.neuron || [0, step > 0 ? -1 : 0];
    const n = this.stage.net.z[l].length;
    this.choose([l, (j + step + n) % n], true, true);
  }

  changeLayer(step) {
    const { z } = this.stage.net;
    if (!this.neuron) {
      this.choose([step > 0 ? 0 : z.length - 1, 0], true, true);
      return;
    }
    const [from, j] = this.neuron;
    const l = (from + step + z.length) % z.length;
    const share = (j + 0.5) / z[from].length;
    this.choose([l, Math.min(Math.floor(share * z[l].length), z[l].length - 1)], true, true);
  }
}
