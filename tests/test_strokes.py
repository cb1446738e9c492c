"""Test strokes: they follow their corners, have no gaps and fit the box."""

import numpy as np

from digitnet.synthetic.strokes import MAX_STROKES, POINTS_PER_STROKE, Script, draw, prepare_ink


def write(text: str, n: int = 1) -> np.ndarray:
    rng = np.random.default_rng(1)
    return (
        Script([text])
        .write(np.zeros(n, np.int64), rng)
        .reshape(MAX_STROKES, POINTS_PER_STROKE, n, 2)
    )


def test_a_stroke_follows_its_corners() -> None:
    lines = Script(["00 40 46"]).lines[0]
    np.testing.assert_allclose(lines[0, [0, -1]], [[0, 0], [1, 4 / 6]], atol=1e-9)
    steps = np.hypot(*np.diff(lines[0], axis=0).T)
    assert steps.sum() > 0.98 * 10 / 6  # the corner is cut by less than one step
    assert np.isnan(lines[1:]).all()


def test_a_curved_stroke_keeps_its_ends_and_cuts_its_corners() -> None:
    bent = Script(["~00 40 46"]).lines[0, 0]
    np.testing.assert_allclose(bent[[0, -1]], [[0, 0], [1, 4 / 6]], atol=1e-9)
    assert np.hypot(bent[:, 0], bent[:, 1] - 4 / 6).min() > 0.1


def test_missing_strokes_repeat_the_first_stroke() -> None:
    strokes = write("00 46")
    np.testing.assert_array_equal(strokes[1], strokes[0])
    np.testing.assert_array_equal(strokes[2], strokes[0])


def test_no_two_characters_are_equal() -> None:
    strokes = write("00 46, 40 06", n=50)
    assert np.isfinite(strokes).all()
    assert (strokes.std(axis=2) > 0.01).all()
    assert len(np.unique(strokes[0, 0], axis=0)) == 50


def test_drawn_characters_have_no_gaps_and_fit_the_box() -> None:
    rng = np.random.default_rng(1)
    points = Script(["06 00 40 46"]).write(np.zeros(100, np.int64), rng)
    pictures = prepare_ink(draw(points, rng)) >= 64
    for picture in pictures:
        rows, columns = (np.flatnonzero(picture.any(axis=axis)) for axis in (1, 0))
        assert len(rows) == np.ptp(rows) + 1
        assert len(columns) == np.ptp(columns) + 1
        assert max(len(rows), len(columns)) <= 20


def test_a_picture_without_ink_stays_empty() -> None:
    assert not prepare_ink(np.zeros((2, 784), np.float32)).any()
