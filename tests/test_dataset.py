"""Data sets of every format are read; errors name the file and the place."""

import gzip
import io
import os
import pickle
import re
import shutil
import struct
import tracemalloc
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import MNIST, Failing, read_mnist, write_idx
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from PIL import Image

from digitnet.arrays import Share
from digitnet.config.definition import Config
from digitnet.config.reader import to_config
from digitnet.dataset.definition import NON_DIGIT, Data, Dataset, ReadOptions, join_paths
from digitnet.dataset.idx import read_idx
from digitnet.dataset.minibatches import Minibatches
from digitnet.dataset.npy import read_npy
from digitnet.dataset.reader import read_data
from digitnet.dataset.splits import split_indices
from digitnet.errors import DataError
from digitnet.image.reading import prepare
from digitnet.training.loop import train

IMAGES, LABELS = read_mnist("train", 20)
TEST_IMAGES, TEST_LABELS = read_mnist("t10k", 8)
HEADER = ",".join(["label", *(f"pixel{i}" for i in range(784))])


def assert_holds(dataset: Dataset | None, images: np.ndarray, labels: np.ndarray) -> None:
    """Assert that a data set holds these images and labels, with the documented dtypes."""
    assert dataset is not None
    assert (dataset.images.dtype, dataset.labels.dtype) == (np.uint8, np.int64)
    np.testing.assert_array_equal(dataset.images, images)
    np.testing.assert_array_equal(dataset.labels, labels)


def assert_refused(path: Path, problem: str, culprit: Path | None = None) -> None:
    """Assert that `read_data` refuses a path with a message about the culprit, by default the path.

    problem: a regular expression that the message contains.
    """
    with pytest.raises(DataError) as caught:
        read_data(path)
    message = str(caught.value)
    assert re.fullmatch(f"{re.escape(str(culprit or path))}: .*({problem}).*", message), message


def read_or_none(read: Callable[[Path], Any], path: Path) -> Any:
    """Return what `read` returns for a path; None if it raises DataError that names the path."""
    try:
        return read(path)
    except DataError as error:
        message = str(error)
    assert str(path) in message
    return None


def write_pair(folder: Path, split: str, images: np.ndarray, labels: np.ndarray) -> Path:
    """Write a pair of IDX files; return the path of the images."""
    write_idx(folder / f"{split}-labels-idx1-ubyte", labels)
    return write_idx(folder / f"{split}-images-idx3-ubyte", images)


def gzipped(path: Path) -> Path:
    """Replace a file by a gzipped file; return the new path."""
    packed = path.with_name(path.name + ".gz")
    packed.write_bytes(gzip.compress(path.read_bytes(), 1))
    path.unlink()
    return packed


def write_csv(path: Path, rows: list[list[Any]], header: str | None = None) -> Path:
    lines = [header] if header else []
    path.write_text("\n".join(lines + [",".join(map(str, row)) for row in rows]) + "\n")
    return path


def csv_rows(n: int = 3) -> list[list[Any]]:
    return [[label, *image.ravel()] for label, image in zip(LABELS[:n], IMAGES[:n])]


def write_pictures(folder: Path, images: np.ndarray, labels: np.ndarray) -> Path:
    """Write one subfolder of PNG files per label."""
    for number, (image, label) in enumerate(zip(images, labels)):
        (folder / str(label)).mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(folder / str(label) / f"{number:03}.png")
    return folder


