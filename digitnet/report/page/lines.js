// Draws connections: blue for, red against, the stronger the brighter.

import { signedScales } from "./colours.js";

const LEVELS = 24; // strengths that are told apart; lines of a level are drawn as one path
const LOWEST_LEVEL = 1; // weaker lines are left out
const HEAD_LEVEL = 7; // stronger lines have a dot at the head of a wave
const HEAD = 2.2; // px: radius of this dot

/** @typedef {import("./arrangement.js").Arrangement} Arrangement */
/** @typedef {import("./themes.js").Look} Look */
/** @typedef {{count: number, from: Int32Array, to: Int32Array, value: Float32Array}} Connections */

/**
 * Draw the connections into a layer.
 * @param {CanvasRenderingContext2D} pen
 * @param {Arrangement} arrangement
 * @param {number} l index of the layer among the places
 * @param {Connections} lines
 * @param {number} along how much of each line is drawn, 0 to 1
 * @param {number} opacity 0 to 1
 * @param {Look} look
 */
export function drawLines(pen, arrangement, l, lines, along, opacity, look) {
  const { for: supporting, against } = signedScales(look.theme);
  const traceLine = (x, y, headX, headY) => {
    pen.moveTo(x, y);
    pen.lineTo(headX, headY);
  };
  const traceHead = (_x, _y, headX, headY) => {
    pen.moveTo(headX + HEAD, headY);
    pen.arc(headX, headY, HEAD, 0, 7);
  };
  for (let level = LOWEST_LEVEL; level <= LEVELS; level++) {
    const strength = level / LEVELS;
    const shade = look.lines + 0.2 * strength;
    pen.globalAlpha = (0.05 + 0.9 * strength ** 1.3) * opacity;
    pen.lineWidth = 0.6 + 1.5 * strength;
    for (const sign of [-1, 1]) {
      const scale = sign > 0 ? supporting : against;
      pen.beginPath();
      if (!eachLine(arrangement, l, lines, sign * level, along, traceLine)) continue;
      pen.strokeStyle = scale.css(shade);
      pen.stroke();
      if (along === 1 || level < HEAD_LEVEL) continue;
      pen.beginPath();
      eachLine(arrangement, l, lines, sign * level, along, traceHead);
      pen.fillStyle = scale.css(0.9);
      pen.fill();
    }
  }
  pen.globalAlpha = 1;
}

/** Return the level of a contribution, -LEVELS to LEVELS. */
function levelOf(value) {
  return Math.round(value * LEVELS);
}

/**
 * Call a function with the start and the head, x and y each, of each line of a level; return how
 * many there are.
 */
function eachLine({ picture, places }, l, { count, from, to, value }, level, along, trace) {
  const cell = picture.side / 28;
  let found = 0;
  for (let k = 0; k < count; k++) {
    if (levelOf(value[k]) !== level) continue;
    const i = from[k];
    const j = to[k];
    const x = l > 0 ? places[l - 1].x[i] : picture.x + ((i % 28) + 0.5) * cell;
    const y = l > 0 ? places[l - 1].y[i] : picture.y + (((i / 28) | 0) + 0.5) * cell;
    trace(x, y, x + (places[l].x[j] - x) * along, y + (places[l].y[j] - y) * along);
    found++;
  }
  return found;
}

/**
 * Draw faint lines between layers of circles: what waits for a picture.
 * @param {CanvasRenderingContext2D} pen
 * @param {Arrangement} arrangement
 * @param {Look} look
 */
export function drawWaitingLines(pen, { places }, look) {
  pen.strokeStyle = look.line;
  pen.globalAlpha = 0.22;
  pen.lineWidth = 0.7;
  pen.beginPath();
  for (let l = 1; l < places.length; l++) {
    const [before, after] = [places[l - 1], places[l]];
    if (before.isGrid || after.isGrid) continue;
    for (let j = 0; j < after.x.length; j++)
      for (let i = 0; i < before.x.length; i++) {
        pen.moveTo(before.x[i], before.y[i]);
        pen.lineTo(after.x[j], after.y[j]);
      }
  }
  pen.stroke();
  pen.globalAlpha = 1;
}
