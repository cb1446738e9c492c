// Parameters that the page's data holds as base64.

import { bytesOf, floatsOf } from "../../export/javascript/base64.js";

/**
 * Return the numbers that base64 text holds.
 * @param {string} text base64 of little-endian numbers
 * @param {string} kind "float32" or "float16"
 * @returns {Float32Array}
 */
export function parametersOf(text, kind) {
  if (kind === "float32") return floatsOf(text);
  const bytes = bytesOf(text);
  const floats = new Float32Array(bytes.byteLength / 2);
  for (let i = 0; i < floats.length; i++) floats[i] = halfToFloat(bytes.getUint16(2 * i, true));
  return floats;
}

/** Return the number that 16 bits stand for (IEEE 754, binary16). */
function halfToFloat(half) {
  const sign = half & 0x8000 ? -1 : 1;
  const exponent = (half >> 10) & 31;
  const fraction = half & 1023;
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}
