"""Arrays are aligned to cache lines; forked processes share those that are made for it."""

import os

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from digitnet.arrays import CACHE_LINE, empty, is_shared, shared, zeros, zeros_like


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@given(shape=st.lists(st.integers(0, 9), min_size=1, max_size=3).map(tuple))
def test_arrays_are_aligned_and_contiguous(shape: tuple[int, ...], dtype: type) -> None:
    for array in (empty(shape, dtype), zeros(shape, dtype), shared(shape, dtype)):
        assert array.ctypes.data % CACHE_LINE == 0 or array.size == 0
        assert array.flags.c_contiguous
        assert array.flags.writeable
        assert (array.shape, array.dtype) == (shape, dtype)
    assert (zeros(shape, dtype) == 0).all()
    assert (shared(shape, dtype) == 0).all()


def test_arrays_are_made_in_the_memory_of_another() -> None:
    for new in (shared, zeros):
        array = new((6,), np.float32)
        assert is_shared(array[1:].reshape(5, 1)) == (new is shared)
        for other in (zeros_like(array), zeros_like(array, (2, 2))):
            assert is_shared(other) == (new is shared)
            assert (other.dtype, other.any()) == (np.float32, False)
        assert (zeros_like(array).shape, zeros_like(array, (2, 2)).shape) == ((6,), (2, 2))


def test_a_forked_process_writes_to_a_shared_array() -> None:
    array = shared((2, 3), np.float32)
    if not (child := os.fork()):
        array[1] = 5
        os._exit(0)
    os.waitpid(child, 0)
    assert array.tolist() == [[0, 0, 0], [5, 5, 5]]