def small_config(data: Path, validation: int = 50) -> Config:
    """Return a config of two epochs with a small network."""
    values = {
        "data": {"path": str(data), "validation": validation},
        "network": {"layer_sizes": [784, 8, 10]},
        "training": {"epochs": 2},
        "model": "/unused.npz",
    }
    return to_config(values)


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder whose files each example overwrites."""
    return tmp_path_factory.mktemp("dataset")


# --- IDX ---


def test_folder_of_plain_idx_files_is_read(tmp_path: Path) -> None:
    write_pair(tmp_path, "train", IMAGES, LABELS)
    write_pair(tmp_path, "t10k", TEST_IMAGES, TEST_LABELS)
    data = read_data(tmp_path)
    assert_holds(data.training, IMAGES, LABELS)
    assert_holds(data.test, TEST_IMAGES, TEST_LABELS)
    assert data.training.class_names == tuple("0123456789")


def test_gzipped_idx_files_are_read(tmp_path: Path) -> None:
    images = gzipped(write_pair(tmp_path, "train", IMAGES, LABELS))
    gzipped(tmp_path / "train-labels-idx1-ubyte")
    assert_holds(read_data(tmp_path).training, IMAGES, LABELS)
    assert_holds(read_data(images).training, IMAGES, LABELS)


def test_mnist_files_are_read_unchanged(tmp_path: Path) -> None:
    for kind in ("images-idx3", "labels-idx1"):
        shutil.copy(MNIST / f"t10k-{kind}-ubyte.gz", tmp_path)
    data = read_data(tmp_path)
    assert (len(data.training), data.test) == (10_000, None)
    first = Dataset(data.training.images[:8], data.training.labels[:8])
    assert_holds(first, TEST_IMAGES, TEST_LABELS)


def test_the_path_of_an_idx_images_file_also_reads_its_labels(tmp_path: Path) -> None:
    write_pair(tmp_path, "train", TEST_IMAGES, TEST_LABELS)
    data = read_data(write_pair(tmp_path, "t10k", IMAGES, LABELS))
    assert_holds(data.training, IMAGES, LABELS)
    assert data.test is None


def test_plain_images_and_gzipped_labels_are_a_pair(tmp_path: Path) -> None:
    write_pair(tmp_path, "train", IMAGES, LABELS)
    gzipped(tmp_path / "train-labels-idx1-ubyte")
    assert_holds(read_data(tmp_path).training, IMAGES, LABELS)


@pytest.mark.parametrize("test", ["t10k", "test"])
@pytest.mark.parametrize("prefix", ["", "emnist-digits-"])
def test_splits_are_recognised_by_the_names_of_idx_files(
    prefix: str, test: str, tmp_path: Path
) -> None:
    write_pair(tmp_path, f"{prefix}train", IMAGES, LABELS)
    write_pair(tmp_path, f"{prefix}{test}", TEST_IMAGES, TEST_LABELS)
    data = read_data(tmp_path)
    assert_holds(data.training, IMAGES, LABELS)
    assert_holds(data.test, TEST_IMAGES, TEST_LABELS)


def test_idx_names_may_contain_a_dot(tmp_path: Path) -> None:
    write_idx(tmp_path / "train-images.idx3-ubyte", IMAGES)
    write_idx(tmp_path / "train-labels.idx1-ubyte", LABELS)
    assert_holds(read_data(tmp_path).training, IMAGES, LABELS)


def test_missing_labels_are_named(tmp_path: Path) -> None:
    images = write_idx(tmp_path / "train-images-idx3-ubyte", IMAGES)
    assert_refused(
        tmp_path, "expected its labels, train-labels-idx1-ubyte, in the same folder", images
    )


def test_truncated_gzip_is_refused(tmp_path: Path) -> None:
    images = gzipped(write_pair(tmp_path, "train", IMAGES, LABELS))
    images.write_bytes(images.read_bytes()[:-1000])
    assert_refused(tmp_path, "expected a complete gzip file", images)


def test_gzip_truncated_to_two_bytes_is_refused(tmp_path: Path) -> None:
    images = gzipped(write_pair(tmp_path, "train", IMAGES, LABELS))
    images.write_bytes(images.read_bytes()[:2])
    assert_refused(tmp_path, "expected a complete gzip file", images)


def test_gzip_with_a_wrong_checksum_is_refused(tmp_path: Path) -> None:
    images = gzipped(write_pair(tmp_path, "train", IMAGES, LABELS))
    content = bytearray(images.read_bytes())
    content[-8] ^= 1  # in the CRC-32
    images.write_bytes(content)
    assert_refused(tmp_path, "expected a complete gzip file.*CRC", images)


def test_wrong_magic_number_is_shown(tmp_path: Path) -> None:
    images = write_pair(tmp_path, "train", IMAGES, LABELS)
    images.write_bytes(b"\0\0\x0d\3" + images.read_bytes()[4:])  # 0d: float32
    assert_refused(images, "byte 0: expected the magic number 00 00 08 03, found 00 00 0d 03")


def test_labels_in_place_of_images_are_refused(tmp_path: Path) -> None:
    images = write_pair(tmp_path, "train", LABELS, LABELS)
    assert_refused(
        tmp_path, "byte 0: expected the magic number 00 00 08 03, found 00 00 08 01", images
    )


def test_truncated_header_is_refused(tmp_path: Path) -> None:
    images = write_pair(tmp_path, "train", IMAGES, LABELS)
    images.write_bytes(images.read_bytes()[:10])
    assert_refused(tmp_path, "byte 4: expected 3 dimensions, found the file's end", images)


def test_empty_idx_file_is_refused(tmp_path: Path) -> None:
    images = write_pair(tmp_path, "train", IMAGES, LABELS)
    images.write_bytes(b"")
    assert_refused(tmp_path, "byte 0: expected the magic number .*, found nothing", images)
    assert_refused(images, "found an empty file")


def write_false_length(folder: Path, n: int) -> Path:
    """Write IDX images whose header promises n images instead of 20; return their path."""
    images = write_pair(folder, "train", IMAGES, LABELS)
    content = images.read_bytes()
    images.write_bytes(content[:4] + struct.pack(">I", n) + content[8:])
    return images


@pytest.mark.parametrize("packed", [False, True])
def test_idx_file_shorter_than_its_header_promises_is_refused(packed: bool, tmp_path: Path) -> None:
    images = write_pair(tmp_path, "train", IMAGES, LABELS)
    images.write_bytes(images.read_bytes()[:-10])
    images = gzipped(images) if packed else images
    assert_refused(tmp_path, "expected 15,696 bytes, found 15,686", images)


def test_idx_file_longer_than_its_header_promises_is_refused(tmp_path: Path) -> None:
    images = write_false_length(tmp_path, 19)
    assert_refused(tmp_path, "byte 14912: expected the file's end, found more", images)


@pytest.mark.parametrize("packed", [False, True])
def test_idx_file_that_promises_too_many_pictures_is_refused(packed: bool, tmp_path: Path) -> None:
    images = write_false_length(tmp_path, 2**32 - 1)
    images = gzipped(images) if packed else images
    assert_refused(
        tmp_path, "byte 4: the header promises 3,367,254,359,280 bytes, more than", images
    )


@pytest.mark.parametrize("packed", [False, True])
def test_idx_file_that_promises_one_picture_more_is_refused(packed: bool, tmp_path: Path) -> None:
    images = write_false_length(tmp_path, 21)
    images = gzipped(images) if packed else images
    assert_refused(tmp_path, "promises 16,464 bytes|expected 16,480 bytes, found 15,696", images)


@pytest.mark.parametrize("packed", [False, True])
def test_idx_file_that_promises_huge_pictures_but_none_is_refused(
    packed: bool, tmp_path: Path
) -> None:
    images = write_pair(tmp_path, "train", IMAGES[:0], LABELS[:0])
    images.write_bytes(images.read_bytes()[:8] + b"\xff" * 8)
    images = gzipped(images) if packed else images
    assert_refused(tmp_path, r"expected a shape .*, found \(0, 4294967295, 4294967295\)", images)


def test_a_missing_label_is_refused(tmp_path: Path) -> None:
    write_pair(tmp_path, "train", IMAGES, LABELS[:-1])
    labels = tmp_path / "train-labels-idx1-ubyte"
    assert_refused(tmp_path, "expected 20 labels, .*train-images-idx3-ubyte; found 19", labels)


def test_label_11_in_an_idx_file_is_refused(tmp_path: Path) -> None:
    labels = LABELS.copy()
    labels[4] = 11
    write_pair(tmp_path, "train", IMAGES, labels)
    culprit = tmp_path / "train-labels-idx1-ubyte"
    assert_refused(tmp_path, "picture 5: expected a label from 0 to 9, found 11", culprit)


def test_pictures_of_another_size_are_refused(tmp_path: Path) -> None:
    images = write_pair(tmp_path, "train", IMAGES[:, :, :27], LABELS)
    assert_refused(tmp_path, "expected pictures of 28×28 pixels, found 28×27", images)


def test_idx_files_without_pictures_are_refused(tmp_path: Path) -> None:
    images = write_pair(tmp_path, "train", IMAGES[:0], LABELS[:0])
    assert_refused(tmp_path, "expected pictures, found none", images)


def test_idx_file_with_another_name_is_refused_with_advice(tmp_path: Path) -> None:
    path = write_idx(tmp_path / "digits", IMAGES)
    assert_refused(path, "expected a name like train-images-idx3-ubyte")


def test_a_folder_with_the_name_of_an_idx_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "train-images-idx3-ubyte").mkdir()
    write_idx(tmp_path / "train-labels-idx1-ubyte", LABELS)
    assert_refused(tmp_path, "expected IDX or .npy files, .*; found neither")


SMALL = bytes([0, 0, 8, 3]) + struct.pack(">3I", 2, 3, 2) + bytes(range(12))


@given(
    edits=st.lists(st.tuples(st.integers(0, len(SMALL) - 1), st.integers(0, 255)), max_size=4),
    end=st.none() | st.integers(0, len(SMALL)),
    tail=st.binary(max_size=3),
    packed=st.booleans(),
)
def test_mutated_idx_file_gives_an_array_or_a_data_error(
    scratch: Path, edits: list[tuple[int, int]], end: int | None, tail: bytes, packed: bool
) -> None:
    content = bytearray(SMALL)
    for at, byte in edits:
        content[at] = byte
    content = content[:end] + tail
    path = scratch / "mutated"
    path.write_bytes(gzip.compress(content) if packed else content)
    array = read_or_none(lambda path: read_idx(path, 3), path)
    if array is not None:
        assert content == b"\0\0\x08\3" + struct.pack(">3I", *array.shape) + array.tobytes()


PACKED = gzip.compress(SMALL)


@given(st.lists(st.tuples(st.integers(2, len(PACKED) - 1), st.integers(0, 255)), max_size=3))
def test_damaged_gzip_gives_the_array_or_a_data_error(
    scratch: Path, edits: list[tuple[int, int]]
) -> None:
    content = bytearray(PACKED)
    for at, byte in edits:
        content[at] = byte
    path = scratch / "damaged.gz"
    path.write_bytes(content)
    array = read_or_none(lambda path: read_idx(path, 3), path)
    assert array is None or array.tobytes() == SMALL[16:]


# --- Memory-mapped files ---

MANY = 100_000


def sparse(path: Path, header: bytes, length: int) -> None:
    """Write a sparse file: a header and zeros that take no space on disk."""
    with path.open("wb") as file:
        file.write(header)
        file.truncate(len(header) + length)


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of plain IDX files: MANY blank pictures, 78 MB of zeros."""
    folder = tmp_path_factory.mktemp("many")
    images = bytes([0, 0, 8, 3]) + struct.pack(">3I", MANY, 28, 28)
    sparse(folder / "train-images-idx3-ubyte", images, MANY * 784)
    sparse(folder / "train-labels-idx1-ubyte", bytes([0, 0, 8, 1]) + struct.pack(">I", MANY), MANY)
    return folder


@contextmanager
def little_memory() -> Iterator[None]:
    """Assert that the block takes less memory than a quarter of MANY pictures."""
    tracemalloc.start()
    try:
        yield
        assert tracemalloc.get_traced_memory()[1] < MANY * 784 / 4
    finally:
        tracemalloc.stop()


def test_mapped_pictures_are_read_shuffled_and_hashed_without_a_copy(many: Path) -> None:
    with little_memory():
        training = read_data(many).training
        assert len(training) == MANY
        order = np.random.default_rng(0).permutation(MANY)
        batches = Minibatches(training, 10)(order)
        assert sum(x.shape[1] for x, _ in batches) == MANY
        assert len(training.fingerprint) == 64


def test_training_on_mapped_pictures_does_not_copy_them(many: Path) -> None:
    with little_memory():
        training = train(small_config(many, validation=0))
        assert [next(training).cost is None for _ in range(3)] == [True, False, False]


def test_splitting_mapped_pictures_does_not_copy_them(many: Path) -> None:
    with little_memory():
        learned, held_out = split_indices(read_data(many).training, 50, seed=0)
    assert (len(learned), len(held_out)) == (0, 50)  # all pictures are equal


def test_a_mapped_array_is_read_only(tmp_path: Path) -> None:
    path = write_pair(tmp_path, "train", IMAGES, LABELS)
    images = read_data(path).training.images
    with pytest.raises(ValueError, match="read-only"):
        images[0] = 0
    with pytest.raises(ValueError, match="WRITEABLE"):
        images.flags.writeable = True


def test_a_mapped_file_may_be_replaced(tmp_path: Path) -> None:
    path = write_pair(tmp_path, "train", IMAGES, LABELS)
    training = read_data(path).training
    write_idx(tmp_path / "new", TEST_IMAGES).rename(path)
    assert_holds(training, IMAGES, LABELS)
    path.unlink()
    assert_holds(training, IMAGES, LABELS)


# --- NPY ---


