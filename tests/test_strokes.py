"""Strokes: along their corners, closed up to a line, and as wide as the pen."""

import numpy as np

from digitnet.synthetic.strokes import POINTS, STROKES, Script, as_prepared, drawn


def written(text: str, n: int = 1) -> np.ndarray:
    rng = np.random.default_rng(1)
    return Script([text]).written(np.zeros(n, np.int64), rng).reshape(STROKES, POINTS, n, 2)


def test_a_stroke_goes_along_its_corners() -> None:
    lines = Script(["00 40 46"]).lines[0]
    np.testing.assert_allclose(lines[0, [0, -1]], [[0, 0], [1, 4 / 6]], atol=1e-9)
    steps = np.hypot(*np.diff(lines[0], axis=0).T)
    assert steps.sum() > 0.98 * 10 / 6  # the corner is cut by less than one step
    assert np.isnan(lines[1:]).all()


def test_a_bent_stroke_keeps_its_ends_and_cuts_its_corners() -> None:
    bent = Script(["~00 40 46"]).lines[0, 0]
    np.testing.assert_allclose(bent[[0, -1]], [[0, 0], [1, 4 / 6]], atol=1e-9)
    assert np.hypot(bent[:, 0], bent[:, 1] - 4 / 6).min() > 0.1


def test_a_character_with_fewer_strokes_has_its_first_once_more() -> None:
    strokes = written("00 46")
    np.testing.assert_array_equal(strokes[1], strokes[0])
    np.testing.assert_array_equal(strokes[2], strokes[0])


def test_no_two_are_written_alike() -> None:
    strokes = written("00 46, 40 06", n=50)
    assert np.isfinite(strokes).all()
    assert (strokes.std(axis=2) > 0.01).all()
    assert len(np.unique(strokes[0, 0], axis=0)) == 50


def test_what_is_drawn_has_no_gaps_and_fits_the_box() -> None:
    rng = np.random.default_rng(1)
    points = Script(["06 00 40 46"]).written(np.zeros(100, np.int64), rng)
    pictures = as_prepared(drawn(points, rng)) >= 64
    for picture in pictures:
        rows, columns = (np.flatnonzero(picture.any(axis=axis)) for axis in (1, 0))
        assert len(rows) == np.ptp(rows) + 1
        assert len(columns) == np.ptp(columns) + 1
        assert max(len(rows), len(columns)) <= 20


def test_nothing_stays_nothing() -> None:
    assert not as_prepared(np.zeros((2, 784), np.float32)).any()
