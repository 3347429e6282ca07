"""Is it alive, is each part ready, and the figures. Open to all: it shows no names and no numbers of people."""

from typing import Any

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from sqlalchemy.exc import SQLAlchemyError

from alerting.core.canary import CanaryRow, fault
from alerting.ports import Conflict
from alerting.store import canary
from api.auth import GuardedRoute
from api.deps import Deps, Use
from api.pages import answer

router = APIRouter(tags=["health"], route_class=GuardedRoute)


@router.get("/healthz")
async def healthz() -> Response:
    """The process answers."""
    return answer({"status": "ok"})


@router.get("/readyz")
async def readyz(use: Use) -> Response:
    """200 when every part works, else 503; each part is `true`, or `false` or a sentence saying what is wrong.

    `canary`: how the latest canary alarm fared; `violations`: incidents found without anything due, ever.
    """
    parts = dict(await use.service.ready())
    row = await _self_check(use)
    if row is not None and row.every_s > 0:
        wrong = fault(row, use.clock.now())
        parts["canary"] = True if wrong is None else wrong
    ready = all(part is True for part in parts.values())
    told = {"ready": ready, "parts": parts, "canary": _shown(row), "violations": row.violations if row else 0}
    return answer(told, 200 if ready else 503)


@router.get("/metrics")
async def metrics(use: Use) -> Response:
    """Prometheus text."""
    return Response(generate_latest(use.metrics), headers={"content-type": CONTENT_TYPE_LATEST})


async def _self_check(deps: Deps) -> CanaryRow | None:
    try:
        return await deps.database.read(canary.read)
    except (SQLAlchemyError, OSError, Conflict):
        return None  # the part `database` says so


def _shown(row: CanaryRow | None) -> dict[str, Any] | None:
    if row is None or row.every_s <= 0:
        return None
    return {"every_s": row.every_s, "heard_at": row.heard_at, "seconds": row.seconds, "misses": row.misses}
