"""One chunk of nights and of whole schedules: a file of its own, so that it has a core of its own."""

import pytest

from tests.simulation.chunks import nights_of, shells_of

pytestmark = pytest.mark.timeout(900)


def test_the_laws_hold_every_night_of_this_chunk() -> None:
    nights_of(5)


def test_the_laws_hold_in_the_whole_service() -> None:
    shells_of(5)
