"""Pictures that are handed in as raw bytes: what stands, and what is asked for by its ETag. Never stores one."""

from typing import Any

from fastapi import Request

from api.errors import Problem, invalid
from devices.images import Image, ImageFault, bytes_max, pixels_max, read_header, side_px_max

SUFFIXES = {"image/png": "png", "image/jpeg": "jpg", "image/webp": "webp"}
RAW = {"requestBody": {"required": True, "content": {name: {} for name in SUFFIXES}}}
ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {"content": {name: {} for name in SUFFIXES}, "description": "The picture"}
}


def checked(content: bytes, request: Request) -> Image:
    """The picture's format and size; Problem 413 or 422 for what cannot stand."""
    if len(content) > bytes_max:
        raise Problem(413, "too_large", "picture_bytes", names={"bytes": bytes_max})
    image = read_header(content)
    if image is ImageFault.TOO_LARGE:
        raise invalid("#", image.value, side=side_px_max, pixels=pixels_max)
    if isinstance(image, ImageFault):
        raise invalid("#", image.value)
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != image.media_type:
        raise invalid("Content-Type", "media_type")
    return image


def tags(request: Request, header: str) -> frozenset[str]:
    """The entity tags of a header, without quotes and weakness."""
    tags = (tag.strip().removeprefix("W/").strip('"') for tag in request.headers.get(header, "").split(","))
    return frozenset(tag for tag in tags if tag)
