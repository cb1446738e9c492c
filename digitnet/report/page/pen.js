// A pen that is moved with the keyboard, and the cross that shows where it is.

import { PAD_SIDE } from "./pad.js";

const STEP = 10; // px of the pad that an arrow key moves the pen; with Shift a third
const RIM = 14; // px: the pen stays this far from the pad's border
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

/** @typedef {import("./pad.js").Pad} Pad */

export class KeyboardPen {
  /**
   * @param {Pad} pad
   * @param {HTMLElement} cross shows the pen; its class `down` tells whether the pen is lowered
   * @param {(text: string) => void} say tells screen readers what the pen does
   */
  constructor(pad, cross, say) {
    this.pad = pad;
    this.cross = cross;
    this.say = say;
    this.x = this.y = PAD_SIDE / 2;
    this.isDown = false;
    pad.canvas.addEventListener("keydown", (event) => {
      if (this.press(event)) event.preventDefault();
    });
    for (const type of ["blur", "pointerdown"])
      pad.canvas.addEventListener(type, () => {
        this.lift();
        cross.classList.remove("shown");
      });
    this.place();
  }

  /** Return whether a key is one of the pen's, after doing what it says. */
  press(event) {
    const { key } = event;
    const isUndo =
      key === "Backspace" || (key.toLowerCase() === "z" && (event.ctrlKey || event.metaKey));
    if (key in ARROWS && !event.altKey) this.move(ARROWS[key], event.shiftKey ? STEP / 3 : STEP);
    else if (key === " " || key === "Enter") this.toggle();
    else if (key === "Delete") this.restart();
    else if (key === "Escape") this.lift();
    else if (isUndo) this.undo();
    else return false;
    this.cross.classList.add("shown");
    return true;
  }

  move([right, down], step) {
    this.x = Math.min(Math.max(this.x + right * step, RIM), PAD_SIDE - RIM);
    this.y = Math.min(Math.max(this.y + down * step, RIM), PAD_SIDE - RIM);
    if (this.isDown && this.pad.isBusy) this.pad.extend([this.x, this.y]);
    this.place();
  }

  toggle() {
    if (this.isDown) this.lift();
    else {
      this.isDown = true;
      this.pad.start([this.x, this.y]);
    }
    this.place();
    this.say(this.isDown ? "Pen down" : "Pen up");
  }

  lift() {
    if (!this.isDown) return;
    this.isDown = false;
    this.pad.end();
    this.place();
  }

  restart() {
    this.lift();
    this.pad.clear();
    this.say("Cleared");
  }

  undo() {
    this.lift();
    this.pad.undo();
    this.say("Undone");
  }

  place() {
    this.cross.style.left = `${(100 * this.x) / PAD_SIDE}%`;
    this.cross.style.top = `${(100 * this.y) / PAD_SIDE}%`;
    this.cross.classList.toggle("down", this.isDown);
  }
}
