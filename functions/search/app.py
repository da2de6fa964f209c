"""Search: which chunks speak of a question."""

from functions.search.schemas import SearchIn, SearchOut
from shared.runtime import searching
from shared.runtime.auth import AuthorisedCaller
from shared.runtime.http import http_function
from shared.runtime.web import Router

router = Router()


@router.post("/search")
async def search(body: SearchIn, caller: AuthorisedCaller) -> SearchOut:
    """The chunks that match best, with spans, pages and the score of each leg."""
    return SearchOut.of(await searching.search(caller, body.domain()))


handler = http_function(router)
