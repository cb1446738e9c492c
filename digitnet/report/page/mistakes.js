// Wrong answers: the cells of the confusion matrix open their pictures, and each picture can be put
// on the stage.

import { all, byId, setText } from "./dom.js";
import { pictureButton } from "./sheets.js";
import { clipped, counted, percent } from "./text.js";

/** @typedef {{labels: number[], answers: number[], confidences: number[]}} WrongAnswers */

export class Mistakes {
  /**
   * @param {WrongAnswers} wrong
   * @param {import("./sheets.js").Sheet} sheet their pictures
   * @param {string[]} names of the classes
   * @param {(pixels: Uint8Array, label: number, found: import("../../export/javascript/doubt.js").PictureCounts) => void} onPicture puts a picture on the stage
   */
  constructor(wrong, sheet, names, onPicture) {
    this.wrong = wrong;
    this.sheet = sheet;
    this.names = names;
    this.onPicture = onPicture;
    this.cells = all(".matrix button");
    for (const cell of this.cells) cell.addEventListener("click", () => this.open(cell));
    for (const button of all(".pictures .pic"))
      button.addEventListener("click", () => this.put(Number(button.dataset.k)));
    const [busiest] = this.cells.toSorted((p, q) => countOf(q) - countOf(p));
    if (busiest) this.open(busiest);
  }

  /** Show the pictures of a cell. */
  async open(cell) {
    const { wrong, names } = this;
    const [label, answer] = [Number(cell.dataset.row), Number(cell.dataset.column)];
    const isOf = (k) => wrong.labels[k] === label && wrong.answers[k] === answer;
    const shown = wrong.labels.map((_, k) => k).filter(isOf);
    for (const each of this.cells) each.setAttribute("aria-pressed", String(each === cell));
    const kind = `${clipped(names[label], 24)} read as ${clipped(names[answer], 24)}`;
    const count = countOf(cell);
    const part = shown.length < count ? `, the ${shown.length} surest` : "";
    setText(byId("drawer-title"), `${kind}: ${counted(count)}${part}`);
    const pictures = await this.sheet.pictures();
    if (cell.getAttribute("aria-pressed") !== "true") return;
    const text = (k) => `${kind}, ${percent(wrong.confidences[k])} sure: put on the stage`;
    byId("drawer").replaceChildren(
      ...shown.map((k) => pictureButton(pictures[k], text(k), () => this.put(k))),
    );
  }

  /** Put wrong answer k on the stage. */
  async put(k) {
    const pictures = await this.sheet.pictures();
    this.onPicture(pictures[k], this.wrong.labels[k], this.sheet.foundIn(k));
  }
}

function countOf(cell) {
  return Number(cell.dataset.count);
}
