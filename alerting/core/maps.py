"""Links that open a map at a WGS-84 point. Never converts coordinates: every service here is told that they are WGS-84.

Amap wants longitude first, all others latitude first: a `Point` is built by name so that the two cannot change places.
Sources: lbs.amap.com URI API `marker`, Baidu Maps URI API `marker`, lbs.qq.com URI API `marker`, RFC 5870 (geo).
"""

from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import quote

from devices.model import Language

APPLICATION = "gengfu"
label_chars_max = 60
"""A label is for the pin; the whole place stands beside the link."""


class MapService(StrEnum):
    AMAP = "amap"
    BAIDU = "baidu"
    TENCENT = "tencent"
    GEO = "geo"


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """WGS-84 degrees."""

    lat: float
    lon: float


def point_of(lat: float | None, lon: float | None) -> Point | None:
    """A point, or None when a coordinate is missing or cannot be one (not a number, out of range)."""
    if lat is None or lon is None or not (-90.0 <= lat <= 90.0 and -180.0 <= lon <= 180.0):
        return None
    return Point(lat=lat, lon=lon)


def service_for(deployment: Language) -> MapService:
    """Chinese deployments get Amap, which takes WGS-84; elsewhere the phone chooses its own map."""
    return MapService.AMAP if deployment is Language.ZH_CN else MapService.GEO


def link(service: MapService, point: Point, label: str) -> str:
    """The link of one service; `label` in any script."""
    match service:
        case MapService.AMAP:
            return amap(point, label)
        case MapService.BAIDU:
            return baidu(point, label)
        case MapService.TENCENT:
            return tencent(point, label)
        case MapService.GEO:
            return geo(point, label)


def amap(point: Point, label: str) -> str:
    """Longitude first; `coordinate=wgs84`, or the pin is 300 to 600 m off; `callnative=1` opens the app on a phone."""
    position = f"{_degrees(point.lon)},{_degrees(point.lat)}"
    return (
        f"https://uri.amap.com/marker?position={position}&name={_label(label)}"
        f"&coordinate=wgs84&callnative=1&src={APPLICATION}"
    )


def baidu(point: Point, label: str) -> str:
    """Latitude first; title, content and src are required."""
    location = f"{_degrees(point.lat)},{_degrees(point.lon)}"
    name = _label(label)
    return (
        f"https://api.map.baidu.com/marker?location={location}&title={name}&content={name}"
        f"&output=html&coord_type=wgs84&src=webapp.{APPLICATION}.{APPLICATION}"
    )


def tencent(point: Point, label: str) -> str:
    """Latitude first; `coord_type=1` is GPS. Title and address are required and end at `;`, so no label holds one."""
    coord = f"{_degrees(point.lat)},{_degrees(point.lon)}"
    name = _label(label.replace(";", " ").replace(":", " "))
    return (
        f"https://apis.map.qq.com/uri/v1/marker?marker=coord:{coord};title:{name};addr:{name}"
        f"&coord_type=1&referer={APPLICATION}"
    )


def geo(point: Point, label: str) -> str:
    """RFC 5870, with Android's `q=lat,lon(label)`, which drops a pin instead of only moving the map."""
    at = f"{_degrees(point.lat)},{_degrees(point.lon)}"
    return f"geo:{at}?q={at}({_label(label)})"


def _degrees(value: float) -> str:
    """Six decimals, a decimetre; never an exponent, never `-0`."""
    text = f"{value:.6f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def _label(label: str) -> str:
    return quote(label[:label_chars_max], safe="", errors="replace")
