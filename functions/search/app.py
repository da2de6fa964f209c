"""Search: which chunks speak of a question."""

from fastapi import APIRouter

from functions.search.schemas import SearchIn, SearchOut
from shared.runtime.auth import AuthorisedCaller
from shared.runtime.http import PREFIX, http_function
from shared.usecases.search.retrieve import embed_question, retrieve

router = APIRouter(prefix=PREFIX)


@router.post("/search")
async def search(body: SearchIn, caller: AuthorisedCaller) -> SearchOut:
    """The chunks that match best, with spans, pages and the score of each leg."""
    question = await embed_question(caller.powers, body.domain())
    async with caller.transaction() as ports:
        return SearchOut.of(await retrieve(caller.scope, ports, question))


handler = http_function(router)
