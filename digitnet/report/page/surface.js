// The cost's landscape as a surface: heights, colours and lines of equal cost.

import { costScale } from "./colours.js";

const FEWEST_LINES = 6; // of equal cost
const CELLS = 40; // along a side, at least: coarser grids are refined

/**
 * grid: costs, rows along the second direction. path: where the network was, 0 to 1 in both
 * directions. start: what the path begins with.
 * @typedef {{grid: number[][], path: [number, number][], costs: number[], accuracies: number[],
 *   epochs: number[], start: string}} LandscapeData
 */

/** Heights are the costs' logarithms, 0 the lowest and 1 the highest. */
export class Surface {
  /** @param {LandscapeData} data */
  constructor({ grid }) {
    const fine = refined(grid.map((row) => row.map(Math.log10)));
    this.rows = fine.length;
    this.columns = fine[0].length;
    const logs = fine.flat();
    this.low = Math.min(...logs);
    this.range = Math.max(...logs) - this.low || 1;
    this.heights = Float32Array.from(logs, (log) => (log - this.low) / this.range);
    const steepness = (this.columns - 1) / CELLS;
    this.colours = this.each((h) => colourOf(h, steepness));
    this.lines = this.contours();
  }

  /** Call a function with the heights of each cell's corners, in a circle; return its results. */
  each(make) {
    const results = [];
    for (let y = 0; y + 1 < this.rows; y++)
      for (let x = 0; x + 1 < this.columns; x++) {
        const at = y * this.columns + x;
        const under = at + this.columns;
        const { heights } = this;
        results.push(
          make([heights[at], heights[at + 1], heights[under + 1], heights[under]], x, y),
        );
      }
    return results;
  }

  /** Return the height at u and v, 0 to 1 in both directions, bilinear. */
  heightAt(u, v) {
    const x = Math.min(Math.max(u, 0), 1) * (this.columns - 1);
    const y = Math.min(Math.max(v, 0), 1) * (this.rows - 1);
    const i = Math.min(Math.floor(x), this.columns - 2);
    const j = Math.min(Math.floor(y), this.rows - 2);
    const [f, g] = [x - i, y - j];
    const h = (row, column) => this.heights[row * this.columns + column];
    const above = h(j, i) * (1 - f) + h(j, i + 1) * f;
    const below = h(j + 1, i) * (1 - f) + h(j + 1, i + 1) * f;
    return above * (1 - g) + below * g;
  }

  /**
   * Return the pieces of lines of equal cost in each cell: x1, y1, x2, y2 in cells, height, and
   * whether the cost is a power of ten (1) or not (0).
   * @returns {number[][][]}
   */
  contours() {
    const step = [0.25, 0.1, 0.05, 0.02].find((each) => this.range / each >= FEWEST_LINES) ?? 0.01;
    const first = Math.ceil(this.low / step);
    const last = Math.floor((this.low + this.range) / step);
    const levels = Array.from({ length: Math.max(last - first + 1, 0) }, (_, k) => {
      const log = (first + k) * step;
      return { h: (log - this.low) / this.range, isMain: Math.abs(log - Math.round(log)) < 1e-6 };
    });
    return this.each((corners, x, y) =>
      levels.flatMap(({ h, isMain }) => pieces(corners, x, y, h, isMain ? 1 : 0)),
    );
  }
}

/**
 * Return a grid with at least CELLS cells along each side: cubic curves (Catmull-Rom) through the
 * given points.
 * @param {number[][]} grid
 * @returns {number[][]}
 */
function refined(grid) {
  const columns = (rows) => rows[0].map((_, x) => rows.map((row) => row[x]));
  const longer = grid.map(refinedLine);
  return columns(columns(longer).map(refinedLine));
}

function refinedLine(values) {
  const cells = values.length - 1;
  const parts = Math.ceil(CELLS / cells);
  const at = (k) => values[Math.min(Math.max(k, 0), cells)];
  return Array.from({ length: cells * parts + 1 }, (_, n) => {
    const k = Math.min(Math.floor(n / parts), cells - 1);
    const t = n / parts - k;
    const [p, q, r, s] = [at(k - 1), at(k), at(k + 1), at(k + 2)];
    const [first, second, third] = [r - p, 2 * p - 5 * q + 4 * r - s, 3 * q - 3 * r + s - p];
    return q + 0.5 * t * (first + t * (second + t * third));
  });
}

/** Return the pieces of the line at height h through a cell. */
function pieces(corners, x, y, h, isMain) {
  const places = [
    [x, y],
    [x + 1, y],
    [x + 1, y + 1],
    [x, y + 1],
  ];
  const cuts = [];
  for (let k = 0; k < 4; k++) {
    const next = (k + 1) % 4;
    const [p, q] = [corners[k], corners[next]];
    if (p < h === q < h) continue;
    const f = (h - p) / (q - p);
    const [[x1, y1], [x2, y2]] = [places[k], places[next]];
    cuts.push([x1 + (x2 - x1) * f, y1 + (y2 - y1) * f]);
  }
  const found = [];
  for (let k = 0; k + 1 < cuts.length; k += 2) found.push([...cuts[k], ...cuts[k + 1], h, isMain]);
  return found;
}

/**
 * Return the colour of a cell: its height's, lit from one side.
 * @param {number[]} corners heights
 * @param {number} steepness from a difference of heights to a slope that does not depend on the grid
 */
function colourOf(corners, steepness) {
  const [a, b, c, d] = corners;
  const light = 1 + steepness * (2 * (a + d - b - c) + 1.2 * (a + b - c - d));
  const bounded = Math.min(Math.max(light, 0.8), 1.15);
  const rgb = Array.from(costScale.rgb((a + b + c + d) / 4), (v) => Math.min(v * bounded, 255) | 0);
  return `rgb(${rgb.join(",")})`;
}