def write_npy_pair(folder: Path, name: str, images: np.ndarray, labels: np.ndarray) -> Path:
    """Write a pair of `.npy` files; return the path of the images."""
    labels_name = name.replace("images", "labels").replace("idx3", "idx1")
    np.save(folder / f"{labels_name}.npy", labels)
    np.save(folder / f"{name}.npy", images)
    return folder / f"{name}.npy"


@pytest.mark.parametrize("dtype", [np.uint8, np.int64, ">i4"])
@pytest.mark.parametrize("shape", [(20, 28, 28), (20, 784)])
def test_pair_of_npy_files_is_read(shape: tuple[int, ...], dtype: Any, tmp_path: Path) -> None:
    images = IMAGES.reshape(shape).astype(dtype)
    path = write_npy_pair(tmp_path, "train-images", images, LABELS.astype(dtype))
    for data in (read_data(tmp_path), read_data(path)):
        assert_holds(data.training, IMAGES, LABELS)
        assert data.test is None


@pytest.mark.parametrize(
    ("train", "test"),
    [
        ("train-images", "test-images"),
        ("train_images", "t10k_images"),
        ("images-train", "images-test"),
        ("images", "test.images"),
        ("mnist-train-images-28x28", "mnist-test-images-28x28"),
        ("train-images-idx3-ubyte", "t10k-images-idx3-ubyte"),
    ],
)
def test_splits_are_recognised_by_the_names_of_npy_files(
    train: str, test: str, tmp_path: Path
) -> None:
    write_npy_pair(tmp_path, train, IMAGES, LABELS)
    write_npy_pair(tmp_path, test, TEST_IMAGES, TEST_LABELS)
    data = read_data(tmp_path)
    assert_holds(data.training, IMAGES, LABELS)
    assert_holds(data.test, TEST_IMAGES, TEST_LABELS)


def test_training_idx_and_test_npy_are_read_together(tmp_path: Path) -> None:
    write_pair(tmp_path, "train", IMAGES, LABELS)
    write_npy_pair(tmp_path, "test-images", TEST_IMAGES, TEST_LABELS)
    data = read_data(tmp_path)
    assert_holds(data.training, IMAGES, LABELS)
    assert_holds(data.test, TEST_IMAGES, TEST_LABELS)


def test_npy_and_idx_of_one_split_are_refused(tmp_path: Path) -> None:
    write_pair(tmp_path, "train", IMAGES, LABELS)
    write_npy_pair(tmp_path, "train-images", IMAGES, LABELS)
    assert_refused(tmp_path, "found two: train-images-idx3-ubyte, train-images.npy")


def test_uint8_npy_files_are_mapped(tmp_path: Path) -> None:
    np.save(tmp_path / "train-labels.npy", np.zeros(MANY, np.int64))
    sparse(tmp_path / "train-images.npy", npy_header(shape=f"({MANY}, 28, 28)"), MANY * 784)
    with little_memory():
        images = read_data(tmp_path).training.images
        assert images.shape == (MANY, 28, 28)
    with pytest.raises(ValueError, match="read-only"):
        images[0] = 0


def write_train_pair(
    folder: Path, images: np.ndarray = IMAGES, labels: np.ndarray = LABELS
) -> Path:
    return write_npy_pair(folder, "train-images", images, labels)


def test_npy_without_labels_is_refused(tmp_path: Path) -> None:
    path = write_train_pair(tmp_path)
    (tmp_path / "train-labels.npy").unlink()
    assert_refused(tmp_path, "expected its labels, train-labels.npy, in the same folder", path)


@pytest.mark.parametrize("name", ["digits.npy", "train-labels.npy"])
def test_npy_file_with_another_name_is_refused_with_advice(name: str, tmp_path: Path) -> None:
    np.save(tmp_path / name, IMAGES)
    assert_refused(tmp_path / name, "expected a name like .* train-images.npy")


def test_npy_images_of_text_are_refused(tmp_path: Path) -> None:
    assert_refused(
        write_train_pair(tmp_path, IMAGES.astype("S3")),
        "expected pixels that are numbers, found the type",
    )


