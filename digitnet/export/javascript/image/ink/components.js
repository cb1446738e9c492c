// Connected components of a mask: their pixels, bounding boxes and shapes.

import { Mask } from "../plane.js";

export const MAX_FRAME_THICKNESS = 0.12; // of a frame's height or width: thickness of its lines
const MAX_OFF_FRAME = 0.1; // of a frame's area: pixels away from the edges of its bounding box
export const MIN_BAR_RATIO = 4; // length to thickness of a bar
export const FILLING = 0.7; // of a picture's height and of its width: larger ink fills the picture

/** @typedef {[number, number, number]} Run row, first column, column after the last */

/** Rows from `top` to before `bottom`, columns from `left` to before `right`. */
export class Rectangle {
  /**
   * @param {number} top
   * @param {number} bottom
   * @param {number} left
   * @param {number} right
   */
  constructor(top, bottom, left, right) {
    this.top = top;
    this.bottom = bottom;
    this.left = left;
    this.right = right;
  }

  get height() {
    return this.bottom - this.top;
  }

  get width() {
    return this.right - this.left;
  }

  get longer() {
    return Math.max(this.height, this.width);
  }

  /** Return whether the box fills a picture of heightxwidth pixels, like a cropped digit. */
  fills(height, width) {
    return this.height >= FILLING * height && this.width >= FILLING * width;
  }

  /** Return whether `other` lies inside this rectangle and touches none of its sides. */
  surrounds(other) {
    const rows = this.top < other.top && other.bottom < this.bottom;
    return rows && this.left < other.left && other.right < this.right;
  }

  /** Return the rows or columns between both, whichever is more; negative if they overlap. */
  gap(other) {
    const rows = Math.max(this.top - other.bottom, other.top - this.bottom);
    return Math.max(rows, this.left - other.right, other.left - this.right);
  }
}

/** A connected component and its bounding box. area: number of its pixels. */
export class Component extends Rectangle {
  /**
   * Runs from `starts` to before `ends` in the flattened picture, in which row y begins at
   * y * stride. The runs come in reading order.
   * @param {number[]} starts
   * @param {number[]} ends
   * @param {number} stride
   */
  constructor(starts, ends, stride) {
    const last = ends.length - 1;
    super(Math.floor(starts[0] / stride), Math.floor(ends[last] / stride) + 1, Infinity, 0);
    this.starts = starts;
    this.ends = ends;
    this.stride = stride;
    this.area = 0;
    for (let i = 0; i <= last; i++) {
      const start = starts[i] % stride;
      const end = ends[i] % stride;
      if (start < this.left) this.left = start;
      if (end > this.right) this.right = end;
      this.area += end - start;
    }
  }

  /**
   * The runs in reading order.
   * @returns {Run[]}
   */
  get runs() {
    return inRows(this.starts, this.ends, this.stride);
  }

  /** Return the component moved to a picture of another width, px. */
  moved(top, left, width) {
    const stride = width + 2;
    const starts = [];
    const ends = [];
    for (const [row, start, end] of this.runs) {
      const by = (row + top) * stride + left;
      starts.push(by + start);
      ends.push(by + end);
    }
    return new Component(starts, ends, stride);
  }

  /** Return whether nearly all pixels are close to the edges of the bounding box. */
  hugsBoundingBox() {
    let inside = 0;
    const height = this.height * (0.5 - MAX_FRAME_THICKNESS);
    const width = this.width * (0.5 - MAX_FRAME_THICKNESS);
    const middle = (this.top + this.bottom - 1) / 2;
    const centre = (this.left + this.right) / 2;
    for (const [row, start, end] of this.runs) {
      if (1 - ((row - middle) / height) ** 2 > 0)
        inside += Math.max(Math.min(end, centre + width) - Math.max(start, centre - width), 0);
    }
    return inside < MAX_OFF_FRAME * this.area;
  }

  /** Return whether the component touches a side of a picture of heightxwidth pixels. */
  isAtBorder(height, width) {
    return !this.top || !this.left || this.bottom === height || this.right === width;
  }

  /** Return the mask of the component in its bounding box. */
  mask() {
    return maskOf([this], this);
  }

  /** Return whether the component and a mask of the picture have a pixel in common. */
  overlaps(mask) {
    return this.runs.some(([row, start, end]) => mask.anyInRow(row, start, end));
  }

