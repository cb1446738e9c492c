"""Test sketches: linear, the same for the same seed, and true to lengths and angles."""

import numpy as np

from digitnet.model.sketch import PART, SUMS, sketch

N = PART + 5000


def test_a_sketch_follows_from_vector_and_seed() -> None:
    vector = np.random.default_rng(1).standard_normal(N).astype(np.float32)
    found = sketch(vector, 3)
    assert found.shape == (SUMS,)
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, sketch(vector.copy(), 3))
    assert (found != sketch(vector, 4)).any()


def test_each_number_is_in_one_sum_with_a_sign() -> None:
    signs = []
    for index in (0, 1, SUMS, 7 * SUMS + 9, PART + 10, N - 1):
        vector = np.zeros(N, np.float32)
        vector[index] = 2.5
        found = sketch(vector, 1)
        assert np.flatnonzero(found).tolist() == [index % SUMS]
        signs.append(found[index % SUMS] / 2.5)
    assert set(signs) == {1, -1}


def test_signs_are_as_often_positive_as_negative() -> None:
    positive = (sketch(np.ones(200 * SUMS, np.float32), 1).sum() / (200 * SUMS) + 1) / 2
    assert abs(positive - 0.5) < 0.01


def test_a_sketch_is_linear() -> None:
    a, b = np.random.default_rng(1).standard_normal((2, 5000)).astype(np.float32)
    np.testing.assert_allclose(sketch(a + 2 * b, 1), sketch(a, 1) + 2 * sketch(b, 1), atol=1e-4)


def test_products_of_sketches_estimate_products_of_vectors() -> None:
    rng = np.random.default_rng(1)
    a = rng.standard_normal(20_000).astype(np.float32)
    b = (0.6 * a + 0.8 * rng.standard_normal(20_000)).astype(np.float32)
    scale = np.linalg.norm(a) * np.linalg.norm(b)
    errors = [(sketch(a, seed) @ sketch(b, seed) - a @ b) / scale for seed in range(30)]
    assert abs(np.mean(errors)) < 0.02
    assert np.std(errors) < 0.06
