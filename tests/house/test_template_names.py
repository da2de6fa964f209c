"""One name in six places: folder, logical id, handler, queue, events, test; and names of settings that exist."""

import json
from pathlib import Path

import pytest

from shared.runtime.routes import ROUTES
from shared.settings import Settings
from tests.house.template import ROOT, Stack, function_folders, logical_id, named, raw, stacks

each = pytest.mark.parametrize("stack", stacks(), ids=str)

OTHERS = {"AWS_LAMBDA_EXEC_WRAPPER": "read by Lambda itself"}
"""Variables that are not read by shared/settings.py, each with who reads it."""


def cases(function: str) -> list[Path]:
    """The event files of a function."""
    return sorted((ROOT / "events" / function).glob("*.json"))


@each
def test_names_functions_of_the_template_are_the_folders(stack: Stack) -> None:
    assert set(stack.functions) == {logical_id(folder) for folder in function_folders()}


def test_names_code_and_handler_follow_the_folder() -> None:
    for folder in function_folders():
        function = raw()["Resources"][logical_id(folder)]
        assert function["Properties"]["CodeUri"] == f"functions/{folder}"
        assert function["Properties"]["Handler"] == f"functions.{folder}.app.handler"
        assert function["Metadata"] == {"BuildProperties": {"ParentPackageMode": "auto"}}


def test_names_every_function_has_events_and_no_folder_is_left_over() -> None:
    assert sorted(path.name for path in (ROOT / "events").iterdir()) == function_folders()
    for folder in function_folders():
        assert cases(folder), f"events/{folder} is empty"


def test_names_every_function_has_a_test() -> None:
    tests = {path.stem.removeprefix("test_") for path in (ROOT / "tests" / "functions").glob("test_*.py")}
    assert set(function_folders()) <= tests


def test_names_functions_bring_no_requirements_of_their_own() -> None:
    assert not list((ROOT / "functions").rglob("requirements*.txt"))


@each
def test_names_every_route_has_a_path_of_the_api(stack: Stack) -> None:
    ((_, api),) = stack.of_type("AWS::ApiGateway::RestApi").items()
    paths = set(api["Body"]["paths"])
    for _, route in ROUTES:
        area = "/".join(route.split("/")[:4])
        assert (route if route == area else area + "/{proxy+}") in paths, route


@each
def test_names_variables_are_known_to_the_settings(stack: Stack) -> None:
    known = {f"LAMBENT_{field.upper()}" for field in Settings.model_fields} | OTHERS.keys()
    for name, function in stack.functions.items():
        assert set(function["Environment"]["Variables"]) <= known, name


@each
def test_names_variables_hold_no_secret(stack: Stack) -> None:
    secret = {
        f"LAMBENT_{name.upper()}" for name, field in Settings.model_fields.items() if "Secret" in str(field.annotation)
    }
    assert "LAMBENT_DATABASE_URL" in secret
    for name, function in stack.functions.items():
        variables = function["Environment"]["Variables"]
        assert not secret & variables.keys(), name
        assert not any("://" in str(value) and "@" in str(value) for value in variables.values()), name
        assert sum(len(key) + len(str(value)) for key, value in variables.items()) < 3000, f"{name}: Lambda takes 4 KB"


def test_names_parameters_hold_no_secret() -> None:
    for name, parameter in raw()["Parameters"].items():
        secret = any(word in name for word in ("Password", "Key", "Credential", "DatabaseUrl"))
        assert not secret, f"{name}: give the ARN of a secret instead"
        assert "secret" not in str(parameter.get("Default", "")).lower(), name


@each
def test_names_layers_are_five_at_most_and_the_parser_has_its_own(stack: Stack) -> None:
    for name, function in stack.functions.items():
        layers = [named(layer).rstrip("0123456789abcdef") for layer in function["Layers"]]
        assert layers[:2] == ["RuntimeLayer", "SharedLayer"], name
        assert len(layers) == len(set(layers)) <= 5, name
        assert ("ParseLayer" in layers) == (name == "IngestExtractFunction"), name
        assert "OpenidLayer" not in layers or name == "AuthFunction", name


@pytest.mark.parametrize(
    ("stack", "expected"),
    [
        (stacks("url")[0], ["EmbedLayer"]),
        (stacks("aurora_remote")[0], ["LlmLayer", "PineconeLayer"]),
        (stacks("everything")[0], ["EmbedLayer", "LlmLayer", "PineconeLayer"]),
    ],
    ids=str,
)
def test_names_model_layers_follow_the_parameters(stack: Stack, expected: list[str]) -> None:
    for name in ("SearchFunction", "ChatsFunction", "StreamsFunction", "IngestEmbedFunction"):
        layers = [named(layer).rstrip("0123456789abcdef") for layer in stack.functions[name]["Layers"]]
        assert layers[2:] == expected, name


@pytest.mark.parametrize(
    ("stack", "given"),
    [(stacks("url")[0], False), (stacks("everything")[0], True), (stacks("local")[0], True)],
    ids=str,
)
def test_names_openid_layer_follows_the_parameters(stack: Stack, *, given: bool) -> None:
    layers = [named(layer).rstrip("0123456789abcdef") for layer in stack.functions["AuthFunction"]["Layers"]]
    assert layers[2:] == (["OpenidLayer"] if given else [])


@each
def test_names_one_runtime_and_architecture_for_all(stack: Stack) -> None:
    for name, function in stack.functions.items():
        assert function["Runtime"] == "python3.12", name
        assert function["Architectures"] == ["arm64"], name
    for name, layer in stack.of_type("AWS::Lambda::LayerVersion").items():
        assert layer["CompatibleArchitectures"] == ["arm64"], name


def test_names_events_are_written_one_way() -> None:
    for path in sorted((ROOT / "events").glob("*/*.json")):
        text = path.read_text(encoding="utf-8")
        assert text == json.dumps(json.loads(text), indent=2, ensure_ascii=False) + "\n", path.name
