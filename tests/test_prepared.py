"""Prepared pictures in a folder: their names, their pixels, and what is never changed."""

import contextlib
import errno
import os
import signal
import threading
from pathlib import Path

import kinds
import numpy as np
import pytest
from conftest import read_mnist
from PIL import Image

from digitnet.cli.prepared import PreparedFolder, open_prepared_folder, relative_path
from digitnet.errors import ImageError, OutputError
from digitnet.model.prediction import load

SEVEN, TWO = read_mnist("t10k", 2)[0]
OTHER = "expected no file or this prepared picture, found another"


@pytest.fixture
def folder(tmp_path: Path) -> PreparedFolder:
    return open_prepared_folder(str(tmp_path / "out"), [])


def files(folder: PreparedFolder) -> set[str]:
    return {
        os.path.relpath(os.path.join(path, name), folder.path)
        for path, _, names in os.walk(folder.path)
        for name in names
    }


# Names


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("four.png", "four.png"),
        ("A.PNG", "A.PNG"),
        ("scans/4/a.jpg", "scans/4/a.jpg.png"),
        ("./scans//4/./a", "scans/4/a.png"),
        ("/home/ann/a.png", "home/ann/a.png"),
        ("//a.png", "a.png"),
        ("../../a.png", "a.png"),
        ("../x/../../a.png", "a.png"),
        ("/../a.png", "a.png"),
        ("test.csv#12", "test.csv#12.png"),
        ("-", "stdin.png"),
        (".png", ".png.png"),
        ("caf\udce9.png", "caf\udce9.png"),
    ],
)
def test_names_mirror_the_pictures_paths_and_stay_below(name: str, path: str) -> None:
    assert relative_path(name) == path


def test_a_name_that_is_too_long_is_one_line(folder: PreparedFolder) -> None:
    with pytest.raises(ImageError, match=r"cannot be saved as .*: File name too long"):
        folder.save("x" * 253 + ".jpg", SEVEN)


# Pixels


def test_the_file_is_a_grey_png_of_the_same_pixels(folder: PreparedFolder) -> None:
    with Image.open(folder.save("scans/7.jpg", SEVEN)) as picture:
        picture.verify()
    with Image.open(folder.save("scans/7.jpg", SEVEN)) as picture:
        assert (picture.format, picture.mode, picture.size) == ("PNG", "L", (28, 28))
        assert (np.array(picture) == SEVEN).all()
    assert files(folder) == {"scans/7.jpg.png"}


@pytest.mark.parametrize("kind", ["plain", "sheet_on_a_table", "jpeg_noise"])
def test_the_network_gives_predicts_answer_to_the_file(folder: PreparedFolder, kind: str) -> None:
    model = load()
    photo = getattr(kinds, kind)(SEVEN, np.random.default_rng(1))
    prediction = model.predict(photo)
    with Image.open(folder.save("photo.jpg", prediction.reading.image)) as picture:
        pixels = np.array(picture)[np.newaxis]
    scaled = pixels * np.float32(1 / 255)  # as `Network` does
    for images in (pixels, scaled):
        assert (model.probabilities(images)[0] == prediction.probabilities).all()
    rounded = model.probabilities(pixels / 255)[0]  # differs in the last bit of some pixels
    assert rounded == pytest.approx(prediction.probabilities, abs=2e-6)


# Existing files


def test_a_file_with_the_same_pixels_is_kept(folder: PreparedFolder) -> None:
    path = Path(folder.save("7.png", SEVEN))
    Image.fromarray(SEVEN).save(path, compress_level=0)
    before = path.read_bytes(), path.stat().st_mtime_ns, path.stat().st_ino
    folder.save("../7.png", SEVEN)
    assert (path.read_bytes(), path.stat().st_mtime_ns, path.stat().st_ino) == before
    assert files(folder) == {"7.png"}


@pytest.mark.parametrize("kind", ["digit", "colour", "empty", "damaged"])
def test_another_file_is_an_error_and_not_changed(folder: PreparedFolder, kind: str) -> None:
    path = Path(folder.path, "7.png")
    if kind == "digit":
        Image.fromarray(TWO).save(path)
    elif kind == "colour":
        Image.fromarray(SEVEN).convert("RGB").save(path)
    else:
        png = Path(folder.save("other.png", SEVEN))
        path.write_bytes(png.read_bytes()[:-60] if kind == "damaged" else b"")
        png.unlink()
    before = path.read_bytes()
    with pytest.raises(OutputError) as raised:
        folder.save("7.png", SEVEN)
    advice = "remove it, or name a new folder with --save-prepared"
    assert str(raised.value) == f"{path}: {OTHER}; {advice}"
    assert path.read_bytes() == before
    assert files(folder) == {"7.png"}


