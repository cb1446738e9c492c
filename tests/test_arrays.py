"""Arrays are aligned to cache lines; forked processes share those that are made for it."""

import os

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from digitnet.arrays import CACHE_LINE, empty, shared


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@given(shape=st.lists(st.integers(0, 9), min_size=1, max_size=3).map(tuple))
def test_arrays_are_aligned_and_contiguous(shape: tuple[int, ...], dtype: type) -> None:
    for array in (empty(shape, dtype), shared(shape, dtype)):
        assert array.ctypes.data % CACHE_LINE == 0 or array.size == 0
        assert array.flags.c_contiguous
        assert array.flags.writeable
        assert (array.shape, array.dtype) == (shape, dtype)
    assert (shared(shape, dtype) == 0).all()


def test_a_forked_process_writes_to_a_shared_array() -> None:
    array = shared((2, 3), np.float32)
    if not (child := os.fork()):
        array[1] = 5
        os._exit(0)
    os.waitpid(child, 0)
    assert array.tolist() == [[0, 0, 0], [5, 5, 5]]
