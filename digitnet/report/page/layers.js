// Draws neurons: circles, a grid of squares, or, for many neurons, one scaled bitmap.

import { signedScales } from "./colours.js";
import { make } from "./dom.js";

const GREYS_OF_NEURONS = 64; // shades of activation
const MOST_NEGATIVE = 0.7; // of the red scale: its palest end would look like a positive activation
const MAX_SQUARES = 600; // neurons: larger layers are bitmaps, thousands of squares take too long

/** @typedef {import("./arrangement.js").Place} Place */
/** @typedef {import("./themes.js").Look} Look */

/**
 * Draw a layer.
 * @param {CanvasRenderingContext2D} pen
 * @param {Place} place
 * @param {Float64Array} activations
 * @param {number} scale from an activation to a brightness of 0 to 1
 * @param {Look} look
 * @param {number} marked index of the chosen neuron; -1: none
 */
export function drawLayer(pen, place, activations, scale, look, marked) {
  if (place.isGrid) drawBacking(pen, place, look);
  if (place.x.length > MAX_SQUARES) drawBitmap(pen, place, activations, scale, look);
  else if (place.isGrid) drawSquares(pen, place, activations, scale, look);
  else drawCircles(pen, place, activations, scale, look);
  if (marked >= 0) drawMark(pen, place, marked, look);
}

/** Hide the lines behind a grid. */
function drawBacking(pen, place, look) {
  const margin = place.r + 2;
  const last = place.x.length - 1;
  const [left, top] = [place.x[0] - margin, place.y[0] - margin];
  const right = place.x[Math.min(place.columns - 1, last)] + margin;
  pen.fillStyle = `rgb(${look.paper})`;
  pen.fillRect(left, top, right - left, place.y[last] + margin - top);
}

function drawCircles(pen, place, activations, scale, look) {
  const shades = shadesOf(look);
  const outline = shades.positive[Math.round(0.6 * GREYS_OF_NEURONS)];
  pen.lineWidth = 1.25;
  for (let j = 0; j < place.x.length; j++) {
    const level = levelOfActivation(activations[j] * scale);
    pen.fillStyle = level < 0 ? shades.negative[-level] : shades.positive[level];
    pen.strokeStyle = level === 0 ? look.line : outline;
    pen.beginPath();
    pen.arc(place.x[j], place.y[j], place.r, 0, 7);
    pen.fill();
    pen.stroke();
  }
}

function drawSquares(pen, place, activations, scale, look) {
  const shades = shadesOf(look);
  const side = 2 * place.r;
  for (let j = 0; j < place.x.length; j++) {
    const level = levelOfActivation(activations[j] * scale);
    if (level === 0) pen.fillStyle = shades.off;
    else pen.fillStyle = level < 0 ? shades.negative[-level] : shades.positive[level];
    pen.fillRect(place.x[j] - place.r, place.y[j] - place.r, side, side);
  }
}

/** @type {WeakMap<Place, {canvas: HTMLCanvasElement, pen: CanvasRenderingContext2D, image: ImageData}>} */
const bitmaps = new WeakMap();

function drawBitmap(pen, place, activations, scale, look) {
  const { canvas, pen: inner, image } = bitmapOf(place);
  const { against } = signedScales(look.theme);
  const { data } = image;
  for (let j = 0; j < activations.length; j++) {
    const value = activations[j] * scale;
    const level = Math.min(Math.abs(value), 1);
    const from = level < 0.02 ? look.off : look.paper;
    const to = value < 0 ? against.rgb(MOST_NEGATIVE * level) : look.ink;
    const share = value < 0 ? 1 : level;
    for (let c = 0; c < 3; c++) data[4 * j + c] = from[c] + (to[c] - from[c]) * share;
    data[4 * j + 3] = 255;
  }
  inner.putImageData(image, 0, 0);
  pen.imageSmoothingEnabled = false;
  const [left, top] = [place.x[0] - place.pitch / 2, place.y[0] - place.pitch / 2];
  pen.drawImage(canvas, left, top, image.width * place.pitch, image.height * place.pitch);
}

function bitmapOf(place) {
  if (!bitmaps.has(place)) {
    const rows = Math.ceil(place.x.length / place.columns);
    const canvas = make("canvas", { width: place.columns, height: rows });
    const pen = canvas.getContext("2d");
    bitmaps.set(place, { canvas, pen, image: pen.createImageData(place.columns, rows) });
  }
  return bitmaps.get(place);
}

function drawMark(pen, place, j, look) {
  const [x, y] = [place.x[j], place.y[j]];
  pen.lineWidth = 2.5;
  pen.strokeStyle = look.choice;
  pen.beginPath();
  const half = Math.max(place.r + 2, 5);
  if (place.isGrid) pen.rect(x - half, y - half, 2 * half, 2 * half);
  else pen.arc(x, y, place.r + 3.5, 0, 7);
  pen.stroke();
}

/** Return a shade, -GREYS_OF_NEURONS to GREYS_OF_NEURONS. */
function levelOfActivation(value) {
  return Math.round(Math.min(Math.max(value, -1), 1) * GREYS_OF_NEURONS) || 0;
}

/** @type {Map<Look, {positive: string[], negative: string[], off: string}>} */
const shadesByLook = new Map();

function shadesOf(look) {
  if (!shadesByLook.has(look)) {
    const { against } = signedScales(look.theme);
    const shares = Array.from({ length: GREYS_OF_NEURONS + 1 }, (_, k) => k / GREYS_OF_NEURONS);
    const mixed = (share) =>
      look.paper.map((from, c) => Math.round(from + (look.ink[c] - from) * share));
    shadesByLook.set(look, {
      positive: shares.map((share) => `rgb(${mixed(share)})`),
      negative: shares.map((share) => against.css(MOST_NEGATIVE * share)),
      off: `rgb(${look.off})`,
    });
  }
  return shadesByLook.get(look);
}
