"""Each step of the page's preparation gives Python's bits on random pictures and masks."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from pads import as_png
from page_modules import as_arguments, as_result, as_rgba, called, in_node, needs_node
from PIL import Image

from digitnet.image import field
from digitnet.image.evidence import network_costs
from digitnet.image.files import brightness, open_picture
from digitnet.image.ink import closing, ink, paper, ruling, shadow, uneven
from digitnet.image.ink.components import Component, connected_components
from digitnet.image.marks import box, groups, outline, sheet, structure

pytestmark = needs_node

Bools = NDArray[np.bool_]
Floats = NDArray[np.float32]


def masks(n: int, seed: int, side: int = 60) -> list[Bools]:
    """Return masks of different shapes: noise, blobs, lines, boxes; each marks some pixel."""
    rng = np.random.default_rng(seed)
    made = []
    for number in range(n):
        height, width = rng.integers(5, side, 2)
        mask = rng.random((height, width)) < rng.choice([0.02, 0.1, 0.4, 0.8])
        if number % 2:
            mask = ink.dilate(mask, int(rng.integers(1, 4)))
        for _ in range(number % 4):
            top, left = rng.integers(0, height), rng.integers(0, width)
            mask[top : top + 3, left:] = True
            mask[top:, left : left + 2] = True
        mask[height // 2, width // 2] = True
        made.append(mask)
    return made


def planes(n: int, seed: int, side: int = 90) -> list[Floats]:
    """Return pictures of brightness 0 to 1: noise, ramps, few shades."""
    rng = np.random.default_rng(seed)
    made = []
    for number in range(n):
        height, width = rng.integers(12, side, 2)
        plane = rng.random((height, width)) * rng.choice([0.05, 1])
        plane += np.linspace(0, rng.random(), width)
        if number % 3 == 0:
            plane = np.round(plane * 4) / 4
        made.append(np.clip(plane, 0, 1).astype(np.float32))
    return made


def runs_of(component: Component) -> list[list[int]]:
    return [list(run) for run in component.runs]


def slices(box: tuple[slice, slice]) -> dict[str, int]:
    rows, columns = box
    return {"top": rows.start, "bottom": rows.stop, "left": columns.start, "right": columns.stop}


def part_of(box: tuple[int, ...]) -> dict[str, int]:
    top, left, bottom, right = box
    return {"top": top, "left": left, "bottom": bottom, "right": right}


def assert_equal(calls: list[tuple[Any, ...]], expected: list[Any]) -> None:
    """Check that functions of the page give exactly what Python's gave."""
    assert len(calls) == len(expected)
    for number, (found, value) in enumerate(zip(called(calls), expected)):
        name = f"{calls[number][1]}, call {number}"
        if isinstance(value, np.ndarray):
            np.testing.assert_array_equal(found, value, err_msg=name)
        else:
            assert found == value, name


def test_statistics_have_numpys_bits() -> None:
    rng = np.random.default_rng(1)
    calls: list[tuple[Any, ...]] = []
    expected: list[Any] = []
    for n in (1, 2, 7, 8, 9, 127, 128, 129, 300, 1000, 8193, 70_001):
        values = (rng.random(n) ** 3).astype(np.float32)
        for name, function in (("pairwiseSum", np.add.reduce), ("meanOf", np.mean)):
            calls.append(("statistics.js", name, values))
            expected.append(float(function(values)))
        for name, function in (("deviationOf", np.std), ("medianOf", np.median)):
            calls.append(("statistics.js", name, values))
            expected.append(float(function(values)))
        for share in (0.0, 0.7, 0.85, 1 - 0.85, 0.98, 1.0):
            calls.append(("statistics.js", "quantileOf", values, share))
            expected.append(float(np.quantile(values, share)))
        calls.append(("ink/ink.js", "otsu", values))
        expected.append(list(ink.otsu(values)))
    wide = rng.random((300, 260)).astype(np.float32)
    for right in (70, 150, 259):
        part = wide[:, :right]
        calls.append(("statistics.js", "bufferedSum", part.ravel(), right))
        expected.append(float(np.add.reduce(part, axis=None)))
    for value in (-1.5, -0.5, 0.5, 1.5, 2.5, 2.4, 2.6, 14.5):
        calls.append(("statistics.js", "roundHalfEven", value))
        expected.append(round(value))
    assert_equal(calls, expected)


