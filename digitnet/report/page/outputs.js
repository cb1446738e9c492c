// The answer, and a bar for each class beside the stage's outputs.

import { MAX_OUTPUTS } from "./arrangement.js";
import { make, setText } from "./dom.js";
import { clipped, percent } from "./text.js";

const SMALLEST_SHOWN = 0.0005; // probability: smaller ones have no visible text

/** @typedef {import("./answer.js").Answer} Answer */

/** The list of all classes' probabilities; element `p-K` holds the one of class K. */
export class Outputs {
  /**
   * @param {HTMLElement} list
   * @param {string[]} names of the classes
   */
  constructor(list, names) {
    this.list = list;
    this.rows = names.map((name, k) => {
      const bar = make("i");
      const share = make("span", { id: `p-${k}`, className: "share" });
      const label = make("span", {
        className: "name",
        textContent: name,
        title: name,
        dir: "auto",
      });
      const element = make("li", {}, label, make("span", { className: "bar" }, bar), share);
      return { element, bar, share };
    });
    list.append(...this.rows.map((row) => row.element));
    list.classList.toggle("few", names.length <= 12);
    list.classList.toggle("scrolling", names.length > MAX_OUTPUTS);
    if (names.length > MAX_OUTPUTS) list.tabIndex = 0;
    list.classList.toggle(
      "short",
      names.every((name) => name.length <= 2),
    );
  }

  /** @param {Answer | null} answer null while there is none */
  show(answer) {
    this.rows.forEach(({ element, bar, share }, k) => {
      const p = answer ? answer.shares[k] : 0;
      share.dataset.p = answer ? String(p) : "";
      setText(share, answer ? percent(p) : "");
      bar.style.setProperty("--share", p.toFixed(4));
      element.classList.toggle("best", answer?.best === k);
      element.classList.toggle("tiny", p < SMALLEST_SHOWN);
    });
  }
}

/** What the network answers, in large, and a sentence or two about it. */
export class Verdict {
  /**
   * @param {HTMLElement} answer holds the class, or `?`
   * @param {HTMLElement} sure holds what is said about it
   * @param {{class_names: string[], min_confidence: number, min_evidence: number}} model
   */
  constructor(answer, sure, model) {
    this.answer = answer;
    this.main = make("span");
    this.more = make("span", { className: "small" });
    sure.append(this.main, this.more);
    this.model = model;
  }

  /**
   * Say that there is no answer.
   * @param {string} main
   * @param {string} [more]
   */
  showNone(main, more = "") {
    this.show("", "–", main, more);
  }

  /**
   * @param {Answer} answer
   * @param {number} digits found in the drawing
   * @param {string} origin what the picture is, such as "Test picture of 4"; empty for a drawing
   */
  showAnswer(answer, digits, origin) {
    const names = this.model.class_names;
    const best = names[answer.best];
    const rival = `then ${clipped(names[answer.second], 16)}, ${percent(answer.shares[answer.second])}`;
    if (answer.reason === null)
      this.show(best, best, `${percent(answer.confidence)} sure`, origin || rival);
    else {
      const [main, more] = this.doubt(answer, digits);
      this.show("?", "?", main, origin ? `${more} ${origin}.` : more);
    }
    this.answer.title = answer.reason ?? best;
  }

  /** Return why the answer is `?`: two texts in plain words. */
  doubt(answer, digits) {
    const { class_names: names, min_confidence, min_evidence } = this.model;
    const perhaps = `Perhaps ${clipped(names[answer.best], 16)}`;
    if (digits > 1)
      return [`${digits} digits`, "Draw one at a time; “digitnet predict” can read numbers."];
    if (answer.confidence < min_confidence) {
      const needed = (100 * min_confidence).toFixed(1);
      return [
        `${perhaps}, ${percent(answer.confidence)} sure`,
        `Answers need ${needed} % or more.`,
      ];
    }
    if (answer.evidence < min_evidence) {
      const [found, needed] = [answer.evidence.toFixed(1), min_evidence.toFixed(1)];
      return [perhaps, `Too little evidence of a digit: ${found}; an answer needs ${needed}.`];
    }
    return [`${perhaps}, but not sure`, "It looks like a line, or a part of something larger."];
  }

  show(data, text, main, more) {
    this.answer.dataset.answer = data;
    this.answer.dataset.length = text.length <= 2 ? "short" : text.length <= 5 ? "medium" : "long";
    this.answer.title = data;
    setText(this.answer, text);
    setText(this.main, main);
    setText(this.more, more);
  }

  /** Return the answer and what is said about it as one text, for screen readers. */
  get text() {
    return [this.answer.dataset.answer, this.main.textContent, this.more.textContent]
      .filter((part) => part)
      .join(". ");
  }
}
