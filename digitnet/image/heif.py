"""Open HEIC and other HEIF pictures, as phones take them, with the optional pillow-heif.

Source: ISO/IEC 23008-12 (HEIF), sections 10.2 and B.4: the brands in a file's first box, `ftyp`.
"""

import io

from PIL import Image

from digitnet.errors import ImageError

EXTENSIONS = (".heic", ".heif", ".hif")
BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"msf1"}
AVIF_BRANDS = {b"avif", b"avis"}  # Pillow reads AVIF, which is HEIF with another codec
MAX_BYTES = 128_000_000  # of a file, which libheif copies
MAX_BRANDS = 64  # brands of a file that are looked at


def is_heif(content: bytes) -> bool:
    """Return whether a file's content is HEIF, except AVIF."""
    if content[4:8] != b"ftyp":
        return False
    end = min(int.from_bytes(content[:4]), 16 + 4 * MAX_BRANDS)
    brands = {content[8:12], *(content[at : at + 4] for at in range(16, end, 4))}
    return not brands & AVIF_BRANDS and bool(brands & BRANDS)


def open_heif(content: bytes, name: str) -> Image.Image:
    """Return a picture, not yet decoded. It is upright, whatever orientation its Exif data names.

    libheif refuses a picture that is larger than its header says before it decodes the picture.
    Raises ImageError, which names the picture `name`, if pillow-heif is not installed, or for a
    file that is too large.
    """
    if len(content) > MAX_BYTES:
        raise ImageError(name, f"expected HEIC of at most {MAX_BYTES:,} bytes, found more")
    try:
        from pillow_heif import HeifImageFile
    except ModuleNotFoundError:
        raise ImageError(
            name,
            "expected a picture that Pillow reads, found HEIC; "
            "pip install 'digitnet[heic]', or convert the picture to JPEG",
        ) from None
    return HeifImageFile(io.BytesIO(content))  # type: ignore[no-untyped-call]