@pytest.mark.parametrize("kind", ["link", "broken link", "folder", "pipe"])
def test_what_is_no_file_is_an_error(tmp_path: Path, folder: PreparedFolder, kind: str) -> None:
    target, path = tmp_path / "target.png", Path(folder.path, "7.png")
    if kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    else:
        path.symlink_to(target)
        if kind == "link":
            Image.fromarray(TWO).save(target)
    with pytest.raises(OutputError, match=OTHER):
        folder.save("7.png", SEVEN)
    assert target.exists() == (kind == "link")


@pytest.mark.parametrize("kind", ["link", "file"])
def test_a_link_or_a_file_in_the_place_of_a_folder_is_an_error(
    tmp_path: Path, folder: PreparedFolder, kind: str
) -> None:
    if kind == "link":
        (tmp_path / "elsewhere").mkdir()
        Path(folder.path, "scans").symlink_to("../elsewhere")
    else:
        Path(folder.path, "scans").touch()
    problem = {"link": "found a link out of it; name", "file": "cannot be written: File exists"}
    with pytest.raises(OutputError, match=problem[kind]):
        folder.save("scans/7.png", SEVEN)
    assert not list(tmp_path.rglob("7.png"))


# Complete or not at all


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), MemoryError()])
def test_a_failure_leaves_nothing(
    folder: PreparedFolder, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    def link(*_: object) -> None:
        raise error

    monkeypatch.setattr(os, "link", link)
    with pytest.raises((OutputError, MemoryError)):
        folder.save("7.png", SEVEN)
    assert files(folder) == set()


def test_without_hard_links_files_are_renamed(
    folder: PreparedFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def link(*_: object) -> None:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", link)
    with Image.open(folder.save("7.png", SEVEN)) as picture:
        assert (np.array(picture) == SEVEN).all()
    with pytest.raises(OutputError, match=OTHER):
        folder.save("7.png", TWO)
    assert files(folder) == {"7.png"}


def test_a_signal_waits_until_the_file_is_complete(
    folder: PreparedFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    link = os.link

    def interrupted(*paths: str) -> None:
        signal.pthread_kill(threading.get_ident(), signal.SIGINT)
        link(*paths)

    monkeypatch.setattr(os, "link", interrupted)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            folder.save("7.png", SEVEN)
    finally:
        signal.signal(signal.SIGINT, before)
    assert files(folder) == {"7.png"}


@pytest.mark.usefixtures("interrupted_mask")
def test_a_signal_just_before_leaves_no_signals_blocked(folder: PreparedFolder) -> None:
    with pytest.raises(KeyboardInterrupt):
        folder.save("7.png", SEVEN)
    assert files(folder) == set()


@pytest.mark.parametrize("image", [SEVEN, TWO], ids=["same", "other"])
def test_a_file_that_comes_meanwhile_is_kept(
    folder: PreparedFolder, monkeypatch: pytest.MonkeyPatch, image: np.ndarray
) -> None:
    link, path = os.link, Path(folder.path, "7.png")

    def late(*paths: str) -> None:
        Image.fromarray(image).save(path)
        link(*paths)

    monkeypatch.setattr(os, "link", late)
    with contextlib.nullcontext() if image is SEVEN else pytest.raises(OutputError, match=OTHER):
        folder.save("7.png", SEVEN)
    with Image.open(path) as picture:
        assert (np.array(picture) == image).all()
    assert files(folder) == {"7.png"}


# The folder


def test_a_folder_is_created_where_a_link_leads(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("new")
    folder = open_prepared_folder(f"{tmp_path}/link/", [])
    assert folder.save("7.png", SEVEN) == f"{tmp_path}/link/7.png"
    assert (tmp_path / "new" / "7.png").is_file()
    assert open_prepared_folder(str(tmp_path / "link"), []) == folder


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("", "--save-prepared: expected the name of a folder, found an empty one"),
        ("file", "file: expected a folder, found a file; name a new folder with --save-prepared"),
        ("file/", "file: expected a folder, found a file; name a new folder with --save-prepared"),
        ("no/out", "no/out: expected the folder .*/no to exist, found none; create it"),
        ("loop", "loop: cannot be written: Too many levels of symbolic links"),
        ("x" * 300, "x*: cannot be written: File name too long"),
        (".", r"\.: expected a folder outside scans, whose pictures are read; name .*"),
        ("scans", "scans: expected a folder outside scans, .*"),
        ("scans/4", "scans/4: expected a folder outside scans, .*"),
        ("link", "link: expected a folder outside scans, .*"),
    ],
    ids=range(10),
)
def test_a_place_for_no_prepared_pictures_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, problem: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").touch()
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "scans" / "4").mkdir(parents=True)
    (tmp_path / "link").symlink_to("scans/4")
    with pytest.raises(OutputError, match=f"^{problem}$"):
        open_prepared_folder(name, ["scans", "file"])
    assert set(os.listdir()) == {"file", "loop", "scans", "link"}
