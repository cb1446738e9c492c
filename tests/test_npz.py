"""The `.npz` reader: NumPy's own files are read unchanged, anything else is refused."""

import errno
import io
import os
import pickle
import struct
import tracemalloc
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from digitnet import npz
from digitnet.npz import NpzError, read_npz

HUGE = 100_000_000  # bytes: zeros that pack into about 100,000 bytes, with bzip2 into 100


def npy(
    descr: Any = "|u1", shape: Any = (3,), data: bytes = b"abc", version: tuple[int, int] = (1, 0)
) -> bytes:
    """Return a `.npy` member with any header."""
    header = repr({"descr": descr, "fortran_order": False, "shape": shape}).encode()
    length = struct.pack("<H" if version[0] == 1 else "<I", len(header))
    return b"\x93NUMPY" + bytes(version) + length + header + data


def zipped(path: Path, compression: int = zipfile.ZIP_STORED, **members: bytes) -> Path:
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, content in members.items():
            archive.writestr(f"{name}.npy", content)
    return path


def rewritten(path: Path, old: bytes, new: bytes) -> Path:
    """Replace every occurrence of `old` in a file, of which there must be one; return its path."""
    content = path.read_bytes()
    assert old in content
    path.write_bytes(content.replace(old, new))
    return path


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file that each Hypothesis example overwrites."""
    return tmp_path_factory.mktemp("npz") / "scratch.npz"


@contextmanager
def frugally() -> Iterator[None]:
    """Check that the block needs less than a tenth of HUGE in memory."""
    tracemalloc.start()
    try:
        yield
        assert tracemalloc.get_traced_memory()[1] < HUGE / 10
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_archives_of_numpy_are_read(save: Any, tmp_path: Path) -> None:
    saved = {
        "bytes": np.arange(12, dtype=np.uint8).reshape(3, 4),
        "columns": np.asfortranarray(np.arange(6.0).reshape(2, 3)),
        "scalar": np.array(7),
        "text": np.array('{"a": "ü"}'),
        "empty": np.zeros((0, 28, 28), np.float32),
        "swapped": np.arange(3, dtype=">i4"),
    }
    save(tmp_path / "all.npz", **saved)
    read = read_npz(tmp_path / "all.npz")
    assert list(read) == list(saved)
    for name, array in saved.items():
        assert (read[name].dtype, read[name].shape) == (array.dtype, array.shape)
        np.testing.assert_array_equal(read[name], array)


@given(
    st.sampled_from([np.uint8, np.int64, np.float32, np.bool_]).flatmap(
        lambda dtype: arrays(dtype, array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4))
    )
)
def test_any_array_is_read_bit_for_bit(scratch: Path, array: np.ndarray) -> None:
    np.savez(scratch, array=array)
    read = read_npz(scratch)["array"]
    assert (read.dtype, read.shape) == (array.dtype, array.shape)
    assert read.tobytes() == array.tobytes()


@pytest.mark.parametrize("version", [(1, 0), (2, 0), (3, 0)])
def test_all_versions_of_the_format_are_read(version: tuple[int, int], tmp_path: Path) -> None:
    path = zipped(tmp_path / "a.npz", a=npy(version=version))
    assert bytes(read_npz(path)["a"]) == b"abc"


def test_skipped_arrays_are_not_read(tmp_path: Path) -> None:
    path = zipped(tmp_path / "a.npz", weights=npy(), state_a=b"damaged", state_b=npy())
    assert list(read_npz(path, skip="state_")) == ["weights"]


def test_missing_file_is_an_os_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read_npz(tmp_path / "none.npz")


@pytest.mark.parametrize("content", [b"", b"PK\3\4", b"PK\5\6" + bytes(17), b"text\n" * 50])
def test_a_file_that_is_not_an_archive_is_refused(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "a.npz").write_bytes(content)
    with pytest.raises(NpzError, match=r"expected an? (sound )?.npz archive"):
        read_npz(tmp_path / "a.npz")


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.999])
def test_truncated_archive_is_refused(share: float, tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", a=np.arange(1000))
    content = (tmp_path / "a.npz").read_bytes()
    (tmp_path / "a.npz").write_bytes(content[: int(share * len(content))])
    with pytest.raises(NpzError, match=r"damaged"):
        read_npz(tmp_path / "a.npz")


def test_a_flipped_bit_in_the_data_is_detected(tmp_path: Path) -> None:
    path = rewritten(zipped(tmp_path / "a.npz", a=npy()), b"abc", b"abb")
    with pytest.raises(NpzError, match=r"damaged.*CRC"):
        read_npz(path)


def test_a_member_that_is_not_an_array_is_named(tmp_path: Path) -> None:
    with pytest.raises(NpzError, match=r"^notes: expected a NumPy array"):
        read_npz(zipped(tmp_path / "a.npz", good=npy(), notes=b"just some text"))


@pytest.mark.parametrize("point", [0xD800, 0xDFFF, 0x110000])
def test_text_with_invalid_characters_is_refused(point: int, tmp_path: Path) -> None:
    member = npy("<U2", (1,), struct.pack("<II", ord("a"), point))
    with pytest.raises(NpzError, match=r"^a: expected Unicode text, found invalid characters"):
        read_npz(zipped(tmp_path / "a.npz", a=member))


def test_an_unknown_format_version_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NpzError, match=r"^a: expected a NumPy array"):
        read_npz(zipped(tmp_path / "a.npz", a=npy(version=(4, 0))))


class Trap:
    """Creates a folder when it is unpickled."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __reduce__(self) -> Any:
        return os.mkdir, (str(self.folder),)


