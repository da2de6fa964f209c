"""Health: whether it lives, whether it works, and for those who may know, which part does not; and what the API is."""

from functions.health.schemas import HealthOut, LiveOut, StatusOut, WaitingOut
from shared.runtime import publishing
from shared.runtime.auth import AuthorisedCaller
from shared.runtime.health import health, waiting
from shared.runtime.http import http_function
from shared.runtime.web import Response, Router

router = Router()


@router.get("/health/live")
async def live() -> LiveOut:
    """The function answers; nothing else is asked."""
    return LiveOut()


@router.get("/health")
async def status(response: Response) -> StatusOut:
    """Whether everything works, in one word: strangers are told no more."""
    found = await health()
    response.status_code = 200 if found.healthy else 503
    return StatusOut(status="healthy" if found.healthy else "unhealthy")


@router.get("/health/details")
async def details(caller: AuthorisedCaller) -> HealthOut:
    """Database, migrations, vector store, object store, queues and models apart, each with latency and a reason."""
    return HealthOut.of(await health())


@router.get("/health/waiting")
async def show_waiting(caller: AuthorisedCaller) -> WaitingOut:
    """Everything that waits in the project, and why: by step and reason, the longest first, queues, dead letters."""
    return WaitingOut.of(*await waiting(caller))


@router.get("/openapi.json", response_class=publishing.OpenApiResponse)
async def get_openapi() -> Response:
    """This document: every operation of the API, with its errors and examples."""
    return publishing.openapi_document()


@router.get("/docs", response_class=publishing.PageResponse)
async def get_docs() -> Response:
    """The same as a page to read; it loads nothing from anywhere else."""
    return publishing.page()


@router.get("/docs/redoc.js", response_class=publishing.ScriptResponse)
async def get_docs_script() -> Response:
    """The script of the page."""
    return publishing.script()


handler = http_function(router)
