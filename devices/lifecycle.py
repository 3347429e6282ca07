"""The law of a device's states: which move is legal, and by what. Pure: no clock, nothing is written here.

registered 已登记: known, not mounted. installed 已安装: mounted, its alarm was not seen yet (未验收).
commissioned 已验收: its alarm was seen to come through where it hangs; only a passed walk test makes it so.
out_of_service 停用: until an instant, for a reason; lies over what the device was, and ends by itself.
removed 已拆除: taken down; its last place is still known.
"""

from datetime import datetime, timedelta
from enum import StrEnum

from devices.model import DeviceState

out_of_service_max = timedelta(days=90)


class By(StrEnum):
    """What moves a device."""

    EDIT = "edit"
    """A person wrote the state."""
    ENROLMENT = "enrolment"
    MOVE = "move"
    """It was given another place: what was tested there says nothing here."""
    WALK_TEST = "walk_test"
    PAUSE = "pause"
    RESUME = "resume"
    REMOVAL = "removal"


class Illegal(StrEnum):
    """Why a move is refused; each has its sentence in the API."""

    NEEDS_WALK_TEST = "needs_walk_test"
    NEEDS_PERIOD = "needs_period"
    IS_INSTALLED = "is_installed"
    IS_REMOVED = "is_removed"
    NOT_OUT_OF_SERVICE = "not_out_of_service"
    NOT_INSTALLED = "not_installed"
    REMOVE_FIRST = "remove_first"


_R, _I, _C = DeviceState.REGISTERED, DeviceState.INSTALLED, DeviceState.COMMISSIONED
_OUT, _GONE = DeviceState.OUT_OF_SERVICE, DeviceState.REMOVED

LAW: dict[tuple[DeviceState, DeviceState], frozenset[By]] = {
    (_R, _I): frozenset({By.EDIT, By.ENROLMENT}),
    (_R, _C): frozenset({By.WALK_TEST}),
    (_R, _GONE): frozenset({By.EDIT, By.REMOVAL}),
    (_I, _R): frozenset({By.EDIT}),
    (_I, _I): frozenset({By.MOVE}),
    (_I, _C): frozenset({By.WALK_TEST}),
    (_I, _OUT): frozenset({By.PAUSE}),
    (_I, _GONE): frozenset({By.EDIT, By.REMOVAL}),
    (_C, _I): frozenset({By.EDIT, By.MOVE}),
    (_C, _C): frozenset({By.WALK_TEST}),
    (_C, _OUT): frozenset({By.PAUSE}),
    (_C, _GONE): frozenset({By.EDIT, By.REMOVAL}),
    (_OUT, _I): frozenset({By.EDIT, By.MOVE, By.RESUME}),
    (_OUT, _C): frozenset({By.RESUME, By.WALK_TEST}),
    (_OUT, _OUT): frozenset({By.PAUSE}),
    (_OUT, _GONE): frozenset({By.EDIT, By.REMOVAL}),
    (_GONE, _R): frozenset({By.EDIT}),
    (_GONE, _I): frozenset({By.ENROLMENT}),
}
"""(from, to) -> what may move it so. Everything else is illegal."""


def illegal(before: DeviceState, after: DeviceState, by: By) -> Illegal | None:
    """Why the move is refused; None where it is legal."""
    if by in LAW.get((before, after), frozenset()):
        return None
    return _why(before, after, by)


def _why(before: DeviceState, after: DeviceState, by: By) -> Illegal:
    if by is By.RESUME:
        return Illegal.NOT_OUT_OF_SERVICE
    if before is DeviceState.REMOVED:
        return Illegal.IS_REMOVED
    if after is DeviceState.COMMISSIONED:
        return Illegal.NEEDS_WALK_TEST
    if by is By.PAUSE:
        return Illegal.NOT_INSTALLED
    if after is DeviceState.OUT_OF_SERVICE:
        return Illegal.NEEDS_PERIOD
    return Illegal.IS_INSTALLED if by is By.ENROLMENT else Illegal.REMOVE_FIRST


def shown_state(stored: DeviceState, out_of_service_until: datetime | None, now: datetime) -> DeviceState:
    """The state as people see it: out of service while that lasts, then again what it was."""
    if stored is DeviceState.REMOVED or out_of_service_until is None or out_of_service_until <= now:
        return stored
    return DeviceState.OUT_OF_SERVICE
