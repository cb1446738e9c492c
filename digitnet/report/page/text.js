// Numbers and names as the page's texts have them.

/**
 * Return a probability as a percentage that is never 0 or 100 %.
 * @param {number} share 0 to 1
 * @returns {string}
 */
export function percent(share) {
  if (share > 0.9995) return ">99.9 %";
  return share < 0.0005 ? "<0.1 %" : `${(100 * share).toFixed(1)} %`;
}

/**
 * Return a name of at most `length` characters.
 * @param {string} name
 * @param {number} length
 * @returns {string}
 */
export function clipped(name, length) {
  const characters = [...name];
  return characters.length > length ? `${characters.slice(0, length - 1).join("")}…` : name;
}

/**
 * Return what pictures of a split are called: "Test picture"; "Picture" without a split.
 * @param {string} split
 * @returns {string}
 */
export function kindOfPicture(split) {
  return split ? `${split[0].toUpperCase()}${split.slice(1)} picture` : "Picture";
}

/**
 * Return an integer with commas between thousands.
 * @param {number} count
 * @returns {string}
 */
export function counted(count) {
  return count.toLocaleString("en");
}

/**
 * Return a number with two decimals and a true minus sign.
 * @param {number} value
 * @returns {string}
 */
export function decimal(value) {
  return (value < 0 ? "−" : "") + Math.abs(value).toFixed(2);
}
