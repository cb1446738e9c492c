// Group components that lie close together: strokes of one digit that a pen or a scan broke.

import { maxFilter } from "../ink/closing.js";
import { connectedComponents } from "../ink/components.js";
import { Plane } from "../plane.js";

const REDUCED_SIDE = 128; // px of the longer side, about: distances are measured so reduced
const REACH_GROWTH = 1.5; // factor: from one distance at which components are joined to the next
const MAX_REACH = 0.15; // of the longer side: components farther apart than twice that stay apart

/** @typedef {import("../ink/components.js").Component} Component */

/** Components of a picture of hxw pixels, to be grouped by the distance between them. */
export class Neighbours {
  /**
   * step: pixels of the picture per reduced pixel.
   * @param {Component[]} components
   * @param {number} h
   * @param {number} w
   */
  constructor(components, h, w) {
    this.components = components;
    this.step = Math.max(Math.ceil(Math.max(h, w) / REDUCED_SIDE), 1);
    this.marked = reducedMask(components, h, w, this.step);
  }

  /**
   * Yield each component, then each group of components joined at a growing distance.
   *
   * This is single-linkage clustering. A group comes with the distance, px, that joins it; a single
   * component comes with 0.
   * @returns {Generator<[Component[], number]>}
   */
  *groups() {
    const { components, marked } = this;
    for (const component of components) yield [[component], 0];
    if (components.length < 2) return;
    const numbers = new Map(components.map((component, number) => [component, number]));
    const keyOf = (group) => group.map((component) => numbers.get(component)).join();
    const seen = new Set(components.map((component) => keyOf([component])));
    let reach = 1;
    while (reach <= MAX_REACH * Math.max(marked.h, marked.w)) {
      const groups = this.within(reach);
      for (const group of groups) {
        const key = keyOf(group);
        if (seen.has(key)) continue;
        seen.add(key);
        yield [group, 2 * reach * this.step];
      }
      if (groups.length === 1) return;
      reach = Math.max(reach + 1, Math.trunc(REACH_GROWTH * reach));
    }
  }

  /**
   * Return the groups of components that touch when dilated by `reach` reduced pixels.
   * @param {number} reach
   * @returns {Component[][]}
   */
  within(reach) {
    const { components, marked, step } = this;
    const dilated = maxFilter(marked, 2 * reach + 1);
    const labels = new Int32Array(marked.h * marked.w);
    connectedComponents(dilated.above(0)).forEach((around, label) => {
      for (const [row, start, end] of around.runs)
        labels.fill(label, row * marked.w + start, row * marked.w + end);
    });
    const groups = new Map();
    for (const component of components) {
      const [row, column] = component.runs[0];
      const label = labels[Math.floor(row / step) * marked.w + Math.floor(column / step)];
      if (groups.has(label)) groups.get(label).push(component);
      else groups.set(label, [component]);
    }
    return [...groups.values()];
  }
}

/** Return the components' mask reduced by `step`: 1 where any of stepxstep pixels is marked. */
function reducedMask(components, h, w, step) {
  const reduced = new Plane(Math.ceil(h / step), Math.ceil(w / step));
  for (const component of components)
    for (const [row, start, end] of component.runs) {
      const by = Math.floor(row / step) * reduced.w;
      reduced.v.fill(1, by + Math.floor(start / step), by + Math.floor((end - 1) / step) + 1);
    }
  return reduced;
}
