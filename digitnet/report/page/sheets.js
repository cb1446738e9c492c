// Pictures that come with the page, many in one PNG, and buttons that show them.

import { Thumbnail } from "./colours.js";
import { make } from "./dom.js";

/**
 * png: a data URL; empty without pictures. digits, priors: what the preparation of each picture
 * found. split: what the pictures were for, such as "test".
 * @typedef {{png: string, labels: number[], digits: number[], priors: number[], split?: string}} Source
 */

/** A sheet of labelled pictures, decoded when it is first used. */
export class Sheet {
  /** @param {Source} source */
  constructor(source) {
    this.source = source;
    this.labels = source.labels;
    this.decoded = null;
  }

  /**
   * Return the pictures, 784 bytes each.
   * @returns {Promise<Uint8Array[]>}
   */
  pictures() {
    this.decoded ||= this.decode();
    return this.decoded;
  }

  /** Return what the preparation of picture k found. */
  foundIn(k) {
    return { digits: this.source.digits[k], prior: this.source.priors[k] };
  }

  async decode() {
    if (!this.source.png) return [];
    const image = new Image();
    image.src = this.source.png;
    await image.decode();
    const { width, height } = image;
    const canvas = make("canvas", { width, height });
    const pen = canvas.getContext("2d", { willReadFrequently: true });
    pen.drawImage(image, 0, 0);
    const { data } = pen.getImageData(0, 0, width, height);
    const columns = width / 28;
    return this.labels.map((_, k) => {
      const corner = Math.floor(k / columns) * 28 * width + (k % columns) * 28;
      return Uint8Array.from(
        { length: 784 },
        (_, i) => data[4 * (corner + Math.floor(i / 28) * width + (i % 28))],
      );
    });
  }
}

/**
 * Return a source with the picture that the style sheet has as `--mistakes`.
 * @param {Omit<Source, "png">} source
 * @returns {Source}
 */
export function withPictures(source) {
  const value = getComputedStyle(document.documentElement).getPropertyValue("--mistakes");
  return { ...source, png: value.trim().slice("url(".length, -1) };
}

/**
 * Return a button that shows a picture.
 * @param {Uint8Array} pixels 784 bytes
 * @param {string} label what a screen reader says, and the title
 * @param {() => void} onClick
 * @returns {HTMLButtonElement}
 */
export function pictureButton(pixels, label, onClick) {
  const canvas = make("canvas", { ariaHidden: "true" });
  new Thumbnail(canvas).showInk(pixels);
  const button = make("button", { type: "button", className: "pic", title: label }, canvas);
  button.setAttribute("aria-label", label);
  button.addEventListener("click", onClick);
  return button;
}
