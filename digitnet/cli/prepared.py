"""Save prepared pictures: what the network sees of each picture, as PNG files in a folder."""

import contextlib
import errno
import io
import os
import signal
import stat
import struct
import zlib
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, NamedTuple

from digitnet.errors import OutputError
from digitnet.paths import kind_to_write, own_suffix, require_folder, resolve_output

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SUFFIX = ".png"
MAX_NAME = 255  # bytes: the longest name of a file on Linux
DIGEST = 16  # hexadecimal digits of a hash that replace the end of a longer name
MAX_COMPARED = 65536  # bytes: a larger file is not one of these small pictures
IN_FOLDER = os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
STOPS = (signal.SIGHUP, signal.SIGINT, signal.SIGTERM)
NO_HARD_LINKS = (errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS)  # for example FAT
NEW_FOLDER = "name a new folder with --save-prepared"


class PreparedFolder(NamedTuple):
    """A folder of prepared pictures, whose names mirror the paths of the pictures."""

    path: str

    def path_of(self, name: str) -> str:
        """Return where the prepared form of a picture is saved."""
        return os.path.join(self.path, relative_path(name))

    def save(self, name: str, image: "NDArray[np.uint8]") -> str:
        """Write the prepared form (28, 28) of a picture, and return its path.

        A file with the same pixels is kept. Raises OutputError for any other file there, and if
        writing fails.
        """
        path = self.path_of(name)
        *folders, file = relative_path(name).split("/")
        try:
            with _open_folder(self.path, folders) as folder:
                try:
                    _write_new(file, png_of(image), folder)
                except FileExistsError:
                    if not _has_pixels(file, image, folder):
                        problem = (
                            "expected no file or the same prepared picture, found another file"
                        )
                        advice = f"{NEW_FOLDER}, and pictures with different names"
                        raise OutputError(f"{path}: {problem}; {advice}") from None
        except NotADirectoryError:
            problem = f"expected folders below {self.path}, found a file or a link"
            raise OutputError(f"{path}: {problem}; {NEW_FOLDER}") from None
        except OSError as error:
            raise OutputError(f"{path}: cannot be written: {error.strerror or error}") from None
        return path


def open_prepared_folder(path: str, images: Iterable[str]) -> PreparedFolder:
    """Return the folder at a path, which is created if its parent exists.

    images: the IMAGEs of the command; pictures in folders among them must not be saved in the same
    folders, or they would be read as pictures. Raises OutputError for such a folder, for a file
    and if the folder cannot be created or is not writable.
    """
    if not path:
        raise OutputError("--save-prepared: expected the name of a folder, found an empty one")
    path = path.rstrip("/") or "/"
    for image in filter(os.path.isdir, images):
        target = os.path.realpath(os.path.join(path, _below_root(image)))
        source = os.path.realpath(image)
        if os.path.commonpath([source, target]) == source:
            found = f"found {os.path.join(path, _below_root(image))}"
            problem = f"expected a place outside {image}, which is read, {found}"
            raise OutputError(f"{path}: {problem}; {NEW_FOLDER}")
    kind = kind_to_write(path)
    if kind is None:
        require_folder(path)
        try:
            os.mkdir(resolve_output(path))
        except OSError as error:
            raise OutputError(f"{path}: cannot be created: {error.strerror}") from None
    elif kind != "folder":
        found = "a file" if kind == "file" else "a device or a pipe"
        raise OutputError(f"{path}: expected a folder, found {found}; {NEW_FOLDER}")
    elif not os.access(path, os.W_OK | os.X_OK):
        raise OutputError(f"{path}: the folder is not writable; {NEW_FOLDER}")
    return PreparedFolder(path)


def relative_path(name: str) -> str:
    """Return the path of a prepared picture within its folder, given the picture's path.

    The path ends in .png and stays within the folder. Where the last part would be too long for a
    file, its end becomes a hash.
    """
    path = "stdin" if name == "-" else _below_root(name)
    folder, file = os.path.split(path)
    stem, suffix = os.path.splitext(file)
    if suffix.lower() != SUFFIX:
        stem, suffix = file, SUFFIX
    return os.path.join(folder, _shortened(stem, MAX_NAME - len(suffix)) + suffix)


