"""Bad input to the installed command: one line of error, quickly, in little memory."""

import functools
import gzip
import io
import os
import pickle
import shutil
import struct
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from conftest import REPOSITORY, Run

MEMORY = 512 << 20  # bytes
SECONDS = 10  # time limit, start-up included, on a busy machine
TEMPLATE = "network: {layer_sizes: [784, 10]}\ntraining: {epochs: 1}\n"

Say = Callable[..., str]


@pytest.fixture
def folder(tmp_path: Path, small_mnist: Path, model: Path) -> Path:
    """A folder with a model, a picture, a config, and paths that are not files."""
    shutil.copy(model, tmp_path / "model.npz")
    shutil.copy(REPOSITORY / "data" / "pictures" / "four.png", tmp_path / "four.png")
    (tmp_path / "config.yaml").write_text(f"data: {{path: {small_mnist}}}\n{TEMPLATE}")
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "dangling").symlink_to("nothing")
    (tmp_path / "folder").mkdir()
    (tmp_path / "zero").symlink_to("/dev/zero")
    return tmp_path


@pytest.fixture
def say(folder: Path, run: Run) -> Say:
    """Return a function that runs a failing command, checks it and returns its line on stderr."""

    def say(status: int, *arguments: str | bytes) -> str:
        done = run(*arguments, cwd=folder, timeout=SECONDS, data_limit=MEMORY)
        assert done.returncode == status, done.stderr
        text = done.stderr.decode()
        assert text.count("\n") == 1
        assert text[:-1].isprintable()
        assert "not enough memory" not in text
        return text[:-1]

    return say


