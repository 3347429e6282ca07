"""Map links with one known point: Tiananmen gate stands at 39.908722 north, 116.397499 east."""

from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerting.core.maps import (
    MapService,
    Point,
    amap,
    baidu,
    geo,
    link,
    point_of,
    service_for,
    tencent,
)
from devices.model import Language

GATE = Point(lat=39.908722, lon=116.397499)
LABEL = "金鼎小区3栋 & A/B?"


def test_amap_takes_longitude_first_and_is_told_wgs84() -> None:
    assert amap(GATE, "天安门") == (
        "https://uri.amap.com/marker?position=116.397499,39.908722&name=%E5%A4%A9%E5%AE%89%E9%97%A8"
        "&coordinate=wgs84&callnative=1&src=gengfu"
    )


def test_baidu_takes_latitude_first_and_is_told_wgs84() -> None:
    query = parse_qs(urlsplit(baidu(GATE, LABEL)).query)
    assert query == {
        "location": ["39.908722,116.397499"],
        "title": [LABEL],
        "content": [LABEL],
        "output": ["html"],
        "coord_type": ["wgs84"],
        "src": ["webapp.gengfu.gengfu"],
    }


def test_tencent_takes_latitude_first_and_is_told_gps() -> None:
    query = parse_qs(urlsplit(tencent(GATE, "A;addr:B")).query, separator="&")
    assert query == {
        "marker": ["coord:39.908722,116.397499;title:A addr B;addr:A addr B"],
        "coord_type": ["1"],
        "referer": ["gengfu"],
    }


def test_geo_takes_latitude_first() -> None:
    address = geo(GATE, "B3 (east)")
    assert address == "geo:39.908722,116.397499?q=39.908722,116.397499(B3%20%28east%29)"


@pytest.mark.parametrize("service", list(MapService))
def test_label_is_percent_encoded_and_comes_back(service: MapService) -> None:
    address = link(service, GATE, LABEL)
    assert address.isascii()
    assert " " not in address
    assert LABEL in unquote(address)
    assert address.count("?") == 1


@pytest.mark.parametrize(
    ("lat", "lon"),
    [(None, 114.0), (32.0, None), (114.0, 32.0), (32.0, 181.0), (float("nan"), 114.0), (32.0, float("inf"))],
)
def test_no_point_from_what_cannot_be_one(lat: float | None, lon: float | None) -> None:
    assert point_of(lat, lon) is None


@given(st.floats(-90, 90), st.floats(-180, 180))
def test_coordinates_are_plain_decimals(lat: float, lon: float) -> None:
    point = point_of(lat, lon)
    assert point is not None
    position = parse_qs(urlsplit(amap(point, "x")).query)["position"][0]
    assert "e" not in position
    first, second = position.split(",")
    assert float(first) == pytest.approx(lon, abs=1e-6)
    assert float(second) == pytest.approx(lat, abs=1e-6)


def test_a_long_label_is_cut_and_the_point_stays() -> None:
    address = amap(GATE, "长" * 500)
    assert unquote(address).count("长") == 60
    assert "&coordinate=wgs84" in address


def test_service_follows_the_deployment() -> None:
    assert service_for(Language.ZH_CN) is MapService.AMAP
    assert service_for(Language.EN) is MapService.GEO
