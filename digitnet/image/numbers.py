"""The numbers in a picture: ink, rows, candidates that the network judges, the best paths."""

from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from digitnet.arrays import FloatArray
from digitnet.image.candidates import (
    Candidate,
    Piece,
    candidates_of,
    may_be_several,
    pieces_of,
    whole,
)
from digitnet.image.evidence import CLEAR, Score, network_costs
from digitnet.image.field import to_field
from digitnet.image.files import SHRUNK
from digitnet.image.ink.components import Component, Rectangle
from digitnet.image.ink.ink import MIN_PAGE_SIDE, stroke_width
from digitnet.image.look import FINE_ENOUGH, Look, look_at
from digitnet.image.marks.rows import FULL_HEIGHT, TextRow, rows_of
from digitnet.image.marks.sheet import in_picture, lightest_sheet
from digitnet.image.marks.structure import typical_height, written_components
from digitnet.image.path import Glyph, Path, left_out, shape_cost
from digitnet.image.reading import at_the_whole, no_ink

FINE_ROW = 16  # px: rows that are lower are looked at in more pixels
MOST_PIXELS = 2560  # px of the longer side, at most
TINY = 400  # px: smaller pictures of low rows are enlarged
INK = 2.2  # row heights of a stroke: the ink of a digit
MOST_PARTS = 5000  # of a page: more are a pattern
MOST_CANDIDATES = 12_000  # of a page: 1,150 separate digits have 1,800
SPECK = 0.04  # of a digit's ink: less is in no piece
SPLIT, SPLIT_MEDIAN = 1.2, 2.0  # row heights; times the row's median gap: between numbers


@dataclass(frozen=True, eq=False)
class FoundNumber:
    """A number as it is written. row: counted from 0. glyphs: with boxes in the picture."""

    row: int
    glyphs: list[Glyph]


@dataclass(eq=False)
class _Line:
    """A row with its pieces and what may be a digit in it."""

    row: TextRow
    pieces: list[Piece]
    path: Path


def find_numbers(
    image: Image.Image, name: str, score: Score, digits: int | None
) -> list[FoundNumber]:
    """Return the numbers in a decoded picture in reading order; with `digits`, one of so many.

    Empty where there is no number, or none of that length. Raises ImageError, calling the picture
    `name`, where there is no ink.
    """
    look, scale = _fine_look(image)
    if look is None:
        raise no_ink(name)
    parts = written_components(look.ink)
    if not 0 < len(parts) <= MOST_PARTS:
        return []
    with np.errstate(under="ignore"):  # of the faintest ink, as float32
        lines = _lines(rows_of(parts), look.ink.strength, score)
    found = _all_numbers(lines) if digits is None else _one_number(lines, digits)
    shrunk = image.info.get(SHRUNK, 1)
    return [
        FoundNumber(row, [_in_picture(glyph, look, scale, shrunk) for glyph in glyphs])
        for row, glyphs in found
    ]


