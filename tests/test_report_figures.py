"""The figures of an evaluation on a report."""

import numpy as np
from report_subject import make_figures, make_subject


def test_kinds_of_mistakes_are_counted_and_sorted() -> None:
    figures = make_subject().figures
    assert figures is not None
    assert [(kind.label, kind.answer, kind.images) for kind in figures.kinds] == [
        (3, 5, 2),
        (9, 4, 1),
        (4, 9, 1),
    ]
    assert figures.kinds[0].positions == (3, 13)  # the more confident first
    assert figures.shown_mistakes.tolist() == [3, 9, 13, 24]
    assert figures.images(figures.shown_mistakes)[:, 0, 0].tolist() == [4, 10, 14, 25]


def test_at_most_twelve_pictures_of_a_kind_are_shown_beyond_the_surest() -> None:
    figures = make_figures([1] * 30 + [2], [7] * 31)
    first, second = figures.kinds
    assert (first.images, first.positions) == (30, tuple(range(12)))
    assert (second.images, second.positions) == (1, (30,))
    assert figures.shown_mistakes.tolist() == [*range(24), 30]
    assert figures.numbers[30] == 24


def test_of_many_classes_only_the_listed_mistakes_are_shown() -> None:
    labels = [k % 60 for k in range(250)]
    figures = make_figures(labels, [(k + 1) % 60 for k in labels], tuple(map(str, range(60))))
    assert len(figures.kinds) == 60
    listed = {p for kind in figures.kinds[:8] for p in kind.positions[:6]} | set(range(24))
    assert set(figures.shown_mistakes.tolist()) == listed


def test_samples_are_of_all_classes_and_begin_with_a_right_four() -> None:
    labels = [k % 10 for k in range(300)]
    answers = labels.copy()
    answers[4] = 9  # the most confident 4 is wrong
    figures = make_figures(labels, answers)
    samples = figures.samples
    assert samples[0] == 14
    assert len(set(samples.tolist())) == len(samples)
    counts = np.bincount(np.array(labels)[samples])
    assert counts.min() == 12
    assert counts.max() <= 13


def test_without_a_four_another_class_comes_first() -> None:
    figures = make_figures([0, 1, 0, 1], [1, 1, 0, 0], ("cat", "dog"))
    assert figures.samples[0] == 2
    assert sorted(figures.samples.tolist()) == [0, 1, 2, 3]


def test_all_wrong_answers_leave_a_sample() -> None:
    figures = make_figures([4, 4], [9, 9])
    assert sorted(figures.samples.tolist()) == [0, 1]