def test_operations_on_masks_are_equal() -> None:
    calls: list[tuple[Any, ...]] = []
    expected: list[Any] = []
    for number, mask in enumerate(masks(40, seed=2)):
        steps = number % 5
        for name, value in (
            ("strokeWidth", ink.stroke_width(mask)),
            ("boundingBox", slices(ink.bounding_box(mask))),
            ("touchesBorder", ink.touches_border(mask)),
            ("longerSpan", ink.longer_span(mask)),
        ):
            calls.append(("ink/ink.js", name, mask))
            expected.append(value)
        calls += [("ink/ink.js", "dilate", mask, steps), ("ink/ink.js", "erode", mask, steps)]
        expected += [ink.dilate(mask, steps), ink.erode(mask, steps)]
        calls.append(("ink/closing.js", "holdsSquare", mask, 2 * steps + 1))
        expected.append(closing.holds_square(mask, 2 * steps + 1))
        filled = outline.fill_outline(mask)
        calls.append(("marks/outline.js", "fillOutline", mask))
        expected.append(filled)
        for name, value in (
            ("hasFourCorners", outline.has_four_corners(filled)),
            ("isConvex", outline.is_convex(filled)),
        ):
            calls.append(("marks/outline.js", name, filled))
            expected.append(value)
    assert_equal(calls, expected)


def shapes() -> list[Bools]:
    """Return squares, discs, tilted cards, frames and bars, whole and with gaps."""
    y, x = np.mgrid[:70, :64]
    made = []
    for angle in np.linspace(0, 1, 5):
        u = (x - 32) * np.cos(angle) + (y - 35) * np.sin(angle)
        v = (y - 35) * np.cos(angle) - (x - 32) * np.sin(angle)
        card = np.maximum(abs(u) / 25, abs(v) / (18 + 6 * angle)) <= 1
        disc = (u / 28) ** 2 + (v / (28 - 6 * angle)) ** 2 <= 1
        made += [card, disc, card & ~(disc & (abs(u) < 3)), disc & (abs(u) + abs(v) > 5)]
    frame = np.zeros((60, 60), np.bool_)
    frame[:4], frame[-4:], frame[:, :4], frame[:, -4:] = True, True, True, True
    crossed = frame.copy()
    crossed[20:26, 10:] = True
    crossed[20:50, 30:36] = True
    return [mask[ink.bounding_box(mask)] for mask in [*made, frame, crossed, frame[:, :45]]]


def test_sheets_and_boxes_are_equal() -> None:
    calls: list[tuple[Any, ...]] = []
    expected: list[Any] = []
    for mask in [*shapes(), *masks(30, seed=3)]:
        height, width = mask.shape
        whole = (0, 0, height, width)
        found = sheet.sheet_of(mask, (slice(0, height), slice(0, width)), whole, 1)
        calls.append(("marks/sheet.js", "sheetOf", mask, part_of(whole)))
        expected.append(found)
        without = box.remove_box(mask)
        calls.append(("marks/box.js", "removeBox", mask))
        expected.append(None if without is mask else without)
    kinds = set()
    for result, value in zip(called(calls), expected, strict=True):
        kinds.add(type(value))
        if isinstance(value, sheet.Sheet):
            np.testing.assert_array_equal(result["inside"], value.inside)
            assert result["part"] == part_of(value.part)
            assert result["isCornered"] == value.is_cornered
        else:
            np.testing.assert_array_equal(result, value)
    assert kinds == {sheet.Sheet, np.ndarray, type(None)}


def test_components_groups_and_written_structure_are_equal() -> None:
    many = [*masks(28, seed=4, side=130), *shapes()]
    found = in_node("components", masks=as_arguments(many))
    written = in_node("written", masks=as_arguments(many))
    for mask, result, page in zip(many, found, written, strict=True):
        parts = connected_components(mask)
        assert result["parts"] == [{"runs": runs_of(one), "area": one.area} for one in parts]
        np.testing.assert_allclose(result["bars"], [one.as_bar() for one in parts], atol=1e-6)
        own = [
            [[{"runs": runs_of(one), "area": one.area} for one in group], gap]
            for group, gap in groups.Neighbours(parts, mask.shape).groups()
        ]
        assert result["groups"] == own
        whole = ink.Ink(mask.astype(np.float32), mask, mask, True, 0.2, is_even=True)
        assert [one["runs"] for one in page["written"]] == [
            runs_of(one) for one in structure.written_components(whole)
        ]
        assert [one["runs"] for one in page["frames"]] == [
            runs_of(one) for one in structure.find_frames(parts)
        ]


