// Pictures and masks, (h, w), row by row.

/** @typedef {{top: number, bottom: number, left: number, right: number}} Part of a picture, px */

/** Values of a picture; the subclasses say of which type. */
class Values {
  constructor(h, w, v) {
    this.h = h;
    this.w = w;
    this.v = v;
  }

  /**
   * Return the values within a part of the picture.
   * @param {Part} part
   * @returns {this}
   */
  crop({ top, bottom, left, right }) {
    const cropped = this.like(bottom - top, right - left);
    for (let y = top; y < bottom; y++) {
      const start = y * this.w;
      cropped.v.set(this.v.subarray(start + left, start + right), (y - top) * cropped.w);
    }
    return cropped;
  }

  /**
   * Return the values with a margin of one value on all sides.
   * @returns {this}
   */
  padded(margin, value = 0) {
    const padded = this.like(this.h + 2 * margin, this.w + 2 * margin);
    if (value) padded.v.fill(value);
    for (let y = 0; y < this.h; y++) {
      const row = this.v.subarray(y * this.w, (y + 1) * this.w);
      padded.v.set(row, (y + margin) * padded.w + margin);
    }
    return padded;
  }

  /** Return zeros of the same type. */
  like(h, w) {
    return new /** @type {any} */ (this.constructor)(h, w);
  }
}

/** A picture of float32: brightness, or strength of ink. */
export class Plane extends Values {
  /**
   * @param {number} h
   * @param {number} w
   * @param {Float32Array} [v]
   */
  constructor(h, w, v = new Float32Array(h * w)) {
    super(h, w, v);
  }

  /** Return the values where the mask is marked, in reading order. */
  where(mask) {
    const found = new Float32Array(mask.count());
    for (let k = 0, n = 0; k < mask.v.length; k++) if (mask.v[k]) found[n++] = this.v[k];
    return found;
  }

  /** Return the mask of the values above a threshold. */
  above(threshold) {
    const mask = new Mask(this.h, this.w);
    const limit = Math.fround(threshold);
    for (let k = 0; k < this.v.length; k++) if (this.v[k] > limit) mask.v[k] = 1;
    return mask;
  }
}

/** A picture of colours; each value has red in its lowest byte, then green, then blue. */
export class Colours extends Values {
  /**
   * @param {number} h
   * @param {number} w
   * @param {Uint32Array} [v]
   */
  constructor(h, w, v = new Uint32Array(h * w)) {
    super(h, w, v);
  }

  /** Return whether red, green and blue are equal in every pixel. */
  isGrey() {
    for (let k = 0; k < this.v.length; k++)
      if (this.v[k] !== (this.v[k] & 255) * 0x010101) return false;
    return true;
  }
}

/** The marked pixels of a picture: 1 where marked, else 0. */
export class Mask extends Values {
  /**
   * @param {number} h
   * @param {number} w
   * @param {Uint8Array} [v]
   */
  constructor(h, w, v = new Uint8Array(h * w)) {
    super(h, w, v);
  }

  transposed() {
    const { h, w, v } = this;
    const mask = new Mask(w, h);
    for (let y = 0, k = 0; y < h; y++) for (let x = 0; x < w; x++, k++) mask.v[x * h + y] = v[k];
    return mask;
  }

  /** Return the number of marked pixels. */
  count() {
    let n = 0;
    for (let k = 0; k < this.v.length; k++) n += this.v[k];
    return n;
  }

  any() {
    return this.v.includes(1);
  }

  /** Return whether any pixel from column `start` to before `end` of a row is marked. */
  anyInRow(row, start, end) {
    for (let k = row * this.w + start; k < row * this.w + end; k++) if (this.v[k]) return true;
    return false;
  }

  /** Return the pixels that are marked here and not in the other mask. */
  without(other) {
    const mask = new Mask(this.h, this.w);
    for (let k = 0; k < this.v.length; k++) mask.v[k] = this.v[k] & ~other.v[k];
    return mask;
  }

  /** Return the pixels that are marked in both masks. */
  and(other) {
    const mask = new Mask(this.h, this.w);
    for (let k = 0; k < this.v.length; k++) mask.v[k] = this.v[k] & other.v[k];
    return mask;
  }
}
