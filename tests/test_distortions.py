"""Test distortions: each distortion alone, and all distortions together."""

import numpy as np
import pytest
from conftest import read_mnist

from digitnet.arrays import PIXELS, SIDE
from digitnet.randomness import FLOATS_PER_COUNT, Purpose, stream_from
from digitnet.synthetic.distortions import GROUP, Distorter, Distortions

DIGITS, _ = read_mnist("train", 200)
ALL = {"rotation": 15, "scale": 0.15, "shear": 0.15, "shift": 2, "elastic": 34}


def distort(pictures: np.ndarray, seed: int = 0, **amounts: float) -> np.ndarray:
    """Return distorted pictures (n, 28, 28), float32."""
    out = np.full((len(pictures), PIXELS), np.nan, np.float32)
    flat = pictures.reshape(len(pictures), PIXELS)
    Distorter(Distortions(**amounts))(flat, out, np.random.default_rng(seed))
    return out.reshape(-1, SIDE, SIDE)


def centres(pictures: np.ndarray) -> np.ndarray:
    """Return the centres of mass, rows and columns: (n, 2)."""
    total = pictures.sum(axis=(1, 2))
    y, x = np.mgrid[:SIDE, :SIDE]
    return np.stack([(pictures * grid).sum(axis=(1, 2)) / total for grid in (y, x)], axis=1)


def angles(pictures: np.ndarray) -> np.ndarray:
    """Return the angle of each picture's long axis in degrees, from second moments: (n,)."""
    y, x = np.mgrid[:SIDE, :SIDE] - (SIDE - 1) / 2
    xx, yy, xy = ((pictures * grid).sum(axis=(1, 2)) for grid in (x * x, y * y, x * y))
    return np.rad2deg(np.arctan2(2 * xy, xx - yy) / 2)


def test_without_distortions_pictures_do_not_change() -> None:
    assert not Distortions()
    np.testing.assert_array_equal(distort(DIGITS), DIGITS)


@pytest.mark.parametrize("name", ALL)
def test_each_distortion_changes_every_picture_differently(name: str) -> None:
    assert Distortions(**{name: ALL[name]})
    copies = np.repeat(DIGITS[:1], 50, axis=0)
    pictures = distort(copies, **{name: ALL[name]})
    assert len(np.unique(pictures.round(3), axis=0)) == 50
    assert (pictures >= 0).all()
    assert (pictures <= 255).all()


def test_pictures_move_by_at_most_shift() -> None:
    square = np.zeros((400, SIDE, SIDE), np.uint8)
    square[:, 12:16, 12:16] = 255
    moved = centres(distort(square, shift=2)) - 13.5
    assert np.abs(moved).max() <= 2.001
    assert (np.abs(moved).max(axis=0) > 1.9).all()
    assert np.abs(moved.mean(axis=0)).max() < 0.2
    assert abs(np.corrcoef(moved.T)[0, 1]) < 0.2


def test_pictures_rotate_about_their_centre_by_at_most_rotation() -> None:
    bar = np.zeros((400, SIDE, SIDE), np.uint8)
    bar[:, 12:16, 4:24] = 255
    rotated = distort(bar, rotation=20)
    assert 19 < np.abs(angles(rotated)).max() < 20.5
    assert abs(angles(rotated).mean()) < 2
    np.testing.assert_allclose(centres(rotated), 13.5, atol=0.05)


def test_width_and_height_scale_independently_and_symmetrically() -> None:
    square = np.zeros((1000, SIDE, SIDE), np.uint8)
    square[:, 9:19, 9:19] = 255
    scaled = distort(square, scale=0.2) / 255
    high, wide = scaled.sum(axis=1).max(axis=1) / 10, scaled.sum(axis=2).max(axis=1) / 10
    for size in (high, wide):
        assert 1 / 1.25 < size.min() < 0.87
        assert 1.15 < size.max() < 1.25
        assert abs(np.log(size).mean()) < 0.02
    assert abs(np.corrcoef(high, wide)[0, 1]) < 0.1


def test_shear_moves_rows_sideways_only() -> None:
    bar = np.zeros((400, SIDE, SIDE), np.uint8)
    bar[:, 4:24, 12:16] = 255
    sheared = distort(bar, shear=0.3)
    x = np.arange(SIDE)
    top, bottom = (
        (sheared[:, row] * x).sum(axis=1) / sheared[:, row].sum(axis=1) for row in (4, 23)
    )
    assert 0.28 * 19 < np.abs(top - bottom).max() < 0.301 * 19
    np.testing.assert_allclose(sheared[:, 4:24].sum(axis=2), 4 * 255, rtol=1e-4)
    assert (sheared[:, :3] == 0).all()


