"""Damage pictures of the usual formats, also behind a valid checksum."""

import io
import random
import struct
import zlib
from typing import Any

import numpy as np
from damage import damaged
from PIL import Image

PNG = b"\x89PNG\r\n\x1a\n"
SIDES = (0, 1, 7, 28, 65_535, 1_000_000, 2**31 - 1, 2**31)
WAYS: dict[str, tuple[tuple[str, dict[str, Any]], ...]] = {
    "PNG": (("L", {}), ("RGB", {}), ("RGBA", {}), ("P", {}), ("1", {}), ("I;16", {}), ("LA", {})),
    "JPEG": (("L", {}), ("RGB", {}), ("CMYK", {}), ("RGB", {"progressive": True})),
    "WEBP": (("RGB", {}), ("RGBA", {"lossless": True})),
    "BMP": (("L", {}), ("RGB", {}), ("P", {}), ("1", {})),
    "TIFF": (
        *(("RGB", {"compression": name}) for name in ("raw", "tiff_lzw", "jpeg", "packbits")),
        *(("L", {"compression": "tiff_deflate"}), ("1", {"compression": "group4"})),
        *(("I;16", {}), ("F", {}), ("CMYK", {})),
    ),
    "GIF": (("P", {}), ("L", {}), ("RGBA", {})),
}


def seeds(digit: np.ndarray) -> list[bytes]:
    """Return a digit uint8 (28, 28) as a picture of each format; some with an Exif rotation."""
    image = Image.fromarray(255 - digit).resize((40, 32))
    turned = Image.Exif()
    turned[0x0112] = 6
    made = []
    for kind, modes in WAYS.items():
        for mode, options in modes:
            extra = {"exif": turned} if kind in ("JPEG", "WEBP") else {}
            file = io.BytesIO()
            image.convert(mode).save(file, kind, **options, **extra)
            made.append(file.getvalue())
    return made


def rubbish(pictures: list[bytes], rng: random.Random) -> bytes:
    picture = rng.choice(pictures)
    if picture.startswith(PNG) and rng.random() < 0.7:
        return _png(picture, rng)
    return damaged(picture, pictures, rng)


def _png(picture: bytes, rng: random.Random) -> bytes:
    """Return a PNG with a damaged chunk and a valid checksum."""
    chunks = _chunks(picture)
    at = rng.randrange(len(chunks))
    kind, content = chunks[at]
    way = rng.randrange(5)
    if way == 0:
        chunks.insert(rng.randrange(len(chunks)), chunks.pop(at))
    elif way == 1:
        chunks.insert(at, (rng.choice((b"tRNS", b"PLTE", b"zTXt", b"eXIf", b"acTL")), content))
    elif way == 2 and kind == b"IDAT":
        pixels = damaged(zlib.decompress(content), [content], rng)
        chunks[at] = kind, zlib.compress(pixels * rng.choice((1, 1, 100)))
    elif kind == b"IHDR" and way == 3:
        sides = struct.pack(">II", rng.choice(SIDES), rng.choice(SIDES))
        chunks[at] = kind, sides + content[8:]
    else:
        chunks[at] = kind, damaged(content, [content], rng)
    return PNG + b"".join(_chunk(*chunk) for chunk in chunks)


def _chunks(picture: bytes) -> list[tuple[bytes, bytes]]:
    chunks, at = [], len(PNG)
    while at < len(picture):
        (length,) = struct.unpack(">I", picture[at : at + 4])
        chunks.append((picture[at + 4 : at + 8], picture[at + 8 : at + 8 + length]))
        at += 12 + length
    return chunks


def _chunk(kind: bytes, content: bytes) -> bytes:
    checksum = zlib.crc32(kind + content)
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", checksum)
