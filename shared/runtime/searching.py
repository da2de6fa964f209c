"""A question asked with the vectors its collections need: embedded outside of the transaction, asked inside."""

from collections.abc import Awaitable, Callable
from uuid import UUID

from shared.domain.errors import Conflict
from shared.domain.search import SearchQuery, SearchResult
from shared.ports.ports import Ports
from shared.runtime.auth import Caller
from shared.usecases.search.retrieve import ModelNeeded, Question, embed_further, embed_question, retrieve

REMEMBERED = 10_000
_models: dict[UUID, str] = {}
"""Which model a collection was searched by last: a guess, which the search itself checks. A collection's id tells
nothing of it to who may not read it.
"""


async def asked[Found](caller: Caller, query: SearchQuery, ask: Callable[[Ports, Question], Awaitable[Found]]) -> Found:
    """What `ask` finds, in a transaction of its own, with the question embedded by every model it turns out to need.

    Raises:
        Conflict: a collection is embedded by a model that this deployment does not have.
    """
    guessed = {_models[id] for id in query.collection_ids if id in _models}
    try:
        question = await embed_question(caller.powers, query, sorted(guessed))
    except Conflict:
        # A guess refuses nobody: that model may be none of this deployment's any more, and none of the collection's.
        question = await embed_question(caller.powers, query)
    while True:
        try:
            async with caller.transaction() as ports:
                return await ask(ports, question)
        except ModelNeeded as needed:
            if len(_models) > REMEMBERED:
                _models.clear()
            _models.update(needed.models)
            # Each round adds a model, and a search has no more models than collections.
            question = await embed_further(caller.powers, question, needed.missing)


async def search(caller: Caller, query: SearchQuery) -> SearchResult:
    """The chunks that speak of the question."""
    return await asked(caller, query, lambda ports, question: retrieve(caller.scope, ports, question))