class Trap:
    """Creates a folder when it is unpickled."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __reduce__(self) -> Any:
        return os.mkdir, (str(self.folder),)


def test_npy_of_objects_is_refused_without_unpickling(tmp_path: Path) -> None:
    path = write_train_pair(tmp_path, np.array([Trap(tmp_path / "unpickled")] * 20))
    assert_refused(path, "expected numbers or text, found pickled Python objects")
    assert not (tmp_path / "unpickled").exists()


def test_npy_in_fortran_order_is_refused(tmp_path: Path) -> None:
    for images in (IMAGES, IMAGES.reshape(len(IMAGES), -1)):
        path = write_train_pair(tmp_path, np.asfortranarray(images))
        assert_refused(path, "expected one picture after the other .*Fortran order")


@pytest.mark.parametrize("pixel", [-1, 256])
def test_npy_with_a_pixel_out_of_range_is_refused(pixel: int, tmp_path: Path) -> None:
    images = IMAGES.astype(np.int16)
    images[3, 4, 5] = pixel
    assert_refused(write_train_pair(tmp_path, images), "expected pixels from 0 to 255")


@pytest.mark.parametrize("label", [11, -1])
def test_npy_with_a_label_out_of_range_is_refused(label: int, tmp_path: Path) -> None:
    labels = LABELS.astype(np.int64)
    labels[7] = label
    path, culprit = write_train_pair(tmp_path, labels=labels), tmp_path / "train-labels.npy"
    assert_refused(path, f"picture 8: expected a label from 0 to 9, found {label}", culprit)


@pytest.mark.parametrize("shape", [(20, 4, 196), (15680,), ()])
def test_npy_of_another_shape_is_refused(shape: tuple[int, ...], tmp_path: Path) -> None:
    images = IMAGES.reshape(shape) if shape else np.array(5)
    assert_refused(write_train_pair(tmp_path, images), "expected pictures of 28×28 pixels")


def test_npy_without_pictures_is_refused(tmp_path: Path) -> None:
    assert_refused(
        write_train_pair(tmp_path, IMAGES[:0], LABELS[:0]), "expected pictures, found none"
    )


def test_npy_file_shorter_than_its_header_promises_is_refused(tmp_path: Path) -> None:
    path = write_train_pair(tmp_path)
    path.write_bytes(path.read_bytes()[:-10])
    assert_refused(path, "expected 15,808 bytes, found 15,798")


def test_npy_file_longer_than_its_header_promises_is_refused(tmp_path: Path) -> None:
    path = write_train_pair(tmp_path)
    path.write_bytes(path.read_bytes() + b"?")
    assert_refused(path, "byte 15808: expected the file's end, found more")


def npy_header(descr: str = "'|u1'", shape: str = "(20, 28, 28)") -> bytes:
    """Return a `.npy` file without data, whose header has this `descr` and `shape`."""
    header = f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}}}".encode()
    return b"\x93NUMPY\1\0" + struct.pack("<H", len(header)) + header


@pytest.mark.parametrize(
    ("shape", "problem"),
    [
        ("(20, 28, 28)", r"expected 15,\d{3} bytes, found \d\d"),
        ("(2199023255552, 2199023255552)", r"expected 4,835,\S* bytes, found \d\d"),
        ("(0, 2199023255552, 2199023255552)", "expected a shape"),
        ("(1180591620717411303424, 0)", "expected a shape"),
        ("(0x" + "f" * 8000 + ",)", "expected a shape"),
        ("(" + "9" * 5000 + ",)", "expected a NumPy header"),
        ("(" + "999999999999," * 700 + ")", "expected a shape"),
        ("(-20, 28, 28)", "expected a shape"),
        ("(20.0, 28, 28)", "expected a shape"),
        ("20", "expected a NumPy header"),
    ],
)
def test_npy_with_an_impossible_shape_is_refused(shape: str, problem: str, tmp_path: Path) -> None:
    path = write_train_pair(tmp_path)
    path.write_bytes(npy_header(shape=shape))
    assert_refused(path, problem)


@pytest.mark.parametrize("descr", ["'<f3'", "[]", "{'names': 5}", "{'names': [], 'formats': {}}"])
def test_npy_with_an_invalid_dtype_is_refused(descr: str, tmp_path: Path) -> None:
    path = write_train_pair(tmp_path)
    path.write_bytes(npy_header(descr))
    assert_refused(path, "expected (a NumPy header|numbers or text)")


def test_text_with_the_name_of_a_npy_file_is_refused(tmp_path: Path) -> None:
    path = write_train_pair(tmp_path)
    path.write_text("0,1,2\n" * 100)
    assert_refused(tmp_path, "expected a NumPy array, found something else", path)


@pytest.mark.usefixtures("impatient")
def test_a_named_pipe_in_place_of_a_npy_file_is_refused_at_once(tmp_path: Path) -> None:
    path, labels = write_train_pair(tmp_path), tmp_path / "train-labels.npy"
    labels.unlink()
    os.mkfifo(labels)
    assert_refused(path, "expected a file", labels)


def saved(array: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array)
    return buffer.getvalue()


SAVED = saved(np.arange(12, dtype=np.uint8).reshape(2, 3, 2))


@given(
    edits=st.lists(st.tuples(st.integers(0, len(SAVED) - 1), st.integers(0, 255)), max_size=4),
    end=st.none() | st.integers(0, len(SAVED)),
    tail=st.binary(max_size=3),
)
def test_mutated_npy_file_gives_an_array_or_a_data_error(
    scratch: Path, edits: list[tuple[int, int]], end: int | None, tail: bytes
) -> None:
    content = bytearray(SAVED)
    for at, byte in edits:
        content[at] = byte
    content = content[:end] + tail
    path = scratch / "mutated.npy"
    path.write_bytes(content)
    array = read_or_none(read_npy, path)
    if array is not None:
        assert content.endswith(array.tobytes())


@given(
    arrays(
        st.sampled_from([np.uint8, np.int64, np.float32, np.bool_]),
        array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4),
    )
)
def test_an_array_saved_as_npy_is_read_bit_for_bit(scratch: Path, array: np.ndarray) -> None:
    path = scratch / "array.npy"
    path.write_bytes(saved(array))
    read = read_npy(path)
    assert (read.dtype, read.shape) == (array.dtype, array.shape)
    assert read.tobytes() == array.tobytes()


# --- NPZ ---


def test_npz_with_the_names_of_keras_is_read(tmp_path: Path) -> None:
    np.savez_compressed(
        tmp_path / "mnist.npz",
        x_train=IMAGES,
        y_train=LABELS,
        x_test=TEST_IMAGES,
        y_test=TEST_LABELS,
    )
    data = read_data(tmp_path / "mnist.npz")
    assert_holds(data.training, IMAGES, LABELS)
    assert_holds(data.test, TEST_IMAGES, TEST_LABELS)


def test_npz_of_images_and_labels_is_read(tmp_path: Path) -> None:
    np.savez(tmp_path / "mnist.npz", images=IMAGES, labels=LABELS)
    data = read_data(tmp_path / "mnist.npz")
    assert_holds(data.training, IMAGES, LABELS)
    assert data.test is None


def test_npz_of_rows_of_784_pixels_is_read(tmp_path: Path) -> None:
    np.savez(tmp_path / "mnist.npz", images=IMAGES.reshape(20, 784), labels=LABELS)
    assert_holds(read_data(tmp_path / "mnist.npz").training, IMAGES, LABELS)


@pytest.mark.parametrize("dtype", [np.int64, np.uint16, ">i4"])
def test_npz_of_wider_integers_is_read(dtype: Any, tmp_path: Path) -> None:
    np.savez(tmp_path / "mnist.npz", images=IMAGES.astype(dtype), labels=LABELS.astype(dtype))
    assert_holds(read_data(tmp_path / "mnist.npz").training, IMAGES, LABELS)


def test_npz_in_fortran_order_is_read(tmp_path: Path) -> None:
    columns = np.asfortranarray(IMAGES.reshape(20, 784))
    np.savez(tmp_path / "mnist.npz", images=columns, labels=LABELS)
    assert_holds(read_data(tmp_path / "mnist.npz").training, IMAGES, LABELS)


def write_npz(folder: Path, images: np.ndarray, labels: np.ndarray) -> Path:
    path = folder / "mnist.npz"
    np.savez(path, images=images, labels=labels)
    return path


@pytest.mark.parametrize("pixel", [-1, 256])
def test_npz_with_a_pixel_out_of_range_is_refused(pixel: int, tmp_path: Path) -> None:
    images = IMAGES.astype(np.int64)
    images[3, 4, 5] = pixel
    assert_refused(write_npz(tmp_path, images, LABELS), "images: expected pixels from 0 to 255")


@pytest.mark.parametrize("label", [11, -1])
def test_npz_with_a_label_out_of_range_is_refused(label: int, tmp_path: Path) -> None:
    labels = LABELS.astype(np.int64)
    labels[7] = label
    path = write_npz(tmp_path, IMAGES, labels)
    assert_refused(path, f"labels: picture 8: expected a label from 0 to 9, found {label}")


def test_npz_with_an_extra_label_is_refused(tmp_path: Path) -> None:
    assert_refused(
        write_npz(tmp_path, IMAGES[:19], LABELS), "labels: expected 19 labels, .* found 20"
    )


@pytest.mark.parametrize("shape", [(20, 2, 392), (15680,), ()])
def test_npz_of_another_shape_is_refused(shape: tuple[int, ...], tmp_path: Path) -> None:
    images = IMAGES.reshape(shape) if shape else np.array(5)
    assert_refused(write_npz(tmp_path, images, LABELS), "images: expected pictures of 28×28 pixels")


def test_npz_without_pictures_is_refused(tmp_path: Path) -> None:
    assert_refused(
        write_npz(tmp_path, IMAGES[:0], LABELS[:0]), "images: expected pictures, found none"
    )


def test_an_error_lists_the_names_in_an_npz(tmp_path: Path) -> None:
    np.savez(tmp_path / "mnist.npz", pictures=IMAGES, labels=LABELS)
    assert_refused(tmp_path / "mnist.npz", "expected the arrays .*; found labels, pictures")


def test_npz_of_objects_is_refused(tmp_path: Path) -> None:
    path = write_npz(tmp_path, np.array([{}, None]), LABELS)
    assert_refused(path, "images: expected numbers or text, found pickled Python objects")


def test_npz_with_a_false_header_is_refused(tmp_path: Path) -> None:
    path = write_npz(tmp_path, IMAGES, LABELS)
    path.write_bytes(path.read_bytes().replace(b"(20, 28, 28)", b"(99, 28, 28)"))
    assert_refused(path, "images: its header promises 77,616 bytes, found 15,680|damaged")


def test_npz_bomb_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "mnist.npz"
    np.savez_compressed(path, images=np.zeros((100_000, 28, 28), np.uint8), labels=LABELS)
    assert_refused(path, r"expected at most [\d,]+ bytes unpacked, found 78,400,")


def test_truncated_npz_is_refused(tmp_path: Path) -> None:
    path = write_npz(tmp_path, IMAGES, LABELS)
    path.write_bytes(path.read_bytes()[:-30])
    assert_refused(path, "damaged")


# --- CSV ---


@pytest.mark.parametrize("header", [None, HEADER])
def test_csv_is_read_with_and_without_a_header(header: str | None, tmp_path: Path) -> None:
    data = read_data(write_csv(tmp_path / "mnist.csv", csv_rows(20), header))
    assert_holds(data.training, IMAGES, LABELS)
    assert data.test is None


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace("\n", "\r\n"),
        lambda text: text.rstrip("\n"),
        lambda text: text.replace("\n", "\n\n"),
        lambda text: "\ufeff" + text,
        lambda text: re.sub(r"(\w+)", r'"\1"', text),
        lambda text: text.replace(",", ", "),
    ],
    ids=["CRLF", "no last newline", "blank lines", "byte order mark", "quotes", "spaces"],
)
@pytest.mark.parametrize("header", [None, HEADER])
def test_csv_variants_are_read(header: str | None, change: Any, tmp_path: Path) -> None:
    path = write_csv(tmp_path / "mnist.CSV", csv_rows(), header)
    path.write_bytes(change(path.read_text()).encode())
    assert_holds(read_data(path).training, IMAGES[:3], LABELS[:3])


def test_csv_of_many_lines_is_read_to_the_end(tmp_path: Path) -> None:
    rows = csv_rows(20) * 110  # more than two chunks
    training = read_data(write_csv(tmp_path / "mnist.csv", rows, HEADER)).training
    assert_holds(training, np.tile(IMAGES, (110, 1, 1)), np.tile(LABELS, 110))


@pytest.mark.parametrize("cell", ["x", "1.5", "25.5e-1", "", "256", "-1", "nan", "0x1f", "9" * 30])
def test_an_error_names_line_and_column_of_a_wrong_csv_cell(cell: str, tmp_path: Path) -> None:
    rows = csv_rows()
    rows[1][407] = cell
    found = f"expected a whole number from 0 to 255, found {cell!r}"
    path = write_csv(tmp_path / "mnist.csv", rows)
    assert_refused(path, re.escape(f"line 2, column 408: {found}"))
    write_csv(path, rows, HEADER)
    assert_refused(path, re.escape(f"line 3, column 408: {found}"))


def test_an_error_names_line_and_column_of_a_csv_number_that_is_too_long(tmp_path: Path) -> None:
    rows = csv_rows()
    rows[1][407] = "9" * 5000
    assert_refused(
        write_csv(tmp_path / "mnist.csv", rows), "line 2, column 408: expected a whole number"
    )


def test_an_error_names_line_and_column_of_csv_digits_of_another_script(tmp_path: Path) -> None:
    rows = csv_rows()
    rows[1][407] = "٣"
    assert_refused(
        write_csv(tmp_path / "mnist.csv", rows), "line 2, column 408: expected a whole number"
    )


def test_an_error_names_a_wrong_csv_line_far_down(tmp_path: Path) -> None:
    rows = csv_rows(1) * 1500
    rows[1234] = [5, "l", *rows[0][2:]]
    assert_refused(
        write_csv(tmp_path / "mnist.csv", rows, HEADER), "line 1236, column 2: .*found 'l'"
    )


def test_an_error_names_the_csv_lines_of_an_unclosed_quote(tmp_path: Path) -> None:
    rows = csv_rows(1) * 1500
    rows[1200] = [*rows[1200][:9], '"5', *rows[1200][10:]]
    assert_refused(
        write_csv(tmp_path / "mnist.csv", rows, HEADER), "lines 1002 to 1501: expected rows of"
    )


def test_csv_with_a_letter_as_first_label_is_not_read_as_a_header(
    tmp_path: Path,
) -> None:
    rows = csv_rows()
    rows[0][0] = "l"
    path = write_csv(tmp_path / "mnist.csv", rows)
    assert_refused(path, "line 1, column 1: expected a whole number from 0 to 9, found 'l'")


def test_an_error_names_the_csv_line_of_label_11(tmp_path: Path) -> None:
    rows = csv_rows()
    rows[2][0] = 11
    path = write_csv(tmp_path / "mnist.csv", rows)
    assert_refused(path, "line 3, column 1: expected a whole number from 0 to 9, found '11'")


@pytest.mark.parametrize(("line", "columns"), [(1, 784), (2, 786), (3, 1)])
def test_an_error_names_the_csv_line_with_a_wrong_number_of_columns(
    line: int, columns: int, tmp_path: Path
) -> None:
    rows = csv_rows()
    rows[line - 1] = [*rows[line - 1], 0][:columns]
    path = write_csv(tmp_path / "mnist.csv", rows)
    assert_refused(path, rf"line {line}: expected 785 columns .*, found {columns}")


@pytest.mark.parametrize("header", [HEADER, None])
def test_csv_separated_by_spaces_is_refused(header: str | None, tmp_path: Path) -> None:
    path = write_csv(tmp_path / "mnist.csv", csv_rows(), header)
    path.write_text(path.read_text().replace(",", " "))
    assert_refused(path, "line 1: expected 785 columns .* with commas .*, found spaces")


@pytest.mark.parametrize("names", [range(785), ["label", *range(784)], ["label", *range(1, 785)]])
def test_csv_with_numbered_columns_is_read(names: Sequence[Any], tmp_path: Path) -> None:
    header = ",".join(map(str, names))
    training = read_data(write_csv(tmp_path / "pandas.csv", csv_rows(20), header)).training
    assert_holds(training, IMAGES, LABELS)


@pytest.mark.parametrize("end", ["\r", "\r\n", "\n"])
def test_csv_may_have_any_line_ends(end: str, tmp_path: Path) -> None:
    path = write_csv(tmp_path / "mnist.csv", csv_rows(20) * 10, HEADER)
    path.write_bytes(path.read_bytes().replace(b"\n", end.encode()))
    assert len(read_data(path).training) == 200


def test_csv_may_begin_with_blank_lines(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "mnist.csv", csv_rows(20), HEADER)
    path.write_bytes(b"\n \r\n" + path.read_bytes())
    assert_holds(read_data(path).training, IMAGES, LABELS)


def test_an_error_names_a_wrong_csv_cell_after_correct_cells_with_signs(tmp_path: Path) -> None:
    rows = csv_rows()
    rows[0][5], rows[2][7] = "+5", "x"
    assert_refused(write_csv(tmp_path / "mnist.csv", rows), "line 3, column 8: .*, found 'x'")


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_csv_in_utf_16_is_refused(encoding: str, tmp_path: Path) -> None:
    path = write_csv(tmp_path / "mnist.csv", csv_rows(), HEADER)
    text = path.read_text()
    path.write_bytes(
        ("" if encoding == "utf-16" else "\ufeff").encode(encoding) + text.encode(encoding)
    )
    assert_refused(path, "expected UTF-8, found UTF-16; save it as CSV in UTF-8")


def test_an_endless_csv_line_takes_little_memory(tmp_path: Path) -> None:
    path = tmp_path / "mnist.csv"
    path.write_bytes(b"0," * 10_000_000)
    tracemalloc.start()
    assert_refused(path, "line 1: expected at most 65,536 characters, found more")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1 << 20


def test_csv_with_a_header_only_is_refused(tmp_path: Path) -> None:
    assert_refused(write_csv(tmp_path / "mnist.csv", [], HEADER), "expected pictures, found none")


ROWS = "\n".join(",".join(map(str, row)) for row in csv_rows(2)).encode()


@given(
    at=st.integers(0, len(ROWS)),
    length=st.integers(0, 5),
    insert=st.binary(max_size=5) | st.text('0123456789,.-+"\n\r eE_#', max_size=5).map(str.encode),
)
def test_mutated_csv_gives_data_or_a_data_error(
    scratch: Path, at: int, length: int, insert: bytes
) -> None:
    path = scratch / "mutated.csv"
    path.write_bytes(ROWS[:at] + insert + ROWS[at + length :])
    data = read_or_none(read_data, path)
    if data is not None:
        assert data.training.images.shape == (len(data.training), 28, 28)
        assert set(data.training.labels) <= set(range(10))


# --- Folders of pictures ---


def prepared(images: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return images and labels that a folder of these pictures yields: sorted and prepared."""
    order = np.argsort(labels, kind="stable")
    return np.stack([prepare(image) for image in images[order]]), labels[order]


