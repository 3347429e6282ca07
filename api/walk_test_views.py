"""How an alarm test is shown: seconds since its start, numbers masked, what is missing in both languages."""

from datetime import datetime

from sqlalchemy import Connection

from alerting.channels.mask import masked
from alerting.core.probe_words import lack_words
from alerting.core.walk_test import Lack, Rehearsal, WalkState, WalkTest, missing
from alerting.store import held, probes
from api.schemas.testing import (
    AlarmHeard,
    CriteriaOut,
    HeldOut,
    LackOut,
    RealMessageOut,
    RehearsalOut,
    RestoralHeard,
    SignalHeard,
    SkippedStep,
    WalkTestOut,
    WouldCallOut,
)
from devices.model import Channel, Language


def shown(conn: Connection, test: WalkTest) -> WalkTestOut:
    lacks = {WalkState.RUNNING: missing(test), WalkState.FAILED: test.lacks}.get(test.state, ())
    waiting = held.newest_of(conn, test.device_id, test.started_at)
    return WalkTestOut(
        id=test.id,
        device_id=test.device_id,
        state=test.state,
        started_at=test.started_at,
        ends_at=test.ends_at,
        ended_at=test.ended_at,
        criteria=CriteriaOut(
            limit_s=test.criteria.limit_s,
            restores=test.criteria.restores,
            signal_dbm_min=test.criteria.signal_dbm_min,
        ),
        alarm=_alarm(test),
        restored=_restored(test),
        signal=_signal(test),
        would_call=None if test.rehearsal is None else _rehearsal(test.rehearsal),
        held=None if waiting is None else HeldOut.model_validate(waiting),
        missing=[_lack(lack) for lack in lacks],
        real_messages=[
            RealMessageOut(
                channel=probe.channel,
                address=masked(probe.address),
                state=probe.state,
                error=probe.error,
                pressed=probe.confirmed_at is not None,
            )
            for probe in probes.of_walk_test(conn, test.id)
        ],
        version=test.version,
    )


def _alarm(test: WalkTest) -> AlarmHeard | None:
    if test.alarm_at is None or test.alarm_code is None:
        return None
    return AlarmHeard(code=test.alarm_code, at=test.alarm_at, seconds=_seconds(test, test.alarm_at))


def _restored(test: WalkTest) -> RestoralHeard | None:
    if test.restored_at is None:
        return None
    return RestoralHeard(at=test.restored_at, seconds=_seconds(test, test.restored_at))


def _signal(test: WalkTest) -> SignalHeard | None:
    if test.signal_dbm is None or test.signal_at is None:
        return None
    least = test.criteria.signal_dbm_min
    enough = None if least is None else test.signal_dbm >= least
    seconds = _seconds(test, test.signal_at)
    return SignalHeard(dbm=test.signal_dbm, at=test.signal_at, seconds=seconds, enough=enough)


def _rehearsal(rehearsal: Rehearsal) -> RehearsalOut:
    return RehearsalOut(
        calls=[
            WouldCallOut(
                name=call.name,
                step=call.step,
                channel=call.channel,
                address=call.recipient_id if call.channel is Channel.APP else masked(call.address),
                language=call.language,
                text=call.text,
            )
            for call in rehearsal.calls
        ],
        skipped=[SkippedStep(step=step, reason=reason) for step, reason in rehearsal.skipped],
    )


def _lack(lack: Lack) -> LackOut:
    return LackOut(code=lack, zh=lack_words(lack, Language.ZH_CN), en=lack_words(lack, Language.EN))


def _seconds(test: WalkTest, at: datetime) -> float:
    return round((at - test.started_at).total_seconds(), 3)
