"""The examples in the API's description are what the API answers."""

import pytest

from shared.runtime.routes import ROUTES
from tests.functions.recorded import DESCRIPTION, described, file_of, written

AREAS = described()


@pytest.mark.parametrize("area", sorted(AREAS))
def test_examples_of_area_are_what_it_answers(area: str) -> None:
    """After a change of an answer: `uv run python -m tests.functions.recorded`."""
    assert file_of(area).read_text("utf-8") == written(AREAS[area])


def test_examples_leave_no_route_out() -> None:
    found = {route for examples in AREAS.values() for route in examples}
    assert found == {" ".join(route) for route in ROUTES if route[1] not in DESCRIPTION}