  /**
   * Return length and thickness, px, of the bar at any angle with the same second moments.
   *
   * A bar of length l and thickness t has the variances l^2/12 along it and t^2/12 across it. Pixels
   * are unit squares: each has a variance of 1/12 of its own.
   * @returns {[number, number]}
   */
  asBar() {
    const { runs, area } = this;
    let [meanY, meanX] = [0, 0];
    for (const [row, start, end] of runs) {
      meanY += ((end - start) / area) * row;
      meanX += (((end - start) / area) * (start + end - 1)) / 2;
    }
    let [down, both, across] = [1 / 12, 0, 0];
    for (const [row, start, end] of runs) {
      const length = end - start;
      const [y, x, share] = [row - meanY, (start + end - 1) / 2 - meanX, length / area];
      down += share * y * y;
      both += share * y * x;
      across += share * (x * x + (length * length) / 12);
    }
    const middle = (down + across) / 2;
    const spread = Math.hypot((down - across) / 2, both);
    return [Math.sqrt(12 * (middle + spread)), Math.sqrt(12 * Math.max(middle - spread, 0))];
  }
}

/**
 * Return each run of marked pixels in a row, in reading order.
 * @param {Mask} marked
 * @returns {Run[]}
 */
export function runsOf(marked) {
  return inRows(...flatRuns(marked), marked.w + 2);
}

/** @returns {Run[]} */
function inRows(starts, ends, stride) {
  return starts.map((start, i) => {
    const row = Math.floor(start / stride);
    return [row, start - row * stride, ends[i] - row * stride];
  });
}

/** Return starts and ends of the runs in the flattened picture, each row followed by two pixels. */
function flatRuns({ w, v }) {
  const starts = [];
  const ends = [];
  for (let k = v.indexOf(1); k !== -1; k = v.indexOf(1, k)) {
    const row = Math.floor(k / w);
    const end = (row + 1) * w;
    starts.push(k + 2 * row);
    while (k < end && v[k]) k++;
    ends.push(k + 2 * row);
  }
  return [starts, ends];
}

/**
 * Return the connected components of a mask, 8-connected: union-find over runs.
 * @param {Mask} marked
 * @returns {Component[]}
 */
export function connectedComponents(marked) {
  const stride = marked.w + 2;
  const [starts, ends] = flatRuns(marked);
  const labels = new Int32Array(starts.length); // of each run
  const parents = []; // of each label: a smaller label of the same component, or itself
  let above = 0; // first run of the row above that may touch this run
  for (let i = 0; i < starts.length; i++) {
    const start = starts[i] - stride;
    const end = ends[i] - stride;
    while (ends[above] < start) above++;
    let label = -1;
    for (let touching = above; starts[touching] <= end; touching++) {
      let other = rootOf(labels[touching], parents);
      if (label === -1) label = other;
      else if (other !== label) {
        if (other < label) [label, other] = [other, label];
        parents[other] = label;
      }
    }
    if (label === -1) {
      label = parents.length;
      parents.push(label);
    }
    labels[i] = label;
  }
  const runsByRoot = new Map();
  for (let i = 0; i < starts.length; i++) {
    const root = rootOf(labels[i], parents);
    if (!runsByRoot.has(root)) runsByRoot.set(root, { starts: [], ends: [] });
    const runs = runsByRoot.get(root);
    runs.starts.push(starts[i]);
    runs.ends.push(ends[i]);
  }
  return Array.from(runsByRoot.values(), (runs) => new Component(runs.starts, runs.ends, stride));
}

function rootOf(label, parents) {
  let root = label;
  while (parents[root] !== root) root = parents[root];
  return root;
}

/**
 * Return the components, all of one picture, as one component.
 * @param {Component[]} components
 */
export function joined(components) {
  if (components.length === 1) return components[0];
  const ascending = (one, two) => one - two;
  const starts = components.flatMap((component) => component.starts).sort(ascending);
  const ends = components.flatMap((component) => component.ends).sort(ascending);
  return new Component(starts, ends, components[0].stride);
}

/**
 * Return the mask of the components within a part of their picture that holds them.
 * @param {Component[]} components
 * @param {import("../plane.js").Part} part
 */
export function maskOf(components, { top, bottom, left, right }) {
  const width = right - left;
  const mask = new Mask(bottom - top, width);
  for (const { starts, ends, stride } of components)
    for (let i = 0; i < starts.length; i++) {
      const row = Math.floor(starts[i] / stride);
      const by = (row - top) * width - left - row * stride;
      mask.v.fill(1, starts[i] + by, ends[i] + by);
    }
  return mask;
}
