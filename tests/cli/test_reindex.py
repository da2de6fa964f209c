"""lambent reindex: what is stale."""

from tests.cli.conftest import Run
from tests.cli.fake_world import World


def test_plan_names_what_is_stale_and_what_it_would_become(run: Run, world: World) -> None:
    world.add_document(world.add_collection("hr"), "leave.md")
    world.add_collection("empty")
    told = run("reindex", "plan")
    assert told.code == 0
    assert "model 1" in told.out
    assert "local/large, structure 200/20" in told.out
    assert "1200" in told.out


def test_plan_of_one_collection_as_json(run: Run, world: World) -> None:
    made = world.add_collection("hr")
    world.add_collection("other")
    (one,) = run("reindex", "plan", "hr", "--json").json
    assert (one["collection_id"], one["needed"]) == (made["id"], False)


def test_plan_of_an_unknown_collection_says_where_to_look(run: Run) -> None:
    told = run("reindex", "plan", "nope")
    assert told.code == 1
    assert "lambent collections" in told.err
