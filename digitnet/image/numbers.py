"""Find the numbers in a picture: ink, rows, candidates scored by the network, cheapest paths."""

from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from digitnet.arrays import FloatArray
from digitnet.image.candidates import (
    Piece,
    RowCandidate,
    as_piece,
    cut_into_pieces,
    may_hold_several_digits,
    row_candidates,
)
from digitnet.image.evidence import CLEAR_COST, Score, network_costs
from digitnet.image.field import to_field
from digitnet.image.files import SHRUNK
from digitnet.image.ink.components import Component, Rectangle
from digitnet.image.ink.ink import MIN_PAGE_SIDE, stroke_width
from digitnet.image.look import FINE_RESOLUTION, Look, look_at, no_ink_error
from digitnet.image.marks.rows import FULL_HEIGHT, TextRow, rows_of
from digitnet.image.marks.sheet import in_picture, lightest_sheet
from digitnet.image.marks.structure import typical_height, written_components
from digitnet.image.segmentation import Glyph, SegmentationGraph, shape_cost, skip_cost

MIN_ROW_HEIGHT = 16  # px: lower rows are looked at again at twice the resolution
MAX_RESOLUTION = 2560  # px of the longer side
TINY_PICTURE = 400  # px of the longer side: up to this the picture is enlarged
DIGIT_INK = 2.2  # row heights × stroke widths: ink of a usual digit
MAX_PAGE_COMPONENTS = 5000  # components: a page with more is a pattern
MAX_PAGE_CANDIDATES = 12_000  # a page with more is a pattern; 1,150 separate digits have 1,800
MIN_COMPONENT_INK = 0.04  # of a digit's ink: smaller components are dropped
SPLIT_GAP = 1.2  # row heights: a gap between two numbers is wider
SPLIT_GAP_RATIO = 2.0  # times the row's median gap: a gap between two numbers is also wider


@dataclass(frozen=True, eq=False)
class FoundNumber:
    """A number in a picture. row: counted from 0. glyphs: its digits, with boxes in the picture."""

    row: int
    glyphs: list[Glyph]


@dataclass(eq=False)
class _ScoredRow:
    """A row of text with its pieces and its scored candidates."""

    row: TextRow
    pieces: list[Piece]
    graph: SegmentationGraph


def find_numbers(
    image: Image.Image, name: str, score: Score, digits: int | None
) -> list[FoundNumber]:
    """Return the numbers in a decoded picture in reading order.

    digits: None for all numbers, or the length of the only number to find. Empty where there is no
    number, or none of that length. Raises ImageError, which names the picture `name`, where there
    is no ink.
    """
    look, scale = _fine_look(image)
    if look is None:
        raise no_ink_error(name)
    parts = written_components(look.ink)
    if not 0 < len(parts) <= MAX_PAGE_COMPONENTS:
        return []
    with np.errstate(under="ignore"):  # the faintest ink underflows in float32
        rows = _score_rows(rows_of(parts), look.ink.strength, score)
    found = _all_numbers(rows) if digits is None else _one_number(rows, digits)
    shrunk = image.info.get(SHRUNK, 1)
    return [
        FoundNumber(row, [_in_picture(glyph, look, scale, shrunk) for glyph in glyphs])
        for row, glyphs in found
    ]