def _in_picture(glyph: Glyph, look: Look, scale: int, shrunk: int) -> Glyph:
    """Return a glyph with its box in the file's picture, enlarged `scale` times to look at it."""
    top, left, bottom, right = in_picture(glyph.box.slices, look.part, look.step)
    first, end = (top // scale, left // scale), (-(-bottom // scale), -(-right // scale))
    (top, left), (bottom, right) = ([shrunk * side for side in corner] for corner in (first, end))
    return replace(glyph, box=Rectangle(top, bottom, left, right))


# Looks


def _fine_look(image: Image.Image) -> tuple[Look | None, int]:
    """Return a look in which rows are high enough, and how many times the picture was enlarged."""
    scale = 1
    if max(image.size) <= TINY:
        scale = min(max(round(TINY / max(image.size)), 1), 4)
        size = image.width * scale, image.height * scale
        image = image.resize(size, Image.Resampling.BICUBIC)
    pixels, sheet = FINE_ENOUGH, None
    look = at_the_whole(image, pixels)
    if look is None:
        return None, 1
    if (not look.ink.is_even or not look.ink.dark) and min(look.light.shape) >= MIN_PAGE_SIDE:
        sheet = lightest_sheet(look.light, look.part, look.step)
        on_it = sheet and look_at(image, sheet.part, pixels, sheet)
        look = on_it or look
        sheet = sheet if on_it else None
    while look.step > 1 and pixels < MOST_PIXELS:
        parts = written_components(look.ink)
        if not parts or typical_height(parts) >= FINE_ROW:
            break
        pixels *= 2
        finer = look_at(image, sheet.part, pixels, sheet) if sheet else at_the_whole(image, pixels)
        if finer is None:
            break
        look = finer
    return look, scale


# Candidates


def _lines(rows: list[TextRow], strength: FloatArray, score: Score) -> list[_Line]:
    """Return rows with their candidates; all of these are judged together."""
    inks = [_digit_ink(row) for row in rows]
    for row, ink in zip(rows, inks):
        row.components = [part for part in row.components if part.area >= SPECK * ink]
    clear = _clear_parts(rows, strength, score)
    pieces = [_pieces(row, clear, strength) for row in rows]
    candidates: list[list[Candidate]] = []
    every: list[Candidate] = []
    for row, some in zip(rows, pieces):
        candidates.append([])
        for candidate in candidates_of(some, row.height, strength):
            candidates[-1].append(candidate)
            every.append(candidate)
            if len(every) > MOST_CANDIDATES:  # a pattern, no page
                return []
    if not every:
        return []
    shares, nats, sure = score(np.stack([candidate.image for candidate in every]))
    judged = iter(zip(shares, nats, sure, network_costs(shares, nats)))
    lines = []
    for row, some, of_row, ink in zip(rows, pieces, candidates, inks):
        arcs: dict[int, list[tuple[int, Glyph]]] = {}
        for candidate in of_row:
            glyph = _glyph(candidate, row, *next(judged))
            arcs.setdefault(candidate.end, []).append((candidate.first, glyph))
        skips = [left_out(piece, row.height, ink) for piece in some]
        lines.append(_Line(row, some, Path(arcs, skips)))
    return lines


def _digit_ink(row: TextRow) -> float:
    """Return how many pixels of ink a digit of the row has, about."""
    high = [part for part in row.components if part.height >= FULL_HEIGHT * row.height]
    stroke = float(np.median([stroke_width(part.mask()) for part in high]))
    return INK * row.height * stroke


def _clear_parts(rows: list[TextRow], strength: FloatArray, score: Score) -> set[Component]:
    """Return the wide components that are clearly one digit."""
    wide = [(row, part) for row in rows for part in row.components if may_be_several(part, row)]
    wide = [(row, part) for row, part in wide if strength[part.slices][part.mask()].any()]
    if not wide:
        return set()
    images = np.stack([to_field(strength[part.slices], part.mask()).image for _, part in wide])
    shares, nats, _ = score(images)
    return {
        part
        for (row, part), digit, cost in zip(
            wide, shares.argmax(axis=1), network_costs(shares, nats)
        )
        if cost + shape_cost(part, int(digit), row.height) < CLEAR
    }


def _pieces(row: TextRow, clear: set[Component], strength: FloatArray) -> list[Piece]:
    pieces: list[Piece] = []
    for part in row.components:
        if part not in clear and may_be_several(part, row):
            pieces += pieces_of(part, row, strength)
        else:
            pieces.append(whole(part))
    return sorted(pieces, key=lambda piece: piece.left + piece.right)


def _glyph(
    candidate: Candidate,
    row: TextRow,
    shares: NDArray[np.float64],
    nats: np.float64,
    sure: np.bool_,
    cost: np.float64,
) -> Glyph:
    box, digit = candidate.box, int(shares.argmax())
    whole = float(cost) + shape_cost(box, digit, row.height)
    return Glyph(box, candidate.image, shares, float(nats), bool(sure), whole)


# Numbers


def _one_number(lines: list[_Line], digits: int) -> list[tuple[int, list[Glyph]]]:
    """Return the row that is a number of so many digits most likely; none if there is no such row.

    A row gains by what its ink would cost if it were left out.
    """
    best: tuple[float, int, list[Glyph]] | None = None
    for number, line in enumerate(lines):
        for path in _sections(line):
            way = path.best(digits)
            if way is not None:
                glyphs, cost = way
                if best is None or cost < best[0]:
                    best = cost, number, glyphs
    return [best[1:]] if best else []


def _sections(line: _Line) -> list[Path]:
    """Return the parts of a row between wide gaps: a number of so many digits is in one."""
    reach = np.maximum.accumulate([piece.right for piece in line.pieces])
    gaps = np.array([piece.left for piece in line.pieces[1:]]) - reach[:-1]
    cuts = [i + 1 for i in np.flatnonzero(_are_wide(gaps, line.row.height)).tolist()]
    return [line.path.between(a, b) for a, b in pairwise([0, *cuts, len(line.pieces)])]


def _are_wide(gaps: NDArray[np.intp], height: float) -> NDArray[np.bool_]:
    """Return which gaps, px, are between two numbers: wide, and wider than gaps of the row are."""
    between = gaps[gaps > 0]
    usual = float(np.median(between)) if len(between) > 2 else 0.0
    wide: NDArray[np.bool_] = gaps > max(SPLIT * height, SPLIT_MEDIAN * usual)
    return wide


def _all_numbers(lines: list[_Line]) -> list[tuple[int, list[Glyph]]]:
    """Return all numbers; those that are mostly doubtful only where there is no other."""
    some: list[tuple[int, list[Glyph]]] = []
    for number, line in enumerate(lines):
        best = line.path.best(None)
        if best and best[0]:
            some += [(number, glyphs) for glyphs in _split(best[0], line.row.height)]
    good = [one for one in some if _sure_share(one[1]) > 0.5]
    if good or not some:
        return good
    return [max(some, key=lambda one: _sure_share(one[1]))]


def _sure_share(glyphs: list[Glyph]) -> float:
    return sum(glyph.sure for glyph in glyphs) / len(glyphs)


def _split(glyphs: list[Glyph], height: float) -> list[list[Glyph]]:
    """Return the digits of a row as numbers: wide gaps are between two."""
    gaps = np.array([two.box.left - one.box.right for one, two in pairwise(glyphs)], np.intp)
    numbers = [[glyphs[0]]]
    for is_wide, glyph in zip(_are_wide(gaps, height), glyphs[1:]):
        if is_wide:
            numbers.append([])
        numbers[-1].append(glyph)
    return numbers
