"""What the first bytes of a picture say: its format and size. Never decodes a picture, never trusts a file's name."""

import struct
from dataclasses import dataclass
from enum import StrEnum

bytes_max = 1 << 20
"""Of one picture."""
side_px_max = 8_192
pixels_max = 32_000_000
"""Together they bound what a phone needs to show it: 128 MB unpacked."""

_PNG = b"\x89PNG\r\n\x1a\n"
_JPEG = b"\xff\xd8\xff"
_STANDALONE = frozenset({0x01, *range(0xD0, 0xD9)})
"""JPEG markers without a length."""
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
"""JPEG markers that begin a frame: they hold its size."""
_SCAN, _END = 0xDA, 0xD9


class ImageFault(StrEnum):
    NOT_AN_IMAGE = "not_an_image"
    """Neither PNG, JPEG nor WebP, or cut off before its size."""
    TOO_LARGE = "image_size"


@dataclass(frozen=True, slots=True)
class Image:
    media_type: str
    width: int
    height: int


def read_header(content: bytes) -> Image | ImageFault:
    """Format and size in pixels, from the header alone."""
    try:
        image = _image(content)
    except (struct.error, IndexError):
        return ImageFault.NOT_AN_IMAGE
    if image is None or image.width < 1 or image.height < 1:
        return ImageFault.NOT_AN_IMAGE
    if max(image.width, image.height) > side_px_max or image.width * image.height > pixels_max:
        return ImageFault.TOO_LARGE
    return image


def _image(content: bytes) -> Image | None:
    if content.startswith(_PNG):
        return _png(content)
    if content.startswith(_JPEG):
        return _jpeg(content)
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return _webp(content)
    return None


def _png(content: bytes) -> Image | None:
    length, name, width, height = struct.unpack_from(">I4sII", content, 8)
    return Image("image/png", width, height) if (length, name) == (13, b"IHDR") else None


def _jpeg(content: bytes) -> Image | None:
    at = 2
    while True:
        if content[at] != 0xFF:
            return None
        marker = content[at + 1]
        if marker == 0xFF:  # a fill byte before the marker
            at += 1
            continue
        if marker in _FRAMES:
            height, width = struct.unpack_from(">HH", content, at + 5)
            return Image("image/jpeg", width, height)
        if marker in (_SCAN, _END):
            return None
        at += 2 if marker in _STANDALONE else 2 + max(2, struct.unpack_from(">H", content, at + 2)[0])


def _webp(content: bytes) -> Image | None:
    chunk = content[12:16]
    if chunk == b"VP8X":
        width, height = (int.from_bytes(content[at : at + 3], "little") + 1 for at in (24, 27))
        return Image("image/webp", width, height) if len(content) >= 30 else None
    if chunk == b"VP8 " and content[23:26] == b"\x9d\x01\x2a":
        width, height = struct.unpack_from("<HH", content, 26)
        return Image("image/webp", width & 0x3FFF, height & 0x3FFF)
    if chunk == b"VP8L" and content[20] == 0x2F:
        (bits,) = struct.unpack_from("<I", content, 21)
        return Image("image/webp", (bits & 0x3FFF) + 1, ((bits >> 14) & 0x3FFF) + 1)
    return None
