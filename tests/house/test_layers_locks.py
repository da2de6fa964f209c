"""Layers before they are built: what their locks and recipes promise."""

import os
import re
import subprocess
import tomllib
from pathlib import Path

import pytest

from shared.adapters.aws.clients import SERVICES
from tests.house.template import ROOT, raw

LAYERS = ROOT / "layers"
LOCKED = ("embed", "llm", "openid", "parse", "pinecone", "runtime")
LEFT_TO_LAMBDA = {"boto3", "s3transfer"}
MALWARE = {"litellm==1.82.7", "litellm==1.82.8"}
PIN = re.compile(r"^([a-z0-9.-]+)==([^\s;\\]+)", re.MULTILINE)


def lock(layer: str) -> str:
    """The text of a layer's requirements."""
    return (LAYERS / layer / "requirements.txt").read_text(encoding="utf-8")


def pins(text: str) -> dict[str, str]:
    """Package to version."""
    return dict(PIN.findall(text))


def project() -> dict[str, list[str]]:
    """The constraints and groups of pyproject.toml."""
    parsed = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    return {"constraints": parsed["tool"]["uv"]["constraint-dependencies"], **parsed["dependency-groups"]}


def wanted(group: str) -> set[str]:
    """Names a dependency group asks for, as an index writes them."""
    names = {re.split(r"[\[<>=!~; ]", one)[0] for one in project()[group]}
    return {re.sub(r"[-_.]+", "-", name).lower() for name in names}


def test_locks_exist_for_every_layer_of_the_template() -> None:
    folders = {
        one["Properties"]["ContentUri"].removeprefix("layers/")
        for one in raw()["Resources"].values()
        if one["Type"] == "AWS::Serverless::LayerVersion"
    }
    assert folders == {path.parent.name for path in LAYERS.glob("*/Makefile")} == {*LOCKED, "shared"}


@pytest.mark.parametrize("layer", LOCKED)
def test_locks_carry_hashes_and_no_address(layer: str) -> None:
    text = lock(layer)
    for block in re.split(r"\n(?=[a-z0-9])", text):
        assert "--hash=sha256:" in block, block.splitlines()[0]
    assert "://" not in text
    assert "--index-url" not in text
    assert "--extra-index-url" not in text


@pytest.mark.parametrize("layer", LOCKED)
def test_locks_agree_with_the_pins_of_the_project(layer: str) -> None:
    pinned = pins("\n".join(project()["constraints"]))
    for name, version in pins(lock(layer)).items():
        # Windows has packages of its own; the pins are those of Linux.
        assert pinned.get(name, version) == version, name
        assert name in pinned or name in {"tzdata", "colorama"}, name


@pytest.mark.parametrize("layer", LOCKED)
def test_locks_hold_what_their_group_asks_for(layer: str) -> None:
    held = pins(lock("runtime")).keys() | pins(lock(layer)).keys()
    assert wanted(layer) - LEFT_TO_LAMBDA <= held


@pytest.mark.parametrize("layer", LOCKED)
def test_locks_leave_to_lambda_what_it_brings(layer: str) -> None:
    assert not LEFT_TO_LAMBDA & pins(lock(layer)).keys()


@pytest.mark.parametrize("layer", [one for one in LOCKED if one != "runtime"])
def test_locks_repeat_nothing_of_the_runtime_layer(layer: str) -> None:
    assert not pins(lock(layer)).keys() & pins(lock("runtime")).keys()


def test_pins_are_exact_sorted_and_unique() -> None:
    constraints = project()["constraints"]
    assert all(PIN.fullmatch(one) for one in constraints)
    assert constraints == sorted(constraints)
    assert len(pins("\n".join(constraints))) == len(constraints)


def test_pins_hold_no_known_malware() -> None:
    assert not MALWARE & set(project()["constraints"])


def test_recipe_of_the_runtime_layer_keeps_the_services_in_use() -> None:
    found = re.search(
        r"^SERVICES := (.+)$", (LAYERS / "runtime" / "Makefile").read_text(encoding="utf-8"), re.MULTILINE
    )
    assert found is not None
    assert tuple(sorted(found[1].split())) == tuple(sorted(SERVICES))


def test_recipes_have_a_target_for_their_layer() -> None:
    for name, one in raw()["Resources"].items():
        if one["Type"] == "AWS::Serverless::LayerVersion":
            makefile = (ROOT / one["Properties"]["ContentUri"] / "Makefile").read_text(encoding="utf-8")
            assert f"\nbuild-{name}:" in makefile
            assert one["Metadata"]["BuildMethod"] == "makefile"
            assert one["Metadata"]["BuildArchitecture"] == {"Ref": "Architecture"}


def test_recipes_are_noticed_by_sam_when_they_change() -> None:
    """It looks into a layer's own folder only, so what a layer is made by must be there, if as a link."""
    for folder in {path.parent for path in LAYERS.glob("*/Makefile")}:
        assert (folder / "recipe.mk").readlink() == Path("../recipe.mk")
        assert "include $(HERE)recipe.mk" in (folder / "Makefile").read_text(encoding="utf-8")
    assert (LAYERS / "embed" / "local_model").readlink() == Path("../../shared/adapters/local_model")


def test_recipes_install_copies_that_strip_may_change() -> None:
    recipe = (LAYERS / "recipe.mk").read_text(encoding="utf-8")
    assert recipe.count("pip install") == recipe.count("--link-mode copy") == 1


def test_recipes_only_the_shared_layer_holds_code_of_ours() -> None:
    assert (LAYERS / "shared" / "shared").readlink() == Path("../../shared")
    assert not list(LAYERS.glob("*/*.py")) + list(LAYERS.glob("*.py"))


def test_wrapper_starts_the_streaming_client_with_the_path_of_lambda(tmp_path: Path) -> None:
    interpreter = tmp_path / "python3.12"
    interpreter.write_text('#!/bin/sh\necho "$PYTHONPATH" "$@"\n', encoding="utf-8")
    interpreter.chmod(0o755)
    wrapper = LAYERS / "shared" / "lambent-stream"
    assert os.access(wrapper, os.X_OK)
    done = subprocess.run(
        [wrapper, interpreter, "/var/runtime/bootstrap.py"],
        env={"LAMBDA_TASK_ROOT": "/var/task", "LAMBDA_RUNTIME_DIR": "/var/runtime", "PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=True,
    )
    path, *arguments = done.stdout.split()
    assert path.split(":") == ["/var/task", "/opt/python/lib/python3.12/site-packages", "/opt/python", "/var/runtime"]
    assert arguments == ["-m", "shared.runtime.stream"]