def test_folder_of_classes_is_read(tmp_path: Path) -> None:
    data = read_data(write_pictures(tmp_path, IMAGES, LABELS))
    images, labels = prepared(IMAGES, LABELS)
    assert data.training.class_names == tuple(map(str, sorted(set(LABELS.tolist()))))
    assert data.test is None
    assert_holds(data.training, images, np.searchsorted(sorted(set(labels)), labels))


def test_folder_with_train_and_test_is_read(tmp_path: Path) -> None:
    write_pictures(tmp_path / "train", IMAGES[:10], LABELS[:10])  # 0, 1, 2, 3, 4, 5, 9
    write_pictures(tmp_path / "test", IMAGES[4:6], LABELS[4:6])  # 9, 2
    data = read_data(tmp_path)
    assert data.test is not None
    assert data.training.class_names == data.test.class_names == tuple("0123459")
    assert len(data.training) == 10
    assert_holds(data.test, np.stack([prepare(IMAGES[5]), prepare(IMAGES[4])]), np.array([2, 6]))


def test_folder_with_train_only_is_read(tmp_path: Path) -> None:
    write_pictures(tmp_path / "train", IMAGES[:3], LABELS[:3])
    data = read_data(tmp_path)
    assert (len(data.training), data.test) == (3, None)


def test_classes_may_have_names_and_are_sorted_by_number(tmp_path: Path) -> None:
    write_pictures(tmp_path, IMAGES[:4], np.array(["10", "9", "plus", "0"]))
    training = read_data(tmp_path).training
    assert training.class_names == ("plus", "0", "9", "10")
    np.testing.assert_array_equal(training.images[3], prepare(IMAGES[0]))


@pytest.mark.parametrize(
    ("one", "other"), [("01", "1"), ("cafe\u0301", "caf\u00e9"), (" 1", "1")], ids=ascii
)
def test_two_folders_with_the_same_answer_are_refused(tmp_path: Path, one: str, other: str) -> None:
    write_pictures(tmp_path, IMAGES[:3], np.array([one, "2", other]))
    problem = (
        f"expected a different answer for each class, found {tmp_path / one} in the same folder"
    )
    assert_refused(tmp_path, problem, tmp_path / other)


def test_train_and_test_folders_with_the_same_answer_are_one_class(tmp_path: Path) -> None:
    write_pictures(tmp_path / "train", IMAGES[:2], np.array(["1", "caf\u00e9"]))
    write_pictures(tmp_path / "test", IMAGES[:2], np.array(["01", "cafe\u0301"]))
    data = read_data(tmp_path)
    assert data.test is not None
    assert data.test.class_names == data.training.class_names
    assert data.test.labels.tolist() == data.training.labels.tolist()


