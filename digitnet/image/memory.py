"""How much memory it takes to read a picture, known before the picture is decoded.

The figures are peaks of the resident memory of processes that read pictures of 25 million pixels,
per pixel, with Pillow 13.0 and its decoders; tests measure some of them again.
"""

from typing import Any

from PIL import Image

MOST = (
    440 << 20
)  # bytes for one picture: its process, Python and NumPy included, stays below 512 MB
SMALL = 500_000  # pixels and bytes: what has fewer of both takes less than 16 MB of memory
LARGE_FILE = 16 << 20  # bytes: a larger file may take all that one picture may take

# bytes per pixel, by mode: the decoded picture, and the copies that are made of it
READ = {"1": 2, "L": 1, "P": 5, "RGB": 4, "RGBA": 9, "LA": 13, "I;16": 10, "CMYK": 8}
READ_TRANSPARENT = {"L": 10, "P": 10, "RGB": 13}
READ_OTHER = 13  # as for 32 bits

# bytes per pixel, by decoder: beside the file and the decoded picture
DECODED = {"raw": 0, "zip": 0, "gif": 0, "jpeg": 0, "packbits": 0, "tga_rle": 0, "pcx": 0.2}
DECODED |= {"WEBP": 14, "SGI": 3}  # by format: they hand over raw pixels
DECODED_JPEG_2000 = 5.3  # of each band; and the file once more
DECODED_AVIF = 3  # of each band, but for transparency
DECODED_OTHER = 8  # decoders written in Python, which keep the values once or twice
SAMPLE = 2  # bytes: a coefficient of a JPEG whose scans are not complete one after the other
DEEP = 1.6  # times as much for an AVIF of more than 8 bits
STRIP = 2  # times as much as the decoded picture for a strip of a TIFF, which may have 16 bits


def needed(image: Image.Image, content: bytes, scale: int = 1, *, turned: bool = False) -> int:
    """Return about how many bytes it takes to read a picture at 1/scale of its size, at most.

    content: its file, which is in memory, too. turned: whether the picture is not upright.
    """
    kept = 1 if image.mode in ("1", "L", "P") else 2 if image.mode[:4] == "I;16" else 4
    transparent = READ_TRANSPARENT if image.has_transparency_data else {}
    read = transparent.get(image.mode) or READ.get(image.mode[:4], READ_OTHER)
    per_pixel = max(kept + _decoding(image, content, kept), read + kept * turned)
    pixels = image.width * image.height
    files = 2 if image.format == "JPEG2000" else 1
    return int(
        files * len(content) + pixels * (_coefficients(image, content) + per_pixel / scale**2)
    )


def shrink(image: Image.Image) -> bool:
    """Have a picture decoded at half its width and height, if its decoder can do that."""
    if image.format in ("JPEG", "MPO"):
        return image.draft(None, (image.width // 2, image.height // 2)) is not None
    if image.format == "JPEG2000":
        image.reduce = 1  # type: ignore[method-assign, assignment]
        return True
    return False


def _decoding(image: Image.Image, content: bytes, kept: int) -> float:
    """Return the bytes per decoded pixel that the decoder takes beside those that are kept."""
    tiles = getattr(image, "tile", None)  # none once it is decoded
    decoder: str = image.format or "raw"
    if decoder not in DECODED:
        decoder = tiles[0][0] if tiles else "raw"
    bands = len(image.getbands())
    if image.format == "AVIF":
        at = content.find(b"av1C")  # AV1 in ISOBMFF, section 2.3.3
        is_deep = at >= 0 and content[at + 6 : at + 7] >= b"\x40"
        return DECODED_AVIF * min(bands, 3) * (DEEP if is_deep else 1)
    if decoder == "jpeg2k":
        return DECODED_JPEG_2000 * bands
    if decoder == "libtiff":
        return _share_of_strip(image) * STRIP * kept
    return DECODED.get(decoder, DECODED_OTHER)


def _share_of_strip(image: Image.Image) -> float:
    """Return how much of a TIFF is decoded at once."""
    tags: dict[int, Any] = image.tag_v2  # type: ignore[attr-defined]
    area = tags.get(322, 0) * tags.get(323, 0) or tags.get(278, image.height) * image.width
    return min(float(area) / (image.width * image.height), 1)


def _coefficients(image: Image.Image, content: bytes) -> float:
    """Return the bytes per pixel that libjpeg keeps of the whole of a JPEG, however it is drawn."""
    if image.format not in ("JPEG", "MPO"):
        return 0
    layers: list[tuple[int, ...]] = image.layer  # type: ignore[attr-defined]
    interleaved = not content or _bands_of_first_scan(content) == len(layers)
    if interleaved and "progressive" not in image.info:
        return 0
    areas = [across * down for _, across, down, _ in layers]
    most = max(across for _, across, _, _ in layers) * max(down for _, _, down, _ in layers)
    return SAMPLE * sum(areas) / max(most, 1)


def _bands_of_first_scan(content: bytes) -> int:
    """Return how many bands the first scan of a JPEG has, 0 where that is hard to tell.

    Source: ITU-T T.81, section B.1: segments, each with its marker and length.
    """
    at = 2
    while content[at : at + 1] == b"\xff":
        if content[at + 1 : at + 2] == b"\xda":  # start of scan
            return int.from_bytes(content[at + 4 : at + 5])
        at += 2 + int.from_bytes(content[at + 2 : at + 4])
    return 0
