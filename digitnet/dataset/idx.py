"""IDX, the format MNIST is published in: a magic number, the dimensions, then bytes.

Source: Y. LeCun, C. Cortes, C. Burges, The MNIST database of handwritten digits, "File formats".
"""

import gzip
import math
import re
import struct
import zlib
from io import BufferedIOBase
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from digitnet.dataset.definition import Data, Dataset, digits
from digitnet.errors import DataError

IMAGES = re.compile(r"(?P<split>.*?)-?images[-.]idx3-ubyte(\.gz)?")
UNSIGNED_BYTE = 0x08
GZIP_MAGIC = b"\x1f\x8b"
CHUNK = 1 << 20  # bytes
MOST_PACKED = 1040  # DEFLATE packs at most about 1032 bytes into one


def read_idx_folder(folder: Path) -> Data | None:
    """The pairs of IDX files in a folder, plain or gzipped; None if it has none."""
    found: dict[str, Path] = {}
    for path in sorted(folder.iterdir(), reverse=True):  # so that a plain file wins over its .gz
        match = IMAGES.fullmatch(path.name)
        if match:
            other = found.setdefault(_split(match["split"]), path)
            if other.name.removesuffix(".gz") != path.name.removesuffix(".gz"):
                raise DataError(
                    f"{folder}: expected one pair of files a split, found two: "
                    f"{path.name}, {other.name}"
                )
            found[_split(match["split"])] = path
    if not found:
        return None
    pairs = {split: read_idx_pair(path) for split, path in found.items()}
    test = pairs.pop("test", None)
    training = pairs.pop("train", None) or pairs.pop("", None) or test
    assert training is not None
    return Data(str(folder), training, None if training is test else test)


def _split(stem: str) -> str:
    if stem.endswith("train"):
        return "train"
    return "test" if stem.endswith(("t10k", "test")) else ""


def read_idx_pair(images_path: Path) -> Dataset:
    """A file of images with the file of labels beside it."""
    if not IMAGES.fullmatch(images_path.name):
        raise DataError(
            f"{images_path}: expected a name like train-images-idx3-ubyte, by which the file of "
            "labels beside it is found"
        )
    labels_name = images_path.name.replace("images", "labels").replace("idx3", "idx1")
    labels_path = images_path.with_name(labels_name)
    if not labels_path.exists():
        other = labels_name.removesuffix(".gz")
        labels_path = images_path.with_name(other if other != labels_name else labels_name + ".gz")
    if not labels_path.exists():
        raise DataError(f"{images_path}: its labels, {labels_name}, are not beside it")
    images, labels = read_idx(images_path, 3), read_idx(labels_path, 1)
    return digits(str(images_path), images, str(labels_path), labels)


def read_idx(path: Path, dimensions: int) -> NDArray[np.uint8]:
    """The array of unsigned bytes in one IDX file, gzipped or not, of so many dimensions.

    Raises DataError for any other content, and for a file shorter or longer than it says.
    """
    if not path.is_file():
        raise DataError(f"{path}: expected a file, found something else")
    try:
        with path.open("rb") as file:
            size = path.stat().st_size
            if file.peek(2)[:2] != GZIP_MAGIC:
                return _read(file, path, dimensions, size)
            with gzip.open(file) as unpacked:
                return _read(unpacked, path, dimensions, size * MOST_PACKED)
    except (gzip.BadGzipFile, zlib.error, EOFError) as error:
        raise DataError(
            f"{path}: expected a whole gzip file, found a damaged one ({error})"
        ) from None


def _read(file: BufferedIOBase, path: Path, dimensions: int, most: int) -> NDArray[np.uint8]:
    header = file.read(4 + 4 * dimensions)
    magic = bytes([0, 0, UNSIGNED_BYTE, dimensions])
    if header[:4] != magic:
        found = header[:4].hex(" ") or "nothing"
        raise DataError(
            f"{path}: byte 0: expected the magic number {magic.hex(' ')}, found {found}"
        )
    if len(header) < 4 + 4 * dimensions:
        raise DataError(f"{path}: byte 4: expected {dimensions} dimensions, found the file's end")
    shape = struct.unpack(f">{dimensions}I", header[4:])
    promised, start = math.prod(shape), len(header)
    if promised > most:
        raise DataError(
            f"{path}: byte 4: its header promises {promised:,} bytes, more than the file can hold"
        )
    data = np.empty(promised, np.uint8)
    read = 0
    while count := file.readinto(data[read : read + CHUNK].data):
        read += count
    if read < promised:
        raise DataError(f"{path}: expected {promised + start:,} bytes, found {read + start:,}")
    if file.read(1):
        raise DataError(
            f"{path}: byte {promised + start}: expected the file's end, found more bytes"
        )
    return data.reshape(shape)
