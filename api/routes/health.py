"""Is it alive, is each part ready, and the figures. Open to all: it shows no names and no numbers of people."""

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from api.auth import GuardedRoute
from api.deps import Use
from api.pages import answer

router = APIRouter(tags=["health"], route_class=GuardedRoute)


@router.get("/healthz")
async def healthz() -> Response:
    """The process answers."""
    return answer({"status": "ok"})


@router.get("/readyz")
async def readyz(use: Use) -> Response:
    """200 when every part works, else 503; each part is `true`, or `false` or a sentence saying what is wrong."""
    parts = await use.service.ready()
    ready = all(part is True for part in parts.values())
    return answer({"ready": ready, "parts": parts}, 200 if ready else 503)


@router.get("/metrics")
async def metrics(use: Use) -> Response:
    """Prometheus text."""
    return Response(generate_latest(use.metrics), headers={"content-type": CONTENT_TYPE_LATEST})