def png(width: int, height: int, depth: int = 8, colour: int = 0) -> bytes:
    """Return a PNG with too few pixels for its header."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        checksum = struct.pack(">I", zlib.crc32(kind + content))
        return struct.pack(">I", len(content)) + kind + content + checksum

    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    pixels = chunk(b"IDAT", zlib.compress(bytes(1000)))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + pixels + chunk(b"IEND", b"")


@functools.cache
def zip_bomb() -> bytes:
    return packed(bytes(300 << 20))


def packed(content: bytes, name: str = "weights_0.npy") -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr(name, content)
    return file.getvalue()


def header(descr: str, shape: str) -> bytes:
    text = f"{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}\n".encode()
    return b"\x93NUMPY\1\0" + struct.pack("<H", len(text)) + text


ARCHIVES = {
    "zip bomb": (zip_bomb, "bytes unpacked"),
    "lying header": (lambda: packed(header("<f4", "(10**9,)")), "header"),
    "huge shape": (lambda: packed(header("<f4", "(99999999999,)") + bytes(4)), "promises"),
    "objects": (lambda: packed(header("|O", "(1,)") + pickle.dumps(print)), "pickled"),
    "no archive": (lambda: b"PK\3\4" + bytes(100), "damaged"),
}


COMMANDS = [
    ("predict", "four.png", "-m"),
    ("train", "--config", "config.yaml", "--resume", "-o"),
    ("evaluate", "-m"),
    ("info", "-m"),
    ("evaluate", "--baseline"),
    ("evaluate", "-m", "model.npz", "--data"),
]


@pytest.mark.parametrize(
    ("kind", "arguments"),
    [(kind, COMMANDS[0]) for kind in ARCHIVES] + [("zip bomb", words) for words in COMMANDS[1:]],
    ids=str,
)
def test_archives(folder: Path, say: Say, kind: str, arguments: tuple[str, ...]) -> None:
    make, message = ARCHIVES[kind]
    (folder / "bad.npz").write_bytes(make())
    line = say(1, *arguments, "bad.npz")
    assert "bad.npz: " in line
    assert message in line


def test_a_gzip_bomb_is_unpacked_only_to_the_size_in_its_header(folder: Path, say: Say) -> None:
    head = bytes([0, 0, 8, 3]) + struct.pack(">III", 10, 28, 28) + bytes(10 * 28 * 28)
    members = gzip.compress(head) + 30 * gzip.compress(bytes(20 << 20), 1)  # 600 MB
    (folder / "bomb-images-idx3-ubyte.gz").write_bytes(members)
    (folder / "bomb-labels-idx1-ubyte").write_bytes(b"\0\0\x08\1\0\0\0\x0a" + bytes(10))
    line = say(1, "evaluate", "--data", "bomb-images-idx3-ubyte.gz")
    assert line == "bomb-images-idx3-ubyte.gz: byte 7856: expected the file's end, found more bytes"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: &a [x]\n" + "".join(f"b{i}: [*a, *a]\n" for i in range(9)), "alias"),
        ("a: " + "[" * 50_000, "levels of nesting"),
        ("a: " + "{a: " * 20_000, "levels of nesting"),
        ("a: b\n" * 100_000, "100,000 bytes"),
        ("seed: " + "9" * 5000, "18 digits"),
        ("seed: 99999999999999999999", "18 digits, found 99999999999999999999"),
        ("seed: !!python/object/apply:os.system [true]", "tag"),
        ("\0" * 1000, "YAML"),
        ('"\\ud800\\udc00\\ud800": 1', "expected a key"),
        ('data: {path: x, "\\udcff": 1}', "expected a key"),
    ],
)
def test_yaml(folder: Path, say: Say, text: str, message: str) -> None:
    (folder / "bad.yaml").write_text(text)
    line = say(2, "train", "--config", "bad.yaml")
    assert line.startswith("bad.yaml")
    assert message in line


@pytest.mark.parametrize(
    ("picture", "message"),
    [
        (png(31_623, 31_623), "expected at most 64,000,000 pixels, found 31623×31623"),
        (png(2**31 - 1, 2**31 - 1), "64,000,000 pixels"),
        (png(8000, 7000, 8, 6), "at most 440 MB of memory, found 8000×7000 PNG RGBA, which takes"),
        (png(8000, 7000, 16), "at most 440 MB of memory, found 8000×7000 PNG I;16, which takes"),
        (png(8000, 8000), "readable picture"),
        (png(5000, 5000, 8, 6), "readable picture"),
        (png(0, 5), "expected"),
    ],
)
def test_pictures_with_too_many_pixels(
    folder: Path, say: Say, picture: bytes, message: str
) -> None:
    (folder / "huge.png").write_bytes(picture)
    line = say(1, "predict", "huge.png")
    assert line.startswith("huge.png: expected ")
    assert message in line


def test_messages_of_decoders_are_hidden(folder: Path, say: Say) -> None:
    from PIL import Image

    file = io.BytesIO()
    Image.open(folder / "four.png").convert("L").save(file, "TIFF", compression="tiff_deflate")
    damaged = bytearray(file.getvalue())
    damaged[200:300] = bytes(100)
    (folder / "damaged.tiff").write_bytes(damaged)
    assert say(1, "predict", "damaged.tiff").startswith("damaged.tiff: expected ")


@pytest.mark.parametrize("what", ["pipe", "zero", "loop", "folder"])
@pytest.mark.parametrize(
    ("status", "arguments"),
    [
        (1, ("predict", "four.png", "-m")),
        (1, ("predict",)),
        (2, ("train", "--config")),
        (1, ("evaluate", "--data")),
        (1, ("evaluate", "--baseline")),
        (1, ("train", "--config", "config.yaml", "-o", "new.npz", "--set", "data.path={}")),
    ],
    ids=str,
)
def test_paths_that_are_not_files(
    say: Say, status: int, arguments: tuple[str, ...], what: str
) -> None:
    *given, last = arguments
    rest = [last.format(what)] if "{}" in last else [last, what]
    assert f"{what}: " in say(status, *given, *rest)


@pytest.mark.parametrize("what", ["pipe", "zero", "loop", "folder", "/dev/full", "folder/"])
def test_an_output_that_is_not_a_file_is_unchanged(folder: Path, say: Say, what: str) -> None:
    before = os.lstat(folder / what)
    say(1, "train", "-q", "--config", "config.yaml", "-o", what)
    after = os.lstat(folder / what)
    assert (before.st_mode, before.st_ino) == (after.st_mode, after.st_ino)
    assert not list(folder.glob("*.tmp"))


@pytest.mark.parametrize(
    ("status", "arguments"),
    [
        (1, ("predict", "{}")),
        (1, ("predict", "four.png", "-m", "{}")),
        (1, ("predict", "--files-from", "{}")),
        (2, ("predict", "--{}")),
        (2, ("{}",)),
        (1, ("evaluate", "--data", "{}")),
        (1, ("evaluate", "--baseline", "{}")),
        (2, ("evaluate", "--split", "{}")),
        (2, ("train", "--config", "{}")),
        (2, ("train", "--config", "config.yaml", "--set", "{}")),
        (2, ("train", "--config", "config.yaml", "--set", "{}=1")),
        (2, ("train", "--config", "config.yaml", "--set", "training.{}=1")),
        (2, ("train", "--config", "config.yaml", "--set", "cost={}")),
        (1, ("train", "--config", "config.yaml", "-o", "{}/model.npz")),
    ],
    ids=str,
)
def test_control_characters_in_arguments(say: Say, status: int, arguments: tuple[str, ...]) -> None:
    name = "a\x1b[31m\nb\x9b\u202ec"
    line = say(status, *(argument.replace("{}", name) for argument in arguments))
    assert "a\\x1b[31m\\nb\\x9b\\u202ec" in line or "special characters" in line


@pytest.mark.parametrize("place", ["config", "class", "member", "path"])
def test_control_characters_inside_files(folder: Path, say: Say, place: str) -> None:
    name = "\x1b[31m\n\u202e"
    arrays = dict(np.load(folder / "model.npz"))
    if place == "config":
        (folder / "bad.yaml").write_text('"\\e[31m": 1\n')
        assert "\\x1b[31m" in say(2, "train", "--config", "bad.yaml")
    elif place == "class":
        arrays["class_names"] = np.array([f"{name}{i}" for i in range(10)])
        np.savez(folder / "bad.npz", **arrays)
        assert "\\x1b[31m" in say(1, "evaluate", "-m", "bad.npz")
    elif place == "member":
        (folder / "bad.npz").write_bytes(packed(b"nothing", name))
        assert "\\x1b[31m" in say(1, "evaluate", "-m", "bad.npz")
    else:
        arrays["data"] = np.array('{"path": "\\u001b[31m", "hash": ""}')
        np.savez(folder / "bad.npz", **arrays)
        assert (
            say(1, "evaluate", "-m", "bad.npz")
            == "\\x1b[31m: expected the model's own data, found none; name other data with --data"
        )
