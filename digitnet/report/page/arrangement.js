// Where the picture and the neurons are on the stage.

export const MAX_CIRCLES = 32; // neurons: larger layers are grids
export const MAX_OUTPUTS = 60; // classes: with more, the last layer is a grid, and its list scrolls
const WIDE = 540; // px: narrower stages go from top to bottom
const LOWEST = 440; // px: height of a wide stage
const HIGHEST = 480; // px: of a wide stage, unless its outputs need more
const OUTPUT_PITCH = 15; // px between outputs, at least
const BREADTH = 0.62; // of the distance between layers: a grid, at most
const BELOW = 62; // px of a wide stage without neurons: margins, and the layers' names

/**
 * A layer's neurons. x, y: their centres. r: radius, or half of a square's side, px. isGrid: whether
 * they are squares. columns: of the grid; pitch: px between neighbours.
 * @typedef {{x: Float32Array, y: Float32Array, r: number, isGrid: boolean, columns: number,
 *   pitch: number, depth: number}} Place
 */
/**
 * @typedef {{width: number, height: number, isWide: boolean,
 *   picture: {x: number, y: number, side: number}, places: Place[]}} Arrangement
 */

/**
 * Return whether a stage of this width has its layers from left to right.
 * @param {number} width px
 * @returns {boolean}
 */
export function isWideStage(width) {
  return width >= WIDE;
}

/**
 * Return where everything is on a stage.
 * @param {number[]} sizes of the layers, the pixels first
 * @param {number} width px of the canvas
 * @param {boolean} isWide whether layers go from left to right
 * @returns {Arrangement}
 */
export function arrange(sizes, width, isWide) {
  const layers = sizes.slice(1);
  const arranged = isWide ? fromLeft(layers, width) : fromTop(layers, width);
  return { ...arranged, width, isWide };
}

function fromLeft(layers, width) {
  const last = layers.length - 1;
  const outputs = layers[last] <= MAX_OUTPUTS ? layers[last] : 10;
  const circles = layers.slice(0, last).map((n) => (n > MAX_CIRCLES ? 0 : n));
  const wanted = Math.min(Math.max(Math.max(...circles, 10) * 21, LOWEST), HIGHEST);
  const height = Math.max(wanted, outputs * OUTPUT_PITCH + BELOW);
  const side = Math.min(Math.max(width * 0.3, 140), 200);
  const left = side - 8;
  const room = width - left;
  const isLastRound = isRound(layers[last], true);
  const gap = isLastRound ? (room - 14) / layers.length : room / (layers.length + BREADTH / 2);
  const middle = height / 2 - 8;
  const places = layers.map((n, l) =>
    column(n, left + gap * (l + 1), middle, gap * BREADTH, height - BELOW, l === last),
  );
  return { places, height, picture: { x: 1, y: middle - side / 2, side } };
}

function fromTop(layers, width) {
  const last = layers.length - 1;
  const side = Math.min(width * 0.36, 140);
  let y = side + 14;
  const places = layers.map((n, l) => {
    const place = row(n, width / 2, width - (l === last ? 0 : 24), l === last);
    y += (l === 0 ? 62 : layers.length > 4 ? 52 : 70) + place.depth / 2;
    for (let j = 0; j < n; j++) place.y[j] += y;
    y += place.depth / 2;
    return place;
  });
  return { places, height: y + 6, picture: { x: (width - side) / 2, y: 1, side } };
}

function isRound(n, isLast) {
  return n <= MAX_CIRCLES || (isLast && n <= MAX_OUTPUTS);
}

/** Return n neurons from top to bottom around (x, y). */
function column(n, x, y, breadth, length, isLast) {
  if (isRound(n, isLast)) {
    const pitch = Math.min(length / n, isLast ? 44 : 46);
    return inLine(n, pitch, (offset) => [x, y + offset]);
  }
  const cell = Math.min(Math.sqrt((breadth * length * 0.9) / n), 13);
  const widest = Math.max(Math.floor(breadth / cell), 1);
  return grid(n, x, y, cell, Math.min(widest, Math.ceil(n / Math.floor(length / cell))));
}

/** Return n neurons from left to right around (x, 0). */
function row(n, x, breadth, isLast) {
  if (isRound(n, isLast)) {
    const pitch = isLast ? breadth / n : Math.min(breadth / n, 36);
    return inLine(n, pitch, (offset) => [x + offset, 0]);
  }
  const cell = Math.min(Math.sqrt((breadth * 110) / n), 11);
  return grid(n, x, 0, cell, Math.max(Math.floor(breadth / cell), 1));
}

function inLine(n, pitch, pointAt) {
  const r = Math.max(Math.min(pitch * 0.36, 12), 2);
  const place = emptyPlace(n, r, pitch);
  for (let j = 0; j < n; j++) [place.x[j], place.y[j]] = pointAt((j - (n - 1) / 2) * pitch);
  return place;
}

function grid(n, x, y, cell, columns) {
  const rows = Math.ceil(n / columns);
  const r = Math.max(cell / 2 - (cell > 5 ? 1 : 0.25), 0.5);
  const place = { ...emptyPlace(n, r, cell), isGrid: true, columns, depth: rows * cell };
  for (let j = 0; j < n; j++) {
    place.x[j] = x + ((j % columns) - (columns - 1) / 2) * cell;
    place.y[j] = y + (Math.floor(j / columns) - (rows - 1) / 2) * cell;
  }
  return place;
}

/** @returns {Place} */
function emptyPlace(n, r, pitch) {
  const [x, y] = [new Float32Array(n), new Float32Array(n)];
  return { x, y, r, isGrid: false, columns: 1, pitch, depth: 2 * r };
}

/**
 * Return the neuron [layer, index] nearest to a point, if one is near; else null.
 * @param {Place[]} places
 * @param {number} x px
 * @param {number} y px
 * @returns {[number, number] | null}
 */
export function neuronAt(places, x, y) {
  let [layer, index, least] = [-1, -1, 15 * 15];
  places.forEach((place, l) => {
    for (let j = 0; j < place.x.length; j++) {
      const distance = (place.x[j] - x) ** 2 + (place.y[j] - y) ** 2;
      if (distance < least) [layer, index, least] = [l, j, distance];
    }
  });
  return layer < 0 ? null : [layer, index];
}
