"""ETags of versioned resources: writing says which version it changes. Never stores anything."""

import re

from fastapi import Request

from api.errors import Problem, invalid

_TAG = re.compile(r'(?:W/)?"(\d{1,9})"')


def etag(version: int) -> str:
    """The version as a strong entity tag (RFC 9110 section 8.8.3)."""
    return f'"{version}"'


def expected_version(request: Request) -> int | None:
    """The version in If-Match, None for `*`; Problem 428 without the header, 422 when it is no ETag of ours."""
    header = request.headers.get("if-match", "").strip()
    if not header:
        raise Problem(428, "version_required")
    if header == "*":
        return None
    found = _TAG.fullmatch(header)
    if found is None:
        raise invalid("If-Match", "etag")
    return int(found[1])


def check_version(expected: int | None, current: int) -> None:
    """Problem 412 when the resource has moved on."""
    if expected is not None and expected != current:
        raise mismatch(current)


def mismatch(current: int) -> Problem:
    return Problem(412, "version_mismatch", headers={"etag": etag(current)})
