"""Save prepared pictures: what the network sees of each picture, as PNG files in a folder."""

import contextlib
import errno
import os
import signal
from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

from digitnet.errors import ImageError, OutputError
from digitnet.paths import kind_to_write, own_suffix, require_folder, resolve_output

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SUFFIX = ".png"
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

        A file with the same pixels is kept. Raises ImageError for a name that is too long, and
        OutputError for any other file there, for a link out of the folder, and if writing fails.
        """
        path = self.path_of(name)
        folder = os.path.dirname(path)
        if not _is_within(folder, self.path):
            problem = f"expected a folder within {self.path}, found a link out of it"
            raise OutputError(f"{path}: {problem}; {NEW_FOLDER}")
        try:
            os.makedirs(folder, exist_ok=True)
            if not _write_new(path, image) and not _has_pixels(path, image):
                problem = "expected no file or this prepared picture, found another"
                raise OutputError(f"{path}: {problem}; remove it, or {NEW_FOLDER}")
        except OSError as error:
            if error.errno == errno.ENAMETOOLONG:
                raise ImageError(name, f"cannot be saved as {path}: {error.strerror}") from None
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
        target = os.path.join(path, _below_root(image))
        if _is_within(target, image):
            problem = f"expected a folder outside {image}, whose pictures are read"
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

    The path ends in .png and stays within the folder.
    """
    path = "stdin" if name == "-" else _below_root(name)
    has_suffix = os.path.splitext(path)[1].lower() == SUFFIX
    return path if has_suffix else path + SUFFIX


def _below_root(name: str) -> str:
    """Return a path as if it started at the root: without `.`, `..` and the slash in front."""
    return os.path.normpath("/" + name).lstrip("/")


def _is_within(path: str, folder: str) -> bool:
    """Return whether a path, which need not exist, is in a folder or the folder itself."""
    path, folder = os.path.realpath(path), os.path.realpath(folder)
    return os.path.commonpath([path, folder]) == folder


def _write_new(path: str, image: "NDArray[np.uint8]") -> bool:
    """Write an image to a file, complete or not at all; return False if there is one already.

    Signals wait until it is done. Raises OSError.
    """
    from PIL import Image

    if os.path.lexists(path):
        return False
    temporary = os.path.join(os.path.dirname(path), own_suffix())
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, ())
    try:  # blocking a signal runs the handler of one that came before
        signal.pthread_sigmask(signal.SIG_BLOCK, STOPS)
        Image.fromarray(image).save(temporary, "PNG")
        os.link(temporary, path)  # unlike os.rename, this never replaces a file
    except FileExistsError:  # another process was faster
        return False
    except OSError as error:
        if error.errno not in NO_HARD_LINKS:
            raise
        os.rename(temporary, path)
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
    return True


def _has_pixels(path: str, image: "NDArray[np.uint8]") -> bool:
    """Return whether a file is a grey picture with the pixels of `image`. Raises OSError."""
    from PIL import Image, UnidentifiedImageError

    if not os.path.isfile(path):
        return False
    try:
        with Image.open(path, formats=["PNG"]) as picture:
            is_alike = picture.mode == "L" and picture.size == image.shape[::-1]
            return is_alike and picture.tobytes() == image.tobytes()
    except (UnidentifiedImageError, SyntaxError, OSError):  # a damaged file
        return False