def test_too_many_folders_of_classes_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("digitnet.dataset.layout.MAX_CLASSES", 20)
    for name in range(21):
        (tmp_path / str(name)).mkdir()
    assert_refused(tmp_path, "expected at most 20 folders of classes, found 21")


def test_an_error_lists_at_most_12_classes(tmp_path: Path) -> None:
    names = tuple(f"class-{number}" for number in range(1000))
    one = Dataset(IMAGES[:1], np.array([0]), ("other",))
    with pytest.raises(DataError, match="other") as caught:
        one.renumbered(names, "here")
    listed = ", ".join(names[:12])
    assert str(caught.value) == (
        f"here: expected classes among {listed}, … (1,000 in all); found 'other'"
    )


def test_hidden_files_and_files_that_are_not_pictures_are_skipped(tmp_path: Path) -> None:
    write_pictures(tmp_path, IMAGES[:2], LABELS[:2])  # 5 and 0
    (tmp_path / "README").write_text("About these pictures")
    (tmp_path / ".cache").mkdir()
    for name in (".hidden.png", "notes.txt", "Thumbs.db"):
        (tmp_path / "5" / name).write_bytes(b"not a picture")
    training = read_data(tmp_path).training
    assert (len(training), training.class_names) == (2, ("0", "5"))


def test_a_test_folder_that_cannot_be_looked_up_is_an_error(
    tmp_path: Path, failing: Failing
) -> None:
    write_pictures(tmp_path / "train", IMAGES, LABELS)
    write_pictures(tmp_path / "test", IMAGES, LABELS)
    failing("stat", tmp_path / "test")
    assert_refused(tmp_path, "Input/output error", tmp_path / "test")


def test_a_class_only_in_test_is_refused(tmp_path: Path) -> None:
    write_pictures(tmp_path / "train", IMAGES[:2], LABELS[:2])
    write_pictures(tmp_path / "test", IMAGES[2:3], np.array(["7"]))
    assert_refused(tmp_path, "expected classes among 0, 5; found '7'", tmp_path / "test")


