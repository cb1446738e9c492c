"""Make `.npy` and `.npz` files with one bad array; all checksums are right."""

import io
import json
import random
import zipfile
from collections.abc import Callable
from typing import Any

import numpy as np
from damage import damaged
from yamls import NUMBERS, TEXTS

VALUES = (0, -1, 1, 127, 255, 256, 1e30, np.nan, np.inf, -np.inf, 2**31)
TYPES = (
    "f2",
    "f4",
    ">f4",
    "f8",
    "i1",
    "u1",
    "i4",
    ">i8",
    "u8",
    "?",
    "c8",
    "S3",
    "U3",
    "M8[s]",
    "g",
)
SHAPES = ((), (0,), (1,), (3,), (10,), (10, 0), (1, 1, 1, 1), (784, 3), (2, 28, 28), (0, 28, 28))
HEADERS = (
    "{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999,), }",
    "{'descr': '<f4', 'fortran_order': False, 'shape': (-1,), }",
    "{'descr': '|O', 'fortran_order': False, 'shape': (1,), }",
    "{'descr': '|V4', 'fortran_order': True, 'shape': (10,), }",
    "{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (3,), }",
    "{'descr': '<U99999999', 'fortran_order': False, 'shape': (), }",
    "{'descr': '<f4', 'fortran_order': False, 'shape': (True,), }",
    "{'descr': '<f4', 'fortran_order': False, 'shape': ()}" + " " * 20000,
    "(" * 500,
)


def packed(arrays: dict[str, Any]) -> bytes:
    file = io.BytesIO()
    np.savez(file, **arrays)
    return file.getvalue()


def array_file(array: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.save(file, array, allow_pickle=False)
    return file.getvalue()


def rubbish(archive: bytes, others: list[bytes], rng: random.Random) -> bytes:
    """Return an archive that is damaged, or has a damaged, unsuitable or misplaced member."""
    way = rng.randrange(4)
    if way == 0:
        return damaged(archive, others, rng)
    members = _members(archive)
    name = rng.choice(list(members))
    if way == 1:
        members[name] = damaged(members[name], list(members.values()), rng)
    elif way == 2:
        members[name] = array_rubbish(members[name], rng)
    else:
        members = _moved(members, name, rng)
    file = io.BytesIO()
    method = rng.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED))
    with zipfile.ZipFile(file, "w", method) as written:
        for member, content in members.items():
            written.writestr(member, content)
    return file.getvalue()


def _members(archive: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(archive)) as file:
        return {name: file.read(name) for name in file.namelist()}


def _moved(members: dict[str, bytes], name: str, rng: random.Random) -> dict[str, bytes]:
    content = members.pop(name)
    if rng.random() < 0.5:
        members[rng.choice((*members, "state_place.npy", "../x.npy", "/x.npy", "\x1b.npy"))] = (
            content
        )
    return members


def array_rubbish(content: bytes, rng: random.Random) -> bytes:
    """Return a `.npy` file with another type, shape, value or header."""
    array = np.load(io.BytesIO(content))
    if rng.random() < 0.2:
        header = rng.choice(HEADERS).encode()
        return b"\x93NUMPY\x02\0" + len(header).to_bytes(4, "little") + header + array.tobytes()
    if array.dtype.kind == "U":
        return array_file(_other_text(array, rng))
    return array_file(rng.choice((_retyped, _reshaped, _other_value, _other_value))(array, rng))


def _retyped(array: np.ndarray, rng: random.Random) -> np.ndarray:
    with np.errstate(all="ignore"):
        try:
            return array.astype(rng.choice(TYPES))
        except (TypeError, ValueError):
            return array.reshape(-1)


def _reshaped(array: np.ndarray, rng: random.Random) -> np.ndarray:
    ways: list[Callable[[], np.ndarray]] = [
        lambda: array[None],
        lambda: array.T,
        lambda: array.reshape(-1),
        lambda: array[:-1] if array.ndim else array[None],
        lambda: np.resize(array, rng.choice(SHAPES)),
    ]
    return rng.choice(ways)()


def _other_value(array: np.ndarray, rng: random.Random) -> np.ndarray:
    array = array.copy()
    with np.errstate(all="ignore"):
        value = np.array(rng.choice(VALUES)).astype(array.dtype)
    if array.ndim and array.size and rng.random() < 0.7:
        array.flat[rng.randrange(array.size)] = value
    else:
        array[...] = value
    return array


def _other_text(array: np.ndarray, rng: random.Random) -> np.ndarray:
    if array.ndim:
        names = array.tolist()
        names[rng.randrange(len(names))] = rng.choice((*TEXTS, "7", "0"))
        return np.array(names)
    try:
        value = json.loads(str(array))
    except ValueError:
        return np.array(rng.choice(TEXTS))
    return np.array(json.dumps(_other_json(value, rng)))


def _other_json(value: Any, rng: random.Random) -> Any:
    """Return a JSON value with one value in it replaced or removed."""
    if value and isinstance(value, dict) and rng.random() < 0.9:
        name = rng.choice(list(value))
        if rng.random() < 0.1:
            return {key: item for key, item in value.items() if key != name}
        return value | {name: _other_json(value[name], rng)}
    if value and isinstance(value, list) and rng.random() < 0.9:
        at = rng.randrange(len(value))
        if rng.random() < 0.1:
            return value[:at]
        return [*value[:at], _other_json(value[at], rng), *value[at + 1 :]]
    others: list[Any] = [*NUMBERS, *TEXTS, None, True, [], {}, [1], {"a": 1}, float("nan")]
    return rng.choice(others)
