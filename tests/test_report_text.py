"""A training and its landscape in characters."""

import numpy as np
from report_subject import HISTORY, make_subject
from test_report_content import make_landscape

from digitnet.report.text import MAP_COLUMNS, MAP_ROWS, epoch_lines, kind_lines, landscape_lines


def test_few_epochs_are_all_listed() -> None:
    lines = epoch_lines(HISTORY[:3])
    assert [line.split()[0] for line in lines[1:-1]] == ["1", "2", "3"]
    assert lines[2].split() == ["2", "0.5", "0.55", "90.00%"]
    assert lines[-1] == "best: epoch 3, accuracy 93.33%"


def test_of_many_epochs_the_first_and_the_last_are_listed() -> None:
    lines = epoch_lines(HISTORY)
    epochs = [int(line.split()[0]) for line in lines[1:-1]]
    assert (epochs[0], epochs[-1]) == (1, 30)
    assert len(epochs) <= 12
    assert epochs == sorted(set(epochs))


def test_no_epoch_and_no_landscape_are_said() -> None:
    assert epoch_lines([]) == ["no epoch is recorded"]
    (line,) = landscape_lines(None)
    assert "no landscape" in line


def test_the_map_shows_low_and_high_cost_and_the_path() -> None:
    columns = np.linspace(0, 4, 41)
    grid = np.exp(np.broadcast_to(columns, (41, 41))).astype(np.float32)  # rises to the right
    landscape = make_landscape(10)._replace(
        grid=grid, path=np.array([[1, 0.5], [0.5, 0.5], [0, 0]], np.float32)
    )
    *_, last = lines = landscape_lines(landscape)
    map_lines = lines[-MAP_ROWS:]
    assert all(line.endswith(("@", "S")) and len(line) == MAP_COLUMNS for line in map_lines)
    assert last.startswith("E")  # v = 0 is the lowest line
    assert sum("S" in line for line in map_lines) == sum("o" in line for line in map_lines) == 1
    assert map_lines[0][0] == " "


def test_kinds_name_their_surest_picture() -> None:
    figures = make_subject().figures
    assert figures is not None
    first, *_ = kind_lines(figures, figures.kinds)
    assert first.split() == ["2", "3", "as", "5:", "digits.npy#3", "(98.70%)"]