def test_several_sources_are_concatenated_in_order(tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    one.mkdir()
    write_pair(one, "train", IMAGES, LABELS)
    write_pair(one, "t10k", TEST_IMAGES, TEST_LABELS)
    write_pictures(other, IMAGES[:2], LABELS[:2])  # 5 and 0, alone classes 1 and 0
    data = read_data((str(one), str(other)))
    images = np.concatenate(
        [IMAGES, prepare(IMAGES[1])[np.newaxis], prepare(IMAGES[0])[np.newaxis]]
    )
    assert_holds(data.training, images, np.array([*LABELS, 0, 5]))
    assert data.training.class_names == tuple("0123456789")
    assert_holds(data.test, TEST_IMAGES, TEST_LABELS)


def test_a_source_listed_twice_is_stored_once_with_repeats(tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    for folder, n in ((one, 3), (other, 2)):
        folder.mkdir()
        write_pair(folder, "train", IMAGES[:n], LABELS[:n])
        write_pair(folder, "t10k", TEST_IMAGES[n:], TEST_LABELS[n:])
    data = read_data((str(one), str(other), str(other)))
    assert data.training.repeats is not None
    assert data.training.repeats.tolist() == [1, 1, 1, 2, 2]
    assert data.test is not None
    assert len(data.test) == 2 * len(TEST_LABELS) - 5
    once = read_data((str(one), str(other))).training
    assert once.repeats is None
    assert once.fingerprint != data.training.fingerprint


def test_several_test_sets_are_concatenated(tmp_path: Path) -> None:
    for name, n in (("one", 7), ("other", 5)):
        (tmp_path / name).mkdir()
        write_pair(tmp_path / name, "train", IMAGES, LABELS)
        write_pair(tmp_path / name, "t10k", TEST_IMAGES[:n], TEST_LABELS[:n])
    data = read_data((str(tmp_path / "one"), str(tmp_path / "other")))
    images = np.concatenate([TEST_IMAGES[:7], TEST_IMAGES[:5]])
    assert_holds(data.test, images, np.concatenate([TEST_LABELS[:7], TEST_LABELS[:5]]))


def symlink_to(folder: Path) -> Path:
    link = folder.with_name("link")
    link.symlink_to(folder)
    return link


def hard_links_to(folder: Path) -> Path:
    return Path(shutil.copytree(folder, folder.with_name("links"), copy_function=os.link))


def gzipped_copy(folder: Path) -> Path:
    path = folder.with_name("packed")
    path.mkdir()
    for file in folder.iterdir():
        (path / f"{file.name}.gz").write_bytes(gzip.compress(file.read_bytes()))
    return path


def file_in(folder: Path) -> Path:
    return folder / "train-images-idx3-ubyte"


def as_npz(folder: Path) -> Path:
    path = folder.with_name("same.npz")
    arrays = {"x_train": IMAGES, "y_train": LABELS, "x_test": TEST_IMAGES, "y_test": TEST_LABELS}
    np.savez(path, **arrays)
    return path


@pytest.mark.parametrize("other_name", [symlink_to, hard_links_to, gzipped_copy, file_in, as_npz])
def test_a_source_is_recognised_by_its_pictures_under_any_path(
    tmp_path: Path, other_name: Callable[[Path], Path]
) -> None:
    folder = tmp_path / "one"
    folder.mkdir()
    write_pair(folder, "train", IMAGES, LABELS)
    write_pair(folder, "t10k", TEST_IMAGES, TEST_LABELS)
    twice = read_data((str(folder), str(folder)))
    under_two_names = read_data((str(folder), str(other_name(folder))))
    assert under_two_names.training.fingerprint == twice.training.fingerprint
    assert_holds(under_two_names.test, TEST_IMAGES, TEST_LABELS)


def test_equal_pictures_with_other_labels_are_a_different_source(tmp_path: Path) -> None:
    for name, labels in (("one", LABELS), ("other", LABELS[::-1])):
        (tmp_path / name).mkdir()
        write_pair(tmp_path / name, "train", IMAGES, labels)
    training = read_data((str(tmp_path / "one"), str(tmp_path / "other"))).training
    assert training.repeats is None
    assert len(training) == 2 * len(LABELS)


def test_a_class_missing_from_the_first_source_is_refused(tmp_path: Path) -> None:
    one = write_pictures(tmp_path / "one", IMAGES[:2], LABELS[:2])
    other = write_pictures(tmp_path / "other", IMAGES[:1], np.array(["seven"]))
    with pytest.raises(DataError, match=f"^{other}: expected classes among 0, 5; found 'seven'$"):
        read_data((str(one), str(other)))


def test_a_damaged_picture_is_left_out_and_listed(tmp_path: Path) -> None:
    write_pictures(tmp_path, IMAGES[:2], LABELS[:2])
    whole = read_data(tmp_path).training
    broken = tmp_path / "5" / "broken.png"
    broken.write_bytes(b"\x89PNG and then nothing")
    dataset = read_data(tmp_path).training
    assert [each.picture for each in dataset.unreadable] == [str(broken)]
    assert str(dataset.unreadable[0]).startswith(f"{broken}: expected a picture, found")
    assert dataset.fingerprint == whole.fingerprint
    assert [dataset.name_of(index) for index in (0, 1)] == [
        whole.name_of(index) for index in (0, 1)
    ]
    with pytest.raises(DataError, match=f"^{broken}: expected a picture"):
        read_data(tmp_path, ReadOptions(strict=True))


def test_a_class_name_that_is_not_utf_8_is_refused(tmp_path: Path) -> None:
    write_pictures(tmp_path, IMAGES[:2], LABELS[:2])
    (tmp_path / os.fsdecode(b"caf\xe9")).mkdir()
    assert_refused(tmp_path, "expected a class name in UTF-8", tmp_path / os.fsdecode(b"caf\xe9"))


def test_a_folder_without_data_is_refused(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("nothing here")
    (tmp_path / "empty").mkdir()
    assert_refused(
        tmp_path,
        "expected IDX or .npy files, or pictures in one subfolder per class; found neither",
    )


# --- Paths ---


def test_missing_path_is_refused(tmp_path: Path) -> None:
    assert_refused(tmp_path / "none", "no such file or folder")


@pytest.mark.parametrize("name", ["mnist.csv", "mnist.npz", "train-images-idx3-ubyte"])
def test_empty_file_is_refused(name: str, tmp_path: Path) -> None:
    (tmp_path / name).touch()
    assert_refused(tmp_path / name, "found an empty file")


def test_text_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mnist.txt").write_text("0,1,2\n")
    assert_refused(tmp_path / "mnist.txt", "expected IDX, .npy, .npz, .csv or a folder")


def test_a_path_that_is_too_long_is_refused(tmp_path: Path) -> None:
    assert_refused(tmp_path / ("n" * 300), "name too long")


@pytest.mark.usefixtures("impatient")
def test_a_named_pipe_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "mnist.csv")
    assert_refused(tmp_path / "mnist.csv", "expected a file or a folder")


@pytest.mark.usefixtures("impatient")
def test_a_named_pipe_in_place_of_an_idx_file_is_refused_at_once(tmp_path: Path) -> None:
    write_pair(tmp_path, "train", IMAGES, LABELS)
    labels = tmp_path / "train-labels-idx1-ubyte"
    labels.unlink()
    os.mkfifo(labels)
    assert_refused(tmp_path, "expected a file", labels)


def test_a_path_may_be_text(tmp_path: Path) -> None:
    write_pair(tmp_path, "train", IMAGES, LABELS)
    assert_holds(read_data(str(tmp_path)).training, IMAGES, LABELS)


# --- Data sets ---


def fingerprint(images: np.ndarray, labels: np.ndarray, *names: str) -> str:
    return Dataset(images, labels.astype(np.int64), names or tuple("0123456789")).fingerprint


def test_fingerprint_depends_on_the_contents_not_on_the_format(tmp_path: Path) -> None:
    idx = read_data(write_pair(tmp_path, "train", IMAGES, LABELS))
    columns = np.asfortranarray(IMAGES.reshape(20, 784).astype(np.int64))
    np.savez(tmp_path / "mnist.npz", images=columns, labels=LABELS)
    csv = read_data(write_csv(tmp_path / "mnist.csv", csv_rows(20)))
    data: list[Data] = [idx, csv, read_data(tmp_path / "mnist.npz")]
    assert {one.training.fingerprint for one in data} == {fingerprint(IMAGES, LABELS)}


def write_formats(folder: Path) -> list[Path]:
    """Write the same 200 digits in several formats; return the paths."""
    images, labels = read_mnist("train", 200)
    plain, packed, npy = (folder / name for name in ("plain", "packed", "npy"))
    for one in (plain, packed, npy):
        one.mkdir()
    write_pair(plain, "train", images, labels)
    gzipped(write_pair(packed, "train", images, labels))
    gzipped(packed / "train-labels-idx1-ubyte")
    write_npy_pair(npy, "train-images", images, labels.astype(np.int32))
    np.savez(folder / "mnist.npz", images=images.reshape(200, 784), labels=labels)
    return [plain, packed, npy, npy / "train-images.npy", folder / "mnist.npz"]


def test_equal_pictures_in_any_format_give_the_same_training_bit_for_bit(tmp_path: Path) -> None:
    checkpoints = []
    for path in write_formats(tmp_path):
        *_, progress = train(small_config(path))
        checkpoints.append(progress.state.checkpoint())
    assert len({one.network.parameters.tobytes() for one in checkpoints}) == 1
    assert len({one.state["parameters"].tobytes() for one in checkpoints}) == 1
    assert len({one.data_hash for one in checkpoints}) == 1


def test_fingerprint_changes_with_the_smallest_difference() -> None:
    images, labels = IMAGES.copy(), LABELS.copy()
    images[3, 14, 14] ^= 1
    labels[5] ^= 1
    prints = {
        fingerprint(IMAGES, LABELS),
        fingerprint(images, LABELS),
        fingerprint(IMAGES, labels),
        fingerprint(IMAGES[::-1], LABELS),
        fingerprint(IMAGES, LABELS, *"0123456798"),
    }
    assert len(prints) == 5


def zip_archive(name: str, content: bytes) -> bytes:
    """Return a zip archive with one file."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(name, content)
    return file.getvalue()


def numbered_dataset(numbers: Sequence[int]) -> Dataset:
    """Return a data set whose pictures are equal if their numbers are equal."""
    images = np.zeros((len(numbers), 28, 28), np.uint8)
    images[:, 5, 5] = numbers
    return Dataset(images, np.zeros(len(numbers), np.int64))


@given(st.integers(0, 200), st.data(), st.integers(0, 2**32))
def test_split_is_a_partition(n: int, data: st.DataObject, seed: int) -> None:
    held_out = data.draw(st.integers(0, n))
    kept, held = split_indices(numbered_dataset(range(n)), held_out, seed=seed)
    assert len(held) == held_out
    assert sorted([*kept, *held]) == list(range(n))
    assert (np.diff(kept) > 0).all()
    assert (np.diff(held) > 0).all()


@given(st.lists(st.integers(0, 5), max_size=30), st.data(), st.integers(0, 2**32))
def test_no_picture_is_in_both_splits(numbers: list[int], data: st.DataObject, seed: int) -> None:
    held_out = data.draw(st.integers(0, len(numbers)))
    kept, held = split_indices(numbered_dataset(numbers), held_out, seed=seed)
    assert len(held) == held_out
    validation = {numbers[i] for i in held}
    left = set(range(len(numbers))) - set(held.tolist())
    assert kept.tolist() == sorted(i for i in left if numbers[i] not in validation)


def test_split_depends_on_the_seed() -> None:
    first, again, other = (
        split_indices(numbered_dataset(range(100)), 20, seed=seed)[1].tolist() for seed in (1, 1, 2)
    )
    assert first == again
    assert first != other
    assert first != list(range(20))


def test_join_paths_takes_one_path_or_several() -> None:
    assert join_paths("mnist") == "mnist"
    assert join_paths(("mnist", "scans")) == "mnist, scans"


# --- Minibatches ---

PIXELS = np.random.default_rng(0).integers(0, 256, (600, 28, 28)).astype(np.uint8)
PIXELS[:, 0, :3] = np.stack([np.arange(600) % 256, np.arange(600) // 256, np.full(600, 9)], axis=1)
NOISE = Dataset(PIXELS, np.arange(600) % 10)  # the first two pixels encode the index


def copied(batches: Iterator[tuple[np.ndarray, np.ndarray]]) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return copies of minibatches, because the next block overwrites them."""
    return [(x.copy(), y.copy()) for x, y in batches]


def test_a_non_digit_has_equal_probabilities() -> None:
    labels = np.array([3, NON_DIGIT, 9])
    ((_, y),) = copied(Minibatches(Dataset(PIXELS[:3], labels), 3)(np.arange(3)))
    np.testing.assert_array_equal(y[:, 1], np.full(10, np.float32(0.1)))
    np.testing.assert_array_equal(y[:, [0, 2]].argmax(axis=0), [3, 9])
    assert y[:, [0, 2]].sum() == 2


@given(st.integers(1, 700), st.integers(0, 600), st.integers(0, 2**32))
def test_minibatches_cover_the_order_once_with_a_short_last_minibatch(
    size: int, m: int, seed: int
) -> None:
    order = np.random.default_rng(seed).permutation(600)[:m]
    batches = copied(Minibatches(NOISE, size)(order))
    assert [x.shape[1] for x, _ in batches] == [size] * (m // size) + [m % size] * (m % size > 0)
    assert [y.shape[1] for _, y in batches] == [x.shape[1] for x, _ in batches]
    if batches:
        x, y = (np.concatenate(parts, axis=1).T for parts in zip(*batches))
        np.testing.assert_array_equal(np.rint(x[:, :2] * 255) @ [1, 256], order)
        np.testing.assert_array_equal(y, np.eye(10)[order % 10])


@given(st.integers(1, 700), st.integers(0, 600), st.integers(1, 5))
def test_the_shares_of_a_block_gather_the_whole_block(size: int, m: int, members: int) -> None:
    order = np.random.default_rng(0).permutation(600)[:m]
    expected = copied(Minibatches(NOISE, size)(order))
    found = []
    for block in Minibatches(NOISE, size).blocks(order):
        for member in range(members):
            block.gather(Share(member, members))
        found += copied(iter(block.minibatches))
    assert len(found) == len(expected)
    for (x, y), (expected_x, expected_y) in zip(found, expected):
        np.testing.assert_array_equal(x, expected_x)
        np.testing.assert_array_equal(y, expected_y)


@given(st.integers(1, 300), st.integers(0, 600), st.data())
def test_skip_drops_the_first_minibatches(size: int, m: int, data: st.DataObject) -> None:
    order = np.random.default_rng(0).permutation(600)[:m]
    skip = data.draw(st.integers(0, m // size + 1))
    minibatches = Minibatches(NOISE, size)
    expected = copied(minibatches(order))[skip:]
    found = copied(minibatches(order, skip))
    assert len(found) == len(expected)
    for (x, y), (expected_x, expected_y) in zip(found, expected):
        np.testing.assert_array_equal(x, expected_x)
        np.testing.assert_array_equal(y, expected_y)


def test_pixels_are_scaled_to_within_one_ulp() -> None:
    images = np.arange(784, dtype=np.uint8).reshape(1, 28, 28)  # every pixel value
    ((x, _),) = Minibatches(Dataset(images, np.array([3])), 10)(np.array([0]))
    assert (x[-1] == 1).all()  # the input of the biases
    np.testing.assert_array_max_ulp(x[:-1].T, images.reshape(1, 784) / np.float32(255))
    assert (x.dtype, x.min(), x.max()) == (np.float32, 0, 1)


def test_labels_are_one_hot_with_one_row_per_class() -> None:
    dataset = Dataset(IMAGES[:3], np.array([2, 0, 1]), ("a", "b", "c"))
    ((_, y),) = Minibatches(dataset, 3)(np.array([0, 1, 2]))
    assert y.T.tolist() == [[0, 0, 1], [1, 0, 0], [0, 1, 0]]
    assert y.dtype == np.float32


def test_an_order_may_repeat_an_example() -> None:
    batches = copied(Minibatches(NOISE, 2)(np.array([5, 5, 7])))
    assert [y.argmax(axis=0).tolist() for _, y in batches] == [[5, 5], [7]]


def test_an_order_longer_than_the_data_set_gives_whole_minibatches() -> None:
    three = Dataset(PIXELS[:3], np.arange(3))
    batches = copied(Minibatches(three, 2)(np.array([0, 1, 2, 0, 1, 2, 0])))
    assert [y.argmax(axis=0).tolist() for _, y in batches] == [[0, 1], [2, 0], [1, 2], [0]]


def test_minibatches_leave_the_pictures_unchanged() -> None:
    before = IMAGES.copy()
    dataset = Dataset(IMAGES, LABELS.astype(np.int64))
    copied(Minibatches(dataset, 7)(np.arange(20)))
    assert dataset.images.dtype == np.uint8
    np.testing.assert_array_equal(dataset.images, before)


def test_folders_with_names_of_idx_files_are_skipped(tmp_path: Path) -> None:
    write_pair(tmp_path, "train", IMAGES, LABELS)
    write_pair(tmp_path, "t10k", TEST_IMAGES, TEST_LABELS)
    for name in (
        "train-images.idx3-ubyte",
        "t10k-images-idx3-ubyte.gz",
        "train-labels-idx1-ubyte.gz",
    ):
        (tmp_path / name).mkdir()
    data = read_data(tmp_path)
    assert_holds(data.training, IMAGES, LABELS)
    assert_holds(data.test, TEST_IMAGES, TEST_LABELS)


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        ("mnist.pkl.gz", gzip.compress(pickle.dumps([1])), "expected IDX .*, found a pickle"),
        ("train.txt.gz", gzip.compress(HEADER.encode()), "expected IDX .*; unpack it with gunzip"),
        (
            "train.txt.zip",
            zip_archive("train.txt", HEADER.encode()),
            "found 'train.txt' in it; unpack it",
        ),
    ],
    ids=["pickle", "text.gz", "text.zip"],
)
def test_an_error_says_what_to_do_with_other_packed_data(
    name: str, content: bytes, problem: str, tmp_path: Path
) -> None:
    (tmp_path / name).write_bytes(content)
    assert_refused(tmp_path / name, problem)


# --- Conventions ---


@pytest.mark.parametrize("highest", [1, 16, 255])
@pytest.mark.parametrize("paper", ["dark", "light"])
def test_pixels_of_another_convention_are_converted_with_a_remark(
    highest: int, paper: str, tmp_path: Path
) -> None:
    values = np.round(IMAGES.astype(float) * highest / 255).astype(np.uint8)
    path = tmp_path / "digits.npz"
    np.savez(path, images=highest - values if paper == "light" else values, labels=LABELS)
    training = read_data(path).training
    expected = np.minimum(np.round(values * (255 / highest)), 255).astype(int)
    assert np.abs(training.images.astype(int) - expected).max() <= 1
    assert len(training.remarks) == (highest < 255) + (paper == "light")
    assert all(remark.startswith(f"{path}: images: expected ") for remark in training.remarks)


@pytest.mark.parametrize("name", ["mnist", "optdigits", "pendigits", "fonts"])
def test_the_data_of_the_project_need_no_conversion(name: str) -> None:
    data = read_data(MNIST.parent / name)
    assert not data.training.remarks
    assert not (data.test and data.test.remarks)


def test_blank_pictures_are_not_converted(tmp_path: Path) -> None:
    np.savez(tmp_path / "blank.npz", images=np.zeros((3, 28, 28), np.uint8), labels=[0, 1, 2])
    assert not read_data(tmp_path / "blank.npz").training.remarks


def test_faint_ink_is_not_converted(tmp_path: Path) -> None:
    np.savez(tmp_path / "faint.npz", images=IMAGES // 3, labels=LABELS)
    training = read_data(tmp_path / "faint.npz").training
    assert not training.remarks
    np.testing.assert_array_equal(training.images, IMAGES // 3)


def test_training_and_test_are_converted_alike(tmp_path: Path) -> None:
    images = np.round(IMAGES / 255 * 16).astype(np.uint8)
    arrays = {"x_train": images, "y_train": LABELS, "y_test": LABELS}
    np.savez(tmp_path / "16.npz", **arrays, x_test=np.minimum(images, 15))
    data = read_data(tmp_path / "16.npz")
    assert data.test is not None
    assert data.training.images.max() == 255
    assert data.test.images.max() == 239


def test_concatenated_sources_keep_their_remarks(tmp_path: Path) -> None:
    for name, images in (("dark", IMAGES), ("light", 255 - IMAGES)):
        np.savez(tmp_path / f"{name}.npz", images=images, labels=LABELS)
    paths = str(tmp_path / "dark.npz"), str(tmp_path / "light.npz")
    training = read_data(paths).training
    assert [remark.partition(":")[0] for remark in training.remarks] == [paths[1]]
    assert len(training) == len(IMAGES)  # equal pictures are stored once


def test_transposed_affects_arrays_but_not_folders_of_pictures(tmp_path: Path) -> None:
    arrays, pictures = tmp_path / "emnist", tmp_path / "pictures"
    arrays.mkdir()
    write_pair(arrays, "train", IMAGES.transpose(0, 2, 1), LABELS)
    write_pair(arrays, "t10k", TEST_IMAGES.transpose(0, 2, 1), TEST_LABELS)
    data = read_data(arrays, ReadOptions(transposed=True))
    assert_holds(data.training, IMAGES, LABELS)
    assert_holds(data.test, TEST_IMAGES, TEST_LABELS)
    write_pictures(pictures, IMAGES, LABELS)
    turned, as_they_are = (
        read_data(pictures, ReadOptions(transposed=value)) for value in (True, False)
    )
    assert turned.training.fingerprint == as_they_are.training.fingerprint


def test_two_pairs_of_one_split_are_refused(tmp_path: Path) -> None:
    images, labels = read_mnist("train", 3)
    for name in ("digits-train", "letters-train"):
        write_idx(tmp_path / f"{name}-images-idx3-ubyte", images)
        write_idx(tmp_path / f"{name}-labels-idx1-ubyte", labels)
    with pytest.raises(DataError, match=r"found two: \w+-train\S*, \w+-train"):
        read_data(tmp_path)


def test_csv_header_may_put_the_label_in_another_column(tmp_path: Path) -> None:
    images, labels = read_mnist("train", 3)
    names = [f"pixel{i}" for i in range(784)] + ["label"]
    rows = [[*image.ravel(), label] for image, label in zip(images, labels)]
    text = "\n".join(",".join(map(str, row)) for row in [names, *rows])
    (tmp_path / "last.csv").write_text(text)
    training = read_data(tmp_path / "last.csv").training
    assert np.array_equal(training.images, images)
    assert np.array_equal(training.labels, labels)


def test_csv_header_without_a_label_is_refused(tmp_path: Path) -> None:
    (tmp_path / "digits.csv").write_text(",".join(f"pixel{i}" for i in range(785)))
    with pytest.raises(DataError, match="line 1: expected a column called label"):
        read_data(tmp_path / "digits.csv")


def test_a_class_without_pictures_is_refused(tmp_path: Path) -> None:
    images, _ = read_mnist("train", 1)
    for name in ("0", "1"):
        (tmp_path / name).mkdir()
    Image.fromarray(images[0]).save(tmp_path / "0" / "a.png")
    with pytest.raises(DataError, match="1: expected pictures of this class"):
        read_data(tmp_path)


@pytest.mark.parametrize("paths", ["", ["", "data"]])
def test_an_empty_path_is_refused(paths: str | list[str]) -> None:
    with pytest.raises(DataError, match="found an empty path"):
        read_data(paths)
