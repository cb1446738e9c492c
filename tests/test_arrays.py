"""Arrays are aligned to cache lines."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from digitnet.arrays import CACHE_LINE, empty, zeros


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@given(shape=st.lists(st.integers(0, 9), min_size=1, max_size=3).map(tuple))
def test_arrays_are_aligned_and_contiguous(shape: tuple[int, ...], dtype: type) -> None:
    for array in (empty(shape, dtype), zeros(shape, dtype)):
        assert array.ctypes.data % CACHE_LINE == 0 or array.size == 0
        assert array.flags.c_contiguous
        assert array.flags.writeable
        assert (array.shape, array.dtype) == (shape, dtype)
    assert (zeros(shape, dtype) == 0).all()
