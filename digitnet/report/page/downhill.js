// The way downhill, epoch by epoch: surface, slider, ball, and the network of that time.

import { answerOf } from "./answer.js";
import { Thumbnail } from "./colours.js";
import { byId, make, setText } from "./dom.js";
import { firstWeights } from "./inspector.js";
import { Landscape } from "./landscape.js";
import { Net } from "./network.js";
import { parametersOf } from "./parameters.js";
import { percent } from "./text.js";
import { isCalm, stageLook } from "./themes.js";

const ROLL_TIME = 7000; // ms from the start to the last epoch
const PER_PIXEL = 0.008; // radians that a drag by a pixel turns the surface
const PER_KEY = 0.12; // radians
const KEYS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
const SHOWN_NEURONS = 16; // of the first layer
const PLAIN = { temperature: 1, min_confidence: 0, min_evidence: 0 };

/** @typedef {{epochs: number[], weights: string[][]}} Snapshots base64 of float16, per layer */

export class Downhill {
  /**
   * @param {import("./surface.js").LandscapeData} data
   * @param {Snapshots | null} snapshots
   * @param {{sizes: number[], activation: string, output: string, class_names: string[]}} model
   */
  constructor(data, snapshots, model) {
    this.data = data;
    this.snapshots = snapshots;
    this.model = model;
    this.landscape = new Landscape(byId("land"), data);
    /** @type {Net[]} by snapshot, decoded when first shown */
    this.nets = [];
    this.shownSnapshot = -1;
    /** @type {Uint8Array} */
    this.pixels = new Uint8Array(784);
    this.frame = 0;
    const count = snapshots ? Math.min(model.sizes[1], SHOWN_NEURONS) : 0;
    this.tiles = Array.from({ length: count }, () => new Thumbnail(make("canvas")));
    byId("then")?.append(...this.tiles.map((tile) => tile.canvas));
    this.slider = byId("epoch");
    this.slider.max = data.path.length - 1;
    this.listen();
    this.goTo(data.path.length - 1);
  }

  listen() {
    const { canvas } = this.landscape;
    let grip = null;
    canvas.addEventListener("pointerdown", (event) => {
      canvas.setPointerCapture(event.pointerId);
      grip = [event.clientX, event.clientY];
    });
    canvas.addEventListener("pointermove", (event) => {
      if (!grip) return;
      const [x, y] = [event.clientX - grip[0], event.clientY - grip[1]];
      grip = [event.clientX, event.clientY];
      this.landscape.turnBy(-x * PER_PIXEL, y * PER_PIXEL);
    });
    for (const type of ["pointerup", "pointercancel"])
      canvas.addEventListener(type, () => {
        grip = null;
      });
    canvas.addEventListener("keydown", (event) => {
      if (!(event.key in KEYS)) return;
      event.preventDefault();
      const [turn, tilt] = KEYS[event.key];
      this.landscape.turnBy(turn * PER_KEY, tilt * PER_KEY);
    });
    this.slider.addEventListener("input", () => {
      this.stop();
      this.goTo(Number(this.slider.value));
    });
    byId("roll").addEventListener("click", () => (this.frame ? this.stop() : this.roll()));
  }

  /** Let the ball roll from the start to the last epoch. */
  roll() {
    const last = this.data.path.length - 1;
    if (isCalm()) {
      this.goTo(last);
      return;
    }
    const started = performance.now();
    const step = (now) => {
      const t = Math.min(Math.max(now - started, 0) / ROLL_TIME, 1); // a frame may have begun earlier
      this.goTo(last * t ** 1.6);
      if (t < 1) this.frame = requestAnimationFrame(step);
      else this.stop();
    };
    setText(byId("roll"), "Stop");
    this.frame = requestAnimationFrame(step);
  }

  stop() {
    cancelAnimationFrame(this.frame);
    this.frame = 0;
    setText(byId("roll"), "Roll downhill");
  }

  /** @param {number} at index into the path, or between two */
  goTo(at) {
    const { data, slider } = this;
    const k = Math.round(at);
    const epoch = data.epochs[k];
    this.landscape.at = at;
    this.landscape.draw();
    slider.value = k;
    slider.setAttribute("aria-valuetext", `epoch ${epoch}, cost ${data.costs[k].toPrecision(3)}`);
    setText(byId("h-epoch"), epoch === 0 ? `0 (${data.start})` : String(epoch));
    setText(byId("h-cost"), data.costs[k].toPrecision(3));
    setText(byId("h-right"), `${(100 * data.accuracies[k]).toFixed(1)} %`);
    this.showSnapshot(epoch);
  }

  /** Show the first layer, and what the picture was read as, at an epoch. */
  showSnapshot(epoch) {
    if (!this.snapshots) return;
    const distances = this.snapshots.epochs.map((each) => Math.abs(each - epoch));
    const nearest = distances.indexOf(Math.min(...distances));
    if (nearest === this.shownSnapshot) return;
    this.shownSnapshot = nearest;
    this.paint();
    this.read(this.pixels);
  }

  /** @returns {Net} the network of the shown snapshot */
  get net() {
    const k = this.shownSnapshot;
    this.nets[k] ||= new Net(
      this.model,
      this.snapshots.weights[k].map((text) => parametersOf(text, "float16")),
    );
    return this.nets[k];
  }

  /** Paint the first layer's weights. */
  paint() {
    const { theme } = stageLook();
    this.tiles.forEach((tile, j) => tile.showSigned(firstWeights(this.net, j), theme));
  }

  /** Draw everything anew, in a new size or look. */
  redraw() {
    this.landscape.draw();
    if (this.snapshots) this.paint();
  }

  /**
   * Say what a picture was read as at the epoch that is shown.
   * @param {Uint8Array} pixels 784 bytes
   */
  read(pixels) {
    this.pixels = pixels;
    if (!this.snapshots) return;
    setText(byId("h-snapshot"), String(this.snapshots.epochs[this.shownSnapshot]));
    if (!pixels.some((value) => value > 0)) {
      setText(byId("h-answer"), "–");
      return;
    }
    const plain = { ...PLAIN, output: this.model.output };
    const answer = answerOf(this.net.forward(pixels), plain);
    const name = this.model.class_names[answer.best];
    setText(byId("h-answer"), `${name}, ${percent(answer.confidence)}`);
  }
}