def _below_root(name: str) -> str:
    """Return a path as if it started at the root: without `.`, `..` and the slash in front."""
    return os.path.normpath("/" + name).lstrip("/")


def _shortened(stem: str, size: int) -> str:
    """Return a name of at most `size` bytes."""
    encoded = os.fsencode(stem)
    if len(encoded) <= size:
        return stem
    import hashlib  # slow to import, rarely needed

    end = "~" + hashlib.sha256(encoded).hexdigest()[:DIGEST]
    while len(os.fsencode(stem)) > size - len(end):
        stem = stem[:-1]
    return stem + end


def png_of(image: "NDArray[np.uint8]") -> bytes:
    """Return a picture (h, w) as a grey PNG of 8 bits; Pillow takes six times as long for it."""
    height, width = image.shape
    rows = b"".join(b"\0" + row.tobytes() for row in image)  # 0: no filter
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    chunks = (b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(content))
        + kind
        + content
        + struct.pack(">I", zlib.crc32(kind + content))
        for kind, content in chunks
    )


@contextlib.contextmanager
def _open_folder(path: str, inner: Iterable[str]) -> Iterator[int]:
    """Yield the descriptor of a folder within a folder. Missing folders are created.

    Raises OSError, also for a link among the inner folders, which could lead elsewhere.
    """
    folder = os.open(path, os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        for name in inner:
            try:
                deeper = os.open(name, IN_FOLDER, dir_fd=folder)
            except FileNotFoundError:
                with contextlib.suppress(FileExistsError):  # another process was faster
                    os.mkdir(name, dir_fd=folder)
                deeper = os.open(name, IN_FOLDER, dir_fd=folder)
            os.close(folder)
            folder = deeper
        yield folder
    finally:
        os.close(folder)


def _write_new(name: str, content: bytes, folder: int) -> None:
    """Write a file that does not exist in a folder yet: complete or not at all.

    Raises OSError; FileExistsError if anything has this name. Signals wait until it is done.
    """
    if _status(name, folder):
        raise FileExistsError
    temporary = own_suffix()
    with _signals_held():
        try:
            _remove(temporary, folder)  # left by a killed process of the same number
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
            with open(os.open(temporary, flags, 0o666, dir_fd=folder), "wb") as file:
                file.write(content)
            _give_name(temporary, name, folder)
        finally:
            _remove(temporary, folder)


@contextlib.contextmanager
def _signals_held() -> Iterator[None]:
    """Let signals that stop a process wait until the block ends."""
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, STOPS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)


def _give_name(temporary: str, name: str, folder: int) -> None:
    """Give a new file its name. Unlike renaming, a link never replaces another file."""
    try:
        os.link(temporary, name, src_dir_fd=folder, dst_dir_fd=folder)
    except OSError as error:
        if error.errno not in NO_HARD_LINKS:
            raise
        os.rename(temporary, name, src_dir_fd=folder, dst_dir_fd=folder)


def _remove(name: str, folder: int) -> None:
    with contextlib.suppress(FileNotFoundError):
        os.unlink(name, dir_fd=folder)


def _status(name: str, folder: int) -> os.stat_result | None:
    try:
        return os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return None


def _has_pixels(name: str, image: "NDArray[np.uint8]", folder: int) -> bool:
    """Return whether a file is a grey PNG with the pixels of `image`. Raises OSError."""
    status = _status(name, folder)
    if status is None or not stat.S_ISREG(status.st_mode) or status.st_size > MAX_COMPARED:
        return False
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    with open(os.open(name, flags, dir_fd=folder), "rb") as file:
        content = file.read(MAX_COMPARED)
    from PIL import Image

    try:
        with Image.open(io.BytesIO(content), formats=["PNG"]) as picture:
            is_alike = picture.mode == "L" and picture.size == image.shape[::-1]
            return is_alike and picture.tobytes() == image.tobytes()
    except Exception:  # for damaged files, Pillow's decoders raise anything
        return False
