// Base64 text as bytes and numbers.

/**
 * Return the bytes that base64 text holds; line breaks in the text are ignored.
 * @param {string} text
 * @returns {DataView}
 */
export function bytesOf(text) {
  const raw = atob(text);
  const bytes = new Uint8Array(raw.length);
  for (let i = 0; i < raw.length; i++) bytes[i] = raw.charCodeAt(i);
  return new DataView(bytes.buffer);
}

/**
 * Return the little-endian float32 numbers that base64 text holds, on processors of any byte order.
 * @param {string} text
 * @returns {Float32Array}
 */
export function floatsOf(text) {
  const bytes = bytesOf(text);
  const floats = new Float32Array(bytes.byteLength / 4);
  for (let i = 0; i < floats.length; i++) floats[i] = bytes.getFloat32(4 * i, true);
  return floats;
}
