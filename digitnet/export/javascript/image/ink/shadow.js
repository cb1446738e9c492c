// Find shadows that were taken for ink: fainter than the strokes, and broader.

import { Mask } from "../plane.js";
import { holdsSquare } from "./closing.js";
import { DOT_LENGTH, boundingBox, longerSpan, otsu, strokeWidth, touchesBorder } from "./ink.js";

const MIN_INK_TO_SHADOW = 1.4; // ratio of mean strengths: ink on a shadow to the shadow
const MIN_SQUARE_WIDTHS = 1.5; // stroke widths: side of a square that fits into a shadow
const MIN_SQUARE_SIDE = 9; // px: side of that square
const MIN_SQUARE_SHARE = 0.08; // of the picture's longer side: its side if no shadow is known

/**
 * Return the pixels of `sure` that are a shadow and not ink; null without a shadow.
 *
 * Otsu's threshold splits the ink in two. The fainter part is a shadow where it is much broader
 * than the darker part, and the darker part is strokes. Where ink is lighter than the paper, the
 * fainter part must also touch a side of the picture, unless a shadow is known.
 * @param {import("../plane.js").Plane} strength of the ink
 * @param {Mask} sure where there is surely ink
 * @param {boolean} dark whether ink is darker than the paper
 * @param {boolean} known whether the picture is known to have a shadow
 * @returns {Mask | null}
 */
export function findShadow(strength, sure, dark, known) {
  const box = boundingBox(sure); // nothing outside counts
  const [inked, darkness] = [sure.crop(box), strength.crop(box)];
  const [threshold, low, high] = otsu(darkness.where(inked));
  if (high < MIN_INK_TO_SHADOW * low) return null;
  const strokes = inked.and(darkness.above(threshold));
  const width = strokeWidth(strokes);
  if (longerSpan(strokes) <= DOT_LENGTH * width) return null;
  const least = known ? 0 : MIN_SQUARE_SHARE * Math.max(sure.h, sure.w);
  const side = Math.ceil(Math.max(MIN_SQUARE_WIDTHS * width, MIN_SQUARE_SIDE, least)) | 1;
  if (!holdsSquare(inked.without(strokes), side)) return null;
  const fainter = sure.without(strength.above(threshold));
  return known || dark || touchesBorder(fainter) ? fainter : null;
}