def test_pickles_are_refused_and_never_loaded(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", good=np.arange(3), trap=np.array([Trap(tmp_path / "sprung")]))
    with pytest.raises(NpzError, match=r"^trap: expected numbers or text, found pickled"):
        read_npz(tmp_path / "a.npz")
    assert not (tmp_path / "sprung").exists()


def test_a_bare_pickle_is_refused_and_never_loaded(tmp_path: Path) -> None:
    with pytest.raises(NpzError, match=r"^trap: expected a NumPy array"):
        read_npz(zipped(tmp_path / "a.npz", trap=pickle.dumps(Trap(tmp_path / "sprung"))))
    assert not (tmp_path / "sprung").exists()


@pytest.mark.parametrize(("shape", "promised"), [((4,), "4"), ((2,), "2"), ((10**6, 10**6), "1,0")])
def test_a_header_that_promises_another_size_is_refused(
    shape: tuple[int, ...], promised: str, tmp_path: Path
) -> None:
    with (
        frugally(),
        pytest.raises(NpzError, match=f"^a: its header promises {promised}.* bytes, found 3$"),
    ):
        read_npz(zipped(tmp_path / "a.npz", a=npy(shape=shape)))


@pytest.mark.parametrize("shape", [(-3,), (-1, -3), (3.0,), (True, 3), ("3",), 3, None])
def test_an_invalid_shape_is_refused(shape: Any, tmp_path: Path) -> None:
    with pytest.raises(NpzError, match=r"^a: expected a (shape|NumPy header)"):
        read_npz(zipped(tmp_path / "a.npz", a=npy(shape=shape)))


@pytest.mark.parametrize(
    ("descr", "shape", "data"),
    [
        ("|u1", (0, 2**70), b""),
        ("|u1", (1,) * 65, b"a"),
        ("|V0", (3,), b""),
        ("<U0", (3,), b""),
        (("|u1", (3,)), (1,), b"abc"),
    ],
    ids=["huge dimension", "too many dimensions", "no bytes", "no characters", "subarrays"],
)
def test_an_array_that_numpy_cannot_hold_is_refused(
    descr: Any, shape: Any, data: bytes, tmp_path: Path
) -> None:
    with pytest.raises(NpzError, match=r"^a: expected"):
        read_npz(zipped(tmp_path / "a.npz", a=npy(descr, shape, data)))


@pytest.mark.parametrize("descr", ["nonsense", 5, {}, [], "<f3", "<U" + "9" * 30])
def test_an_unknown_type_is_refused(descr: Any, tmp_path: Path) -> None:
    with pytest.raises(NpzError, match=r"^a: "):
        read_npz(zipped(tmp_path / "a.npz", a=npy(descr)))


@pytest.mark.parametrize(
    "header", [b"", b"{}", b"[1, 2]", b"\xff\0", b"(" * 9000, b"-" * 9000 + b"1"]
)
def test_an_invalid_header_is_refused(header: bytes, tmp_path: Path) -> None:
    member = b"\x93NUMPY\1\0" + struct.pack("<H", len(header)) + header
    with pytest.raises(NpzError, match=r"^a: expected a (NumPy )?header"):
        read_npz(zipped(tmp_path / "a.npz", a=member))


def test_an_oversized_header_is_refused_unread(tmp_path: Path) -> None:
    member = b"\x93NUMPY\2\0" + struct.pack("<I", 20_000) + b" " * 20_000
    with pytest.raises(NpzError, match=r"^a: expected a header of at most 10,000 bytes"):
        read_npz(zipped(tmp_path / "a.npz", a=member))


def test_a_member_truncated_within_its_header_is_refused(tmp_path: Path) -> None:
    for end in range(60):
        with pytest.raises(NpzError, match=r"^a: "):
            read_npz(zipped(tmp_path / "a.npz", a=npy()[:end]))


def test_an_array_that_occurs_twice_is_refused(tmp_path: Path) -> None:
    path = zipped(tmp_path / "a.npz", a=npy(), b=npy())
    with pytest.raises(NpzError, match=r"'a' twice"):
        read_npz(rewritten(path, b"b.npy", b"a.npy"))


def test_an_encrypted_archive_is_refused(tmp_path: Path) -> None:
    path = zipped(tmp_path / "a.npz", a=npy())
    content = bytearray(path.read_bytes())
    content[content.find(b"PK\1\2") + 8] |= 1  # the encryption flag in the central directory
    path.write_bytes(content)
    with pytest.raises(NpzError, match=r"encrypted"):
        read_npz(path)


def test_names_in_an_invalid_encoding_are_refused(tmp_path: Path) -> None:
    path = zipped(tmp_path / "a.npz", **{"ü": npy()})
    with pytest.raises(NpzError):
        read_npz(rewritten(path, "ü".encode(), b"\xff\xff"))


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_damage_under_other_compressions_is_detected(method: int, tmp_path: Path) -> None:
    path = zipped(tmp_path / "a.npz", method, a=npy(shape=(5000,), data=bytes(range(250)) * 20))
    content = bytearray(path.read_bytes())
    for i in range(50, 250):
        content[i] ^= 0xFF
    path.write_bytes(content)
    with pytest.raises(NpzError):
        read_npz(path)


@pytest.fixture(scope="module", params=["deflate", "bzip2"])
def bomb(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A valid archive of HUGE zeros in a small file."""
    method = {"deflate": zipfile.ZIP_DEFLATED, "bzip2": zipfile.ZIP_BZIP2}[request.param]
    path = tmp_path_factory.mktemp("bomb") / "bomb.npz"
    zipped(path, method, a=npy(shape=(HUGE,), data=bytes(HUGE)))
    assert path.stat().st_size < HUGE / 500
    return path


def test_a_zip_bomb_is_refused_before_unpacking(bomb: Path) -> None:
    problem = r"at most [\d,]+ bytes unpacked, found 100,000,0"
    with frugally(), pytest.raises(NpzError, match=problem):
        read_npz(bomb)


def test_a_zip_bomb_with_a_false_size_is_refused(bomb: Path, tmp_path: Path) -> None:
    size = HUGE + len(npy(shape=(HUGE,), data=b""))
    lying = tmp_path / "lying.npz"
    lying.write_bytes(bomb.read_bytes())
    rewritten(lying, struct.pack("<I", size), struct.pack("<I", 500))
    with frugally(), pytest.raises(NpzError):
        read_npz(lying)


def test_a_large_array_that_hardly_packs_is_not_a_bomb(tmp_path: Path) -> None:
    noise = np.frombuffer(np.random.default_rng(0).bytes(70 << 20), np.uint8)
    np.savez(tmp_path / "a.npz", noise=noise)
    assert read_npz(tmp_path / "a.npz")["noise"].tobytes() == noise.tobytes()


def small_archive() -> bytes:
    buffer = io.BytesIO()
    np.savez_compressed(buffer, images=np.arange(50, dtype=np.uint8), labels=np.arange(3))
    return buffer.getvalue()


@given(
    edits=st.lists(st.tuples(st.integers(0, len(small_archive()) - 1), st.integers(0, 255))),
    end=st.none() | st.integers(0, len(small_archive())),
)
def test_any_damage_gives_arrays_or_an_npz_error(
    scratch: Path, edits: list[tuple[int, int]], end: int | None
) -> None:
    content = bytearray(small_archive())
    for at, byte in edits:
        content[at] = byte
    scratch.write_bytes(content[:end])
    try:
        arrays = read_npz(scratch)
    except NpzError:
        return
    assert all(isinstance(array, np.ndarray) for array in arrays.values())


@given(st.binary(max_size=60), st.binary(max_size=20))
def test_any_header_gives_an_array_or_an_npz_error(
    scratch: Path, header: bytes, data: bytes
) -> None:
    member = b"\x93NUMPY\1\0" + struct.pack("<H", len(header)) + header + data
    zipped(scratch, a=member)
    with pytest.raises(NpzError, match=r"^a: "):
        read_npz(scratch)


@pytest.mark.parametrize("sound_reads", range(4))
def test_a_failing_disk_is_not_reported_as_damage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sound_reads: int
) -> None:
    path, reads = zipped(tmp_path / "sound.npz", a=npy()), []

    class Failing(io.BufferedReader):
        def read(self, size: int | None = -1, /) -> bytes:
            reads.append(size)
            if len(reads) > sound_reads:
                raise OSError(errno.EIO, "Input/output error")
            return super().read(size)

    monkeypatch.setattr(npz, "open", lambda *_: Failing(io.FileIO(path)), raising=False)
    with pytest.raises(OSError, match="Input/output error"):
        read_npz(path)
