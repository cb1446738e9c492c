// The drawing pad: strokes of mouse, finger, pen or keyboard, or a picture shown on it.

import { ONE_DIGIT } from "../../export/javascript/doubt.js";
import { Thumbnail } from "./colours.js";
import { make } from "./dom.js";

export const PAD_SIDE = 280; // px of the canvas
const INK_WIDTH = 22; // px: about two of the 28 pixels that the network sees
const MAX_HISTORY = 100; // drawings that can be brought back

/** @typedef {[number, number]} Point x and y, px of the canvas */
/** @typedef {import("../../export/javascript/doubt.js").PictureCounts} Found */
/**
 * picture: 784 bytes shown instead of a drawing. label: its class; null if unknown.
 * @typedef {{picture: Uint8Array | null, label: number | null, found: Found, strokes: Point[][]}} Drawing
 */

/** @type {Drawing} */
const EMPTY_DRAWING = { picture: null, label: null, found: ONE_DIGIT, strokes: [] };

export class Pad {
  /**
   * @param {HTMLCanvasElement} canvas
   * @param {() => void} onChange called after each change of the drawing
   */
  constructor(canvas, onChange) {
    canvas.width = canvas.height = PAD_SIDE;
    this.canvas = canvas;
    this.pen = canvas.getContext("2d", { willReadFrequently: true });
    this.tile = new Thumbnail(make("canvas"));
    this.onChange = onChange;
    this.drawing = EMPTY_DRAWING;
    /** @type {Drawing[]} */
    this.history = [];
    /** @type {Point[] | null} */
    this.stroke = null;
    this.paint();
    this.listen();
  }

  get isEmpty() {
    return !this.drawing.picture && !this.drawing.strokes.length;
  }

  /** Whether a stroke is being drawn. */
  get isBusy() {
    return this.stroke !== null;
  }

  /** Return the pixels as they are saved: red, green, blue, alpha. */
  rgba() {
    return this.pen.getImageData(0, 0, PAD_SIDE, PAD_SIDE).data;
  }

  /**
   * Show a picture instead of a drawing.
   * @param {Uint8Array} picture 784 bytes
   * @param {number | null} label its class
   * @param {Found} found
   */
  show(picture, label, found) {
    const drawing = { picture, label, found, strokes: [] };
    if (this.drawing.picture) this.drawing = drawing;
    else this.change(drawing);
    this.stroke = null;
    this.paint();
    this.onChange();
  }

  clear() {
    if (this.isEmpty) return;
    this.change(EMPTY_DRAWING);
    this.stroke = null;
    this.paint();
    this.onChange();
  }

  undo() {
    if (!this.history.length) return;
    this.drawing = this.history.pop();
    this.stroke = null;
    this.paint();
    this.onChange();
  }

  /** @param {Point} point */
  start(point) {
    const strokes = this.drawing.picture ? [] : this.drawing.strokes;
    this.stroke = [point];
    this.change({ ...EMPTY_DRAWING, strokes: [...strokes, this.stroke] });
    if (!strokes.length) this.paint();
    else this.line(point, point);
    this.onChange();
  }

  /** @param {Point} point */
  extend(point) {
    this.line(this.stroke[this.stroke.length - 1], point);
    this.stroke.push(point);
    this.onChange();
  }

  end() {
    if (!this.stroke) return;
    this.stroke = null;
    this.onChange();
  }

  /** @param {Drawing} drawing */
  change(drawing) {
    if (!this.isEmpty || this.history.length) this.history.push(this.drawing);
    if (this.history.length > MAX_HISTORY) this.history.shift();
    this.drawing = drawing;
  }

  paint() {
    const { pen, drawing } = this;
    pen.fillStyle = "#000";
    pen.fillRect(0, 0, PAD_SIDE, PAD_SIDE);
    if (drawing.picture) {
      this.tile.showInk(drawing.picture);
      pen.imageSmoothingEnabled = false;
      pen.drawImage(this.tile.canvas, 0, 0, PAD_SIDE, PAD_SIDE);
    }
    for (const stroke of drawing.strokes) {
      this.line(stroke[0], stroke[0]);
      for (let k = 1; k < stroke.length; k++) this.line(stroke[k - 1], stroke[k]);
    }
  }

  line(from, to) {
    const { pen } = this;
    pen.strokeStyle = "#fff";
    pen.lineWidth = INK_WIDTH;
    pen.lineCap = pen.lineJoin = "round";
    pen.beginPath();
    pen.moveTo(from[0], from[1]);
    const isDot = from[0] === to[0] && from[1] === to[1];
    pen.lineTo(isDot ? to[0] + 0.1 : to[0], to[1]); // a line without length would draw nothing
    pen.stroke();
  }

  listen() {
    const { canvas } = this;
    let pointer = null;
    canvas.addEventListener("pointerdown", (event) => {
      if (pointer !== null || event.button !== 0) return;
      pointer = event.pointerId;
      canvas.setPointerCapture(pointer);
      this.start(this.placeOf(event));
    });
    canvas.addEventListener("pointermove", (event) => {
      if (event.pointerId !== pointer || !this.stroke) return;
      const events = event.getCoalescedEvents?.() ?? [];
      for (const each of events.length ? events : [event]) this.extend(this.placeOf(each));
    });
    const release = (event) => {
      if (event.pointerId !== pointer) return;
      pointer = null;
      this.end();
    };
    canvas.addEventListener("pointerup", release);
    canvas.addEventListener("pointercancel", release);
  }

  /** @returns {Point} */
  placeOf(event) {
    const box = this.canvas.getBoundingClientRect();
    const { clientLeft, clientTop, clientWidth, clientHeight } = this.canvas;
    const x = event.clientX - box.left - clientLeft;
    const y = event.clientY - box.top - clientTop;
    return [(x / clientWidth) * PAD_SIDE, (y / clientHeight) * PAD_SIDE];
  }
}
