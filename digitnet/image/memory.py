"""Estimate the memory that reading a picture takes, before the picture is decoded.

The bytes per pixel are the peak resident memory of processes that read pictures of 25 million
pixels with Pillow 13.0 and its decoders. Tests measure some of them again.
"""

from typing import Any

from PIL import Image

MAX_PICTURE_BYTES = 440 << 20  # bytes: with Python and NumPy, a process stays below 512 MB
SMALL_PICTURE = 500_000  # pixels and bytes of file: below both, a picture takes less than 16 MB
LARGE_FILE = 16 << 20  # bytes: a larger file may need MAX_PICTURE_BYTES

# bytes per pixel, by mode: the decoded picture and the copies made of it
COPIES = {"1": 2, "L": 1, "P": 5, "RGB": 4, "RGBA": 9, "LA": 13, "I;16": 10, "CMYK": 8}
COPIES_TRANSPARENT = {"L": 10, "P": 10, "RGB": 13}
COPIES_OTHER = 13  # as for 32 bits

# bytes per pixel, by decoder: in addition to the file and the decoded picture
DECODER = {"raw": 0, "zip": 0, "gif": 0, "jpeg": 0, "packbits": 0, "tga_rle": 0, "pcx": 0.2}
DECODER |= {"WEBP": 14, "SGI": 3}  # by format: their decoders pass raw pixels to Pillow
DECODER_JPEG_2000 = 5.3  # per band; in addition, a second copy of the file
DECODER_AVIF = 3  # per band, without the transparency
DECODER_HEIF = 1.8  # per band, without the transparency; in addition, a second copy of the file
DECODER_HEIF_420 = 1.35  # per band of a picture with a quarter of the colours, as phones take them
DECODER_OTHER = 8  # decoders written in Python, which keep one or two copies of the values
COEFFICIENT = 2  # bytes: of a coefficient that libjpeg keeps until the last scan of a JPEG
DEEP_AVIF = 1.6  # times as much for an AVIF of more than 8 bits
TIFF_STRIP = 2  # times the size of the decoded strip: a strip of a TIFF may have 16 bits


def bytes_needed(
    image: Image.Image, content: bytes, scale: int = 1, *, rotated: bool = False
) -> int:
    """Return an upper estimate of the bytes that reading a picture at 1/scale of its size takes.

    content: the picture's file, which is in memory too. rotated: whether the picture has to be
    turned upright.
    """
    kept = 1 if image.mode in ("1", "L", "P") else 2 if image.mode[:4] == "I;16" else 4
    transparent = COPIES_TRANSPARENT if image.has_transparency_data else {}
    copies = transparent.get(image.mode) or COPIES.get(image.mode[:4], COPIES_OTHER)
    per_pixel = max(kept + _decoding(image, content, kept), copies + kept * rotated)
    pixels = image.width * image.height
    files = 2 if image.format in ("JPEG2000", "HEIF") else 1
    return int(
        files * len(content) + pixels * (_coefficients(image, content) + per_pixel / scale**2)
    )


def shrink(image: Image.Image) -> bool:
    """Set the decoder to half the width and height; return whether the decoder can do this."""
    if image.format in ("JPEG", "MPO"):
        return image.draft(None, (image.width // 2, image.height // 2)) is not None
    if image.format == "JPEG2000":
        image.reduce = 1  # type: ignore[method-assign, assignment]
        return True
    return False


def _decoding(image: Image.Image, content: bytes, kept: int) -> float:
    """Return the bytes per decoded pixel that the decoder takes in addition to the `kept` ones."""
    tiles = getattr(image, "tile", None)  # none once the picture is decoded
    decoder: str = image.format or "raw"
    if decoder not in DECODER:
        decoder = tiles[0][0] if tiles else "raw"
    bands = len(image.getbands())
    if image.format == "AVIF":
        at = content.find(b"av1C")  # AV1 in ISOBMFF, section 2.3.3
        is_deep = at >= 0 and content[at + 6 : at + 7] >= b"\x40"
        return DECODER_AVIF * min(bands, 3) * (DEEP_AVIF if is_deep else 1)
    if image.format == "HEIF":
        is_420 = image.info.get("chroma") == 420
        return (DECODER_HEIF_420 if is_420 else DECODER_HEIF) * min(bands, 3)
    if decoder == "jpeg2k":
        return DECODER_JPEG_2000 * bands
    if decoder == "libtiff":
        return _strip_share(image) * TIFF_STRIP * kept
    return DECODER.get(decoder, DECODER_OTHER)


def _strip_share(image: Image.Image) -> float:
    """Return the share of a TIFF that is decoded at once: one tile or strip."""
    tags: dict[int, Any] = image.tag_v2  # type: ignore[attr-defined]
    area = tags.get(322, 0) * tags.get(323, 0) or tags.get(278, image.height) * image.width
    return min(float(area) / (image.width * image.height), 1)


def _coefficients(image: Image.Image, content: bytes) -> float:
    """Return the bytes per pixel of the coefficients that libjpeg keeps at any scale.

    0 for other formats, and for a JPEG with a single scan, which libjpeg decodes row by row.
    """
    if image.format not in ("JPEG", "MPO"):
        return 0
    layers: list[tuple[int, ...]] = image.layer  # type: ignore[attr-defined]
    interleaved = not content or _bands_of_first_scan(content) == len(layers)
    if interleaved and "progressive" not in image.info:
        return 0
    areas = [across * down for _, across, down, _ in layers]
    most = max(across for _, across, _, _ in layers) * max(down for _, _, down, _ in layers)
    return COEFFICIENT * sum(areas) / max(most, 1)


def _bands_of_first_scan(content: bytes) -> int:
    """Return the number of bands in the first scan of a JPEG, or 0 where it is not found.

    Source: ITU-T T.81, section B.1: segments, each with its marker and length.
    """
    at = 2
    while content[at : at + 1] == b"\xff":
        if content[at + 1 : at + 2] == b"\xda":  # start of scan
            return int.from_bytes(content[at + 4 : at + 5])
        at += 2 + int.from_bytes(content[at + 2 : at + 4])
    return 0
