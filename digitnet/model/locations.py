"""Find the file of a model: a path, or the word for the model that ships with digitnet."""

import os

from digitnet.errors import CheckpointError
from digitnet.paths import SHIPPED_NAME

SHIPPED = os.path.join(os.path.dirname(os.path.dirname(__file__)), "model.npz")


def locate_model(model: str | os.PathLike[str]) -> str:
    """Return the path of a model's file: of the model that ships for the text `shipped`.

    A file of that name is `./shipped`, or a path object.
    """
    return SHIPPED if model == SHIPPED_NAME else os.fspath(model)


def find_model(model: str | None) -> str:
    """Return the model's path: `model`, else $DIGITNET_MODEL, ./model.npz or the shipped model.

    `model` and $DIGITNET_MODEL are paths or `shipped`, as in `locate_model`. The file is not read:
    an unreadable `model.npz` is chosen, and `load_checkpoint` refuses it. Raises CheckpointError if
    $DIGITNET_MODEL names a missing file.
    """
    if model is not None:
        return locate_model(model)
    named = os.environ.get("DIGITNET_MODEL")
    if not named:
        return "model.npz" if _may_exist("model.npz") else SHIPPED
    path = locate_model(named)
    if not _may_exist(path):
        raise CheckpointError(f"{path}: no such file; correct or unset $DIGITNET_MODEL")
    return path


def _may_exist(path: str) -> bool:
    """Return whether a path exists, even as a broken link, or the system cannot tell."""
    try:
        os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:  # for example a folder that may not be searched
        return True
    return True