def _in_picture(glyph: Glyph, look: Look, scale: int, shrunk: int) -> Glyph:
    """Return a glyph with its box in the picture as it is in the file.

    scale: how many times the picture was enlarged before the look. shrunk: by which factor decoding
    shrank it.
    """
    top, left, bottom, right = in_picture(glyph.box.slices, look.part, look.step)
    first, end = (top // scale, left // scale), (-(-bottom // scale), -(-right // scale))
    (top, left), (bottom, right) = ([shrunk * side for side in corner] for corner in (first, end))
    return replace(glyph, box=Rectangle(top, bottom, left, right))


# Looks


def _fine_look(image: Image.Image) -> tuple[Look | None, int]:
    """Return a look with rows of at least MIN_ROW_HEIGHT, if the resolution allows it.

    Also returns how many times the picture was enlarged. None where there is no ink.
    """
    scale = 1
    if max(image.size) <= TINY_PICTURE:
        scale = min(max(round(TINY_PICTURE / max(image.size)), 1), 4)
        size = image.width * scale, image.height * scale
        image = image.resize(size, Image.Resampling.BICUBIC)
    resolution, sheet = FINE_RESOLUTION, None
    look = look_at(image, resolution)
    if look is None:
        return None, 1
    if (not look.ink.is_even or not look.ink.dark) and min(look.light.shape) >= MIN_PAGE_SIDE:
        sheet = lightest_sheet(look.light, look.part, look.step)
        on_sheet = sheet and look_at(image, resolution, sheet=sheet)
        look = on_sheet or look
        sheet = sheet if on_sheet else None
    while look.step > 1 and resolution < MAX_RESOLUTION:
        parts = written_components(look.ink)
        if not parts or typical_height(parts) >= MIN_ROW_HEIGHT:
            break
        resolution *= 2
        finer = look_at(image, resolution, sheet=sheet)
        if finer is None:
            break
        look = finer
    return look, scale


# Candidates


def _score_rows(rows: list[TextRow], strength: FloatArray, score: Score) -> list[_ScoredRow]:
    """Return the rows with their candidates; the network scores the candidates of all rows at once.

    strength: (h, w), of the ink in the look. Empty where there are no candidates, or too many.
    """
    inks = [_digit_ink(row) for row in rows]
    for row, ink in zip(rows, inks):
        row.components = [part for part in row.components if part.area >= MIN_COMPONENT_INK * ink]
    clear = _clear_components(rows, strength, score)
    pieces = [_pieces(row, clear, strength) for row in rows]
    candidates: list[list[RowCandidate]] = []
    every: list[RowCandidate] = []
    for row, row_pieces in zip(rows, pieces):
        candidates.append([])
        for candidate in row_candidates(row_pieces, row.height, strength):
            candidates[-1].append(candidate)
            every.append(candidate)
            if len(every) > MAX_PAGE_CANDIDATES:
                return []
    if not every:
        return []
    probabilities, evidence, sure = score(np.stack([candidate.image for candidate in every]))
    scores = iter(zip(probabilities, evidence, sure, network_costs(probabilities, evidence)))
    scored = []
    for row, row_pieces, of_row, ink in zip(rows, pieces, candidates, inks):
        arcs: dict[int, list[tuple[int, Glyph]]] = {}
        for candidate in of_row:
            glyph = _glyph(candidate, row, *next(scores))
            arcs.setdefault(candidate.end, []).append((candidate.first, glyph))
        skips = [skip_cost(piece, row.height, ink) for piece in row_pieces]
        scored.append(_ScoredRow(row, row_pieces, SegmentationGraph(arcs, skips)))
    return scored


def _digit_ink(row: TextRow) -> float:
    """Return about how much ink a digit of the row has, px."""
    high = [part for part in row.components if part.height >= FULL_HEIGHT * row.height]
    stroke = float(np.median([stroke_width(part.mask()) for part in high]))
    return DIGIT_INK * row.height * stroke


def _clear_components(rows: list[TextRow], strength: FloatArray, score: Score) -> set[Component]:
    """Return the wide components that are clearly one digit and must not be cut."""
    wide = [
        (row, part) for row in rows for part in row.components if may_hold_several_digits(part, row)
    ]
    wide = [(row, part) for row, part in wide if strength[part.slices][part.mask()].any()]
    if not wide:
        return set()
    images = np.stack([to_field(strength[part.slices], part.mask()).image for _, part in wide])
    probabilities, evidence, _ = score(images)
    return {
        part
        for (row, part), digit, cost in zip(
            wide, probabilities.argmax(axis=1), network_costs(probabilities, evidence)
        )
        if cost + shape_cost(part, int(digit), row.height) < CLEAR_COST
    }


def _pieces(row: TextRow, clear: set[Component], strength: FloatArray) -> list[Piece]:
    """Return the pieces of a row from left to right; clear and narrow components stay whole."""
    pieces: list[Piece] = []
    for part in row.components:
        if part not in clear and may_hold_several_digits(part, row):
            pieces += cut_into_pieces(part, row, strength)
        else:
            pieces.append(as_piece(part))
    return sorted(pieces, key=lambda piece: piece.left + piece.right)


def _glyph(
    candidate: RowCandidate,
    row: TextRow,
    probabilities: NDArray[np.float64],
    evidence: np.float64,
    sure: np.bool_,
    cost: np.float64,
) -> Glyph:
    box, digit = candidate.box, int(probabilities.argmax())
    total = float(cost) + shape_cost(box, digit, row.height)
    return Glyph(box, candidate.image, probabilities, float(evidence), bool(sure), total)


# Numbers


def _one_number(rows: list[_ScoredRow], digits: int) -> list[tuple[int, list[Glyph]]]:
    """Return the likeliest number of exactly `digits` digits, with its row; empty if there is none.

    The cost of a number is reduced by what skipping its ink would cost.
    """
    best: tuple[float, int, list[Glyph]] | None = None
    for row_number, row in enumerate(rows):
        for graph in _sections(row):
            path = graph.best_path(digits)
            if path is not None:
                glyphs, cost = path
                if best is None or cost < best[0]:
                    best = cost, row_number, glyphs
    return [best[1:]] if best else []


def _sections(row: _ScoredRow) -> list[SegmentationGraph]:
    """Return the graphs of a row's sections between wide gaps: a number lies in one section."""
    reach = np.maximum.accumulate([piece.right for piece in row.pieces])
    gaps = np.array([piece.left for piece in row.pieces[1:]]) - reach[:-1]
    cuts = [i + 1 for i in np.flatnonzero(_are_wide(gaps, row.row.height)).tolist()]
    return [row.graph.between(a, b) for a, b in pairwise([0, *cuts, len(row.pieces)])]


def _are_wide(gaps: NDArray[np.intp], height: float) -> NDArray[np.bool_]:
    """Return which of a row's gaps, px, separate two numbers.

    height: of the row, px.
    """
    positive = gaps[gaps > 0]
    median = float(np.median(positive)) if len(positive) > 2 else 0.0
    wide: NDArray[np.bool_] = gaps > max(SPLIT_GAP * height, SPLIT_GAP_RATIO * median)
    return wide


def _all_numbers(rows: list[_ScoredRow]) -> list[tuple[int, list[Glyph]]]:
    """Return the numbers with a majority of sure digits, or else the surest number alone."""
    numbers: list[tuple[int, list[Glyph]]] = []
    for row_number, row in enumerate(rows):
        best = row.graph.best_path(None)
        if best and best[0]:
            numbers += [(row_number, glyphs) for glyphs in _split(best[0], row.row.height)]
    good = [number for number in numbers if _sure_share(number[1]) > 0.5]
    if good or not numbers:
        return good
    return [max(numbers, key=lambda number: _sure_share(number[1]))]


def _sure_share(glyphs: list[Glyph]) -> float:
    return sum(glyph.sure for glyph in glyphs) / len(glyphs)


def _split(glyphs: list[Glyph], height: float) -> list[list[Glyph]]:
    """Return the digits of a row as numbers, split at wide gaps.

    height: of the row, px.
    """
    gaps = np.array([two.box.left - one.box.right for one, two in pairwise(glyphs)], np.intp)
    numbers = [[glyphs[0]]]
    for is_wide, glyph in zip(_are_wide(gaps, height), glyphs[1:]):
        if is_wide:
            numbers.append([])
        numbers[-1].append(glyph)
    return numbers