def test_operations_on_pictures_have_the_same_bits() -> None:
    calls: list[tuple[Any, ...]] = []
    expected: list[Any] = []
    for number, plane in enumerate(planes(40, seed=5)):
        size = [1, 3, 9, 21][number % 4]
        for name, function in (
            ("maxFilter", closing.max_filter),
            ("greyClosing", closing.grey_closing),
        ):
            calls.append(("ink/closing.js", name, plane, size))
            expected.append(function(plane, size))
        if size > 1:
            calls.append(("ink/closing.js", "paddedGreyClosing", plane, size))
            expected.append(closing.padded_grey_closing(plane, size))
        calls.append(("ink/uneven.js", "smooth", plane))
        expected.append(uneven.smooth(plane))
        dark = plane >= np.quantile(plane, 0.8)
        calls.append(("ink/ruling.js", "rulingStrength", plane, dark))
        expected.append(ruling.ruling_strength(plane, dark))
        calls.append(("ink/shadow.js", "findShadow", plane, dark, True, False))
        shaded = shadow.find_shadow(plane, dark, True, known=False)
        expected.append(shaded if shaded.any() else None)
        calls.append(("marks/sheet.js", "fillOutside", plane, dark))
        expected.append(sheet.fill_outside(plane, dark))
    assert_equal(calls, expected)


def test_ink_is_found_with_the_same_bits() -> None:
    pictures = [plane for plane in planes(36, seed=6, side=130) if np.ptp(plane) > 0]
    calls: list[tuple[Any, ...]] = [("ink/paper.js", "findInk", plane) for plane in pictures]
    calls += [("ink/paper.js", "findInk", plane, True) for plane in pictures]
    expected = [paper.find_ink(plane) for plane in pictures]
    expected += [paper.find_ink(plane, dark=True) for plane in pictures]
    for found, value in zip(called(calls), expected, strict=True):
        if value is None:
            assert found is None
            continue
        for name, own in zip(("strength", "sure", "marked"), value[:3]):
            np.testing.assert_array_equal(found[name], own)
        assert found["dark"] == value.dark
        assert found["threshold"] == value.threshold
        assert (found["isEven"], found["shadowed"]) == (value.is_even, value.shadowed)


def test_fields_are_equal() -> None:
    rng = np.random.default_rng(7)
    calls: list[tuple[Any, ...]] = []
    expected = []
    for number, mask in enumerate(masks(40, seed=7, side=180)):
        strength = (mask * rng.uniform(0.3, 1, mask.shape)).astype(np.float32)
        alone = number % 3 == 0
        calls.append(("field.js", "toField", strength, mask, alone, False))
        expected.append(field.to_field(strength, mask, alone=alone))
    for found, own in zip(called(calls), expected, strict=True):
        assert found["image"] == own.image.ravel().tolist()
        assert found["corner"] == list(own.corner)
        assert found["width"] == own.width


def test_the_costs_of_candidates_are_equal() -> None:
    rng = np.random.default_rng(8)
    p, nats = rng.dirichlet(np.full(10, 0.3), 40), np.append(rng.uniform(0, 9, 39), 0.55)
    scores = {"probabilities": p.tolist(), "evidence": nats.tolist()}
    found = called([("evidence.js", "networkCosts", scores)])[0]
    np.testing.assert_allclose(found, network_costs(p, nats), rtol=1e-12)


@pytest.mark.parametrize("paper_grey", [0, 255, 137, 171])
def test_brightness_of_grey_pixels_has_the_same_bits(paper_grey: int) -> None:
    pad = np.full((40, 52), paper_grey, np.uint8)
    pad[10:20, 5:30] = np.random.default_rng(1).integers(0, 256, (10, 25))
    (found,) = brightness_in_node(np.dstack([pad] * 3 + [np.full_like(pad, 255)]))
    expected = brightness(open_picture(as_png(pad), "pad"))
    # Python's projection may leave 10⁻¹⁶ of brightness in black pixels.
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-15)


def test_brightness_of_colours_and_transparent_pixels_is_equal() -> None:
    rng = np.random.default_rng(1)
    noise = rng.integers(0, 256, (30, 40, 4), np.uint8)
    opaque = noise | np.array([0, 0, 0, 255], np.uint8)
    two = np.where(noise[..., :1] < 60, [200, 40, 10, 255], [90, 160, 250, 255]).astype(np.uint8)
    one = np.full_like(noise, [10, 20, 200, 255])
    hidden = noise * np.array([1, 1, 1, 0], np.uint8)
    white = np.dstack([np.full((30, 40, 3), 255), noise[..., 3]]).astype(np.uint8)
    faint = white // np.array([1, 1, 1, 20], np.uint8)
    pictures = [noise, opaque, two, one, hidden, white, faint, 255 - faint, two[:1, :1], two[:1]]
    for found, picture in zip(brightness_in_node(*pictures), pictures, strict=True):
        expected = brightness(open_picture(Image.fromarray(picture), "picture"))
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-7)


def brightness_in_node(*pictures: NDArray[np.uint8]) -> list[Any]:
    """Return the brightness of RGBA pictures."""
    return [as_result(each) for each in in_node("brightness", pictures=as_rgba(pictures))]
