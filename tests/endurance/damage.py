"""Damage files of any format."""

import random
import struct

EXTREMES = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)
HEADER = 64  # bytes: most fields that describe the rest are here
MAX_FAULTS = 4  # per file


def damaged(data: bytes, others: list[bytes], rng: random.Random) -> bytes:
    """Return data with one to MAX_FAULTS faults; a fault may splice in the end of another file."""
    for _ in range(rng.randint(1, MAX_FAULTS)):
        data = rng.choice(WAYS)(data, others, rng)
    return data


def _flip(data: bytes, _: list[bytes], rng: random.Random) -> bytes:
    changed = bytearray(data)
    for _ in range(rng.choice((1, 1, 1, 8, 64)) if data else 0):
        changed[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    return bytes(changed)


def _truncate(data: bytes, _: list[bytes], rng: random.Random) -> bytes:
    return data[: rng.randint(0, len(data))]


def _insert(data: bytes, _: list[bytes], rng: random.Random) -> bytes:
    at = rng.randint(0, len(data))
    return data[:at] + rng.randbytes(rng.choice((1, 4, 100))) + data[at:]


def _delete(data: bytes, _: list[bytes], rng: random.Random) -> bytes:
    start, end = _span(data, rng)
    return data[:start] + data[end:]


def _duplicate(data: bytes, _: list[bytes], rng: random.Random) -> bytes:
    start, end = _span(data, rng)
    return data[:end] + data[start:end] * rng.choice((1, 1, 20)) + data[end:]


def _zero(data: bytes, _: list[bytes], rng: random.Random) -> bytes:
    start, end = _span(data, rng)
    return data[:start] + bytes(end - start) + data[end:]


def _number_in_header(data: bytes, _: list[bytes], rng: random.Random) -> bytes:
    size = rng.choice("BHI")
    size = rng.choice("<>") + size
    number = rng.choice(EXTREMES) & ((1 << 8 * struct.calcsize(size)) - 1)
    at = rng.randint(0, min(len(data), HEADER))
    return data[:at] + struct.pack(size, number) + data[at + struct.calcsize(size) :]


def _splice(data: bytes, others: list[bytes], rng: random.Random) -> bytes:
    other = rng.choice(others)
    return data[: rng.randint(0, len(data))] + other[rng.randint(0, len(other)) :]


def _span(data: bytes, rng: random.Random) -> tuple[int, int]:
    start = rng.randint(0, len(data))
    return start, min(len(data), start + rng.choice((1, 2, 4, 16, 256, 4096)))


WAYS = (_flip, _flip, _truncate, _insert, _delete, _duplicate, _zero, _number_in_header, _splice)