def test_the_elastic_field_is_smoothed_noise() -> None:
    distorter = Distorter(Distortions(elastic=34))
    random = np.random.default_rng(0).uniform(-1, 1, (GROUP, 2 * PIXELS)).astype(np.float32)
    places = np.zeros((2, GROUP, PIXELS), np.float32)
    distorter._add_elastic_field(random, places)
    kernel = np.exp(-0.5 * (np.arange(-27, 28) / 4) ** 2) / (4 * np.sqrt(2 * np.pi))
    field = random.reshape(GROUP, 2, SIDE, SIDE)[0, 0]
    by_rows = np.array([np.convolve(row, kernel, mode="full")[27:-27] for row in field])
    expected = np.array([np.convolve(c, kernel, mode="full")[27:-27] for c in by_rows.T]).T
    np.testing.assert_allclose(places[0, 0].reshape(SIDE, SIDE), 34 * expected, atol=1e-4)
    # Standard deviation of a smoothed uniform field, far from the border: α √(1/3) / (2 σ √π).
    middle = places.reshape(2, GROUP, SIDE, SIDE)[:, :, 12:16, 12:16]
    assert middle.std() == pytest.approx(34 / np.sqrt(3) / (8 * np.sqrt(np.pi)), rel=0.15)


def test_distorted_digits_keep_their_ink() -> None:
    ink = distort(DIGITS, **ALL).sum(axis=(1, 2)) / DIGITS.sum(axis=(1, 2))
    assert 0.9 < np.median(ink) < 1.1
    assert ink.min() > 0.4


def test_outside_the_picture_is_paper() -> None:
    black = np.full((400, SIDE, SIDE), 255, np.uint8)
    moved = distort(black, shift=28)
    assert ((moved == 0) | (moved == 255)).mean() > 0.8
    for side in (moved[:, 0], moved[:, -1], moved[:, :, 0], moved[:, :, -1]):
        assert (side == 0).all(axis=1).mean() > 0.4


def test_rotation_and_shear_preserve_area() -> None:
    square = np.zeros((100, SIDE, SIDE), np.uint8)
    square[:, 9:19, 9:19] = 255
    ink = distort(square, rotation=30, shear=0.4).sum(axis=(1, 2)) / (255 * 100)
    assert np.abs(ink - 1).max() < 0.03


def test_a_distortion_depends_on_the_position_of_the_picture_only() -> None:
    flat, distorter = DIGITS.reshape(-1, PIXELS), Distorter(Distortions(**ALL))
    counts, rest = divmod(distorter.distortions.draws, FLOATS_PER_COUNT)
    assert rest == 0

    def distort_in_groups(*bounds: int) -> bytes:
        out = np.empty(flat.shape, np.float32)
        for first, last in zip((0, *bounds), (*bounds, len(flat))):
            rng = stream_from(first * counts, 7, Purpose.DISTORT, 3)
            distorter(flat[first:last], out[first:last], rng)
        return out.tobytes()

    whole = distort_in_groups()
    assert distort_in_groups(1) == distort_in_groups(31, 32, 33) == distort_in_groups(100) == whole


def test_the_input_is_not_modified() -> None:
    before = DIGITS.copy()
    distort(DIGITS, **ALL)
    np.testing.assert_array_equal(DIGITS, before)


def test_strength_scales_every_distortion() -> None:
    flat = DIGITS.reshape(-1, PIXELS)
    amounts = ALL | {"rotation": 20, "elastic": 30}
    outs = np.empty((3, *flat.shape), np.float32)
    for out, strength in zip(outs, (0, 0.5, 1)):
        distorter = Distorter(Distortions(**amounts))
        distorter(flat, out, np.random.default_rng(1), strength)
    np.testing.assert_array_equal(outs[0], flat)
    half, whole = (np.abs(out - flat).mean() for out in outs[1:])
    assert 0.3 * whole < half < 0.9 * whole
    np.testing.assert_array_equal(outs[2], distort(DIGITS, **amounts, seed=1).reshape(flat.shape))
