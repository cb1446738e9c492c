// What the page looks like: the stage's colours on screen and on paper, and what readers prefer.

/**
 * paper, ink: red, green and blue of inactive and fully active neurons. off: inactive squares of a
 * grid. theme: colours of signed values, see colours.js.
 * @typedef {{paper: number[], ink: number[], off: number[], quiet: string, line: string,
 *   theme: "dark" | "light", choice: string, lines: number}} Look
 */

/** @type {Look} */
const SCREEN_LOOK = {
  paper: [11, 13, 18],
  ink: [240, 242, 246],
  off: [25, 29, 38],
  quiet: "#99a2b3",
  line: "#3a4252",
  theme: "dark",
  choice: "#ffd75e",
  lines: 0.55,
};

/** @type {Look} */
const PRINT_LOOK = {
  paper: [255, 255, 255],
  ink: [20, 20, 20],
  off: [236, 237, 240],
  quiet: "#555",
  line: "#999",
  theme: "light",
  choice: "#b8860b",
  lines: 0.75,
};

export const FONT = 'Inter, ui-sans-serif, system-ui, "Segoe UI", Roboto, sans-serif';

/**
 * Return the stage's look: near-black on screen in both themes, white on paper.
 * @returns {Look}
 */
export function stageLook() {
  return isPrinting() ? PRINT_LOOK : SCREEN_LOOK;
}

/** @returns {"dark" | "light"} the theme of what lies outside of the stage */
export function pageTheme() {
  return matchMedia("(prefers-color-scheme: dark)").matches && !isPrinting() ? "dark" : "light";
}

/** @returns {boolean} */
function isPrinting() {
  return matchMedia("print").matches;
}

/** @returns {boolean} whether the reader asked for less motion */
export function isCalm() {
  return matchMedia("(prefers-reduced-motion: reduce)").matches;
}

/**
 * Call a function when the theme changes, or when printing begins or ends.
 * @param {() => void} redraw
 */
export function whenLookChanges(redraw) {
  for (const query of ["(prefers-color-scheme: dark)", "print"])
    matchMedia(query).addEventListener("change", redraw);
}

/**
 * Return how many pixels of a canvas are drawn per CSS pixel, along each axis.
 * @returns {number}
 */
export function sharpness() {
  return Math.min(devicePixelRatio || 1, 2);
}
