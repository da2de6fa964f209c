"""Filters mean in every store what `shared.domain.filters.matches` says."""

from datetime import timedelta
from uuid import UUID

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from shared.domain.documents import Document
from shared.domain.filters import ALLOWED, DATE_FIELDS, METADATA_OPS, All, AnyOf, Condition, Filter, Not, Op, matches
from shared.ports.documents import DocumentFilter
from tests.contracts.samples import NOW, Room, Store, document, generation, new_room

# A small world, so that values meet; with the characters that patterns, quotes and collations trip over.
WORDS = st.sampled_from(["", "a", "B", "b", "ab", "é", "z", "%", "_", "a%b", "\\", "'", "1", "true", "[1]", "Ａ", "😀"])
NUMBERS = st.one_of(st.integers(-3, 3), st.sampled_from([0.0, 1.0, -0.5, 1.5, 0.1, 2**53 + 1, 10**20]))
SCALARS = st.one_of(WORDS, NUMBERS, st.booleans())
VALUES = st.one_of(SCALARS, st.lists(SCALARS, max_size=3), st.none(), st.just({"a": 1}), st.just([["a"], {"b": 1}]))
KEYS = st.sampled_from(["k", "a-b", "key_1"])
MOMENTS = st.integers(0, 3).map(lambda hours: NOW + timedelta(hours=hours, microseconds=hours))
IDS = st.integers(1, 12).map(lambda number: UUID(int=number))

DOCUMENTS = st.fixed_dictionaries(
    {
        "name": WORDS,
        "media_type": WORDS,
        "language": WORDS,
        "tags": st.lists(WORDS, max_size=3).map(tuple),
        "metadata": st.dictionaries(KEYS, VALUES, max_size=3),
        "created_at": MOMENTS,
        "updated_at": MOMENTS,
    }
)


@st.composite
def conditions(draw: st.DrawFn) -> Condition:
    if draw(st.booleans()):
        field = "metadata." + draw(KEYS)
        op, values = draw(st.sampled_from(sorted(METADATA_OPS))), SCALARS
    else:
        field = draw(st.sampled_from(sorted(ALLOWED)))
        op = draw(st.sampled_from(sorted(ALLOWED[field])))
        values = MOMENTS if field in DATE_FIELDS else IDS if field == "document_id" else WORDS  # type: ignore[assignment]
    if op is Op.EXISTS:
        return Condition(field, op, draw(st.booleans()))
    if op is Op.IN:
        return Condition(field, op, tuple(draw(st.lists(values, min_size=1, max_size=3))))
    return Condition(field, op, draw(values))


FILTERS: st.SearchStrategy[Filter] = st.recursive(
    conditions(),
    lambda parts: st.one_of(
        st.builds(Not, parts),
        st.builds(All, st.lists(parts, min_size=1, max_size=3).map(tuple)),
        st.builds(AnyOf, st.lists(parts, min_size=1, max_size=3).map(tuple)),
    ),
    max_leaves=5,
)


class Undone(Exception):
    """Ends an example and takes its rows along."""


@settings(
    max_examples=30,
    deadline=None,
    derandomize=True,
    # Examples are small already, and each costs a conversation with the database.
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    fields=st.lists(DOCUMENTS, min_size=4, max_size=12),
    filters=st.lists(FILTERS | conditions(), min_size=20, max_size=30),
)
async def test_list_with_any_filter_agrees_with_matches(
    store: Store, fields: list[dict[str, object]], filters: list[Filter]
) -> None:
    room = await new_room(store)
    try:
        async with store.transaction(room.scope) as rows:
            for number, one in enumerate(fields, start=1):
                made: Document = document(room, id=UUID(int=number), **one)
                await rows.documents.add(room.scope, made, generation(made))
            known = await rows.documents.list(room.scope, DocumentFilter(), None, 99)
            assert len(known) == len(fields)
            for filter in filters:
                listed = await rows.documents.list(room.scope, DocumentFilter(filter=filter), None, 99)
                assert [one.id for one in listed] == [one.id for one in known if matches(filter, one)], filter
            raise Undone
    except Undone:
        pass


async def test_list_with_hostile_values_treats_them_as_values(store: Store) -> None:
    room: Room = await new_room(store)
    async with store.transaction(room.scope) as rows:
        made = document(room, name="a", metadata={"k": "v"})
        await rows.documents.add(room.scope, made, generation(made))
        for text in ("' OR true --", "%(tenant)s", ":tenant", "%", "\\", "a'; DROP TABLE documents; --", "{}", "$1"):
            for condition in (
                Condition("name", Op.EQ, text),
                Condition("name", Op.CONTAINS, text),
                Condition("metadata.k", Op.EQ, text),
                Condition("metadata.k", Op.PREFIX, text),
                Condition("tags", Op.CONTAINS, text),
            ):
                assert list(await rows.documents.list(room.scope, DocumentFilter(filter=condition), None, 9)) == []
