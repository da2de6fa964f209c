"""What becomes of the template on this machine."""

import json
from pathlib import Path
from typing import Any

import pytest

from shared.local import template as sam
from shared.local.errors import TemplateInvalid
from tests.local.conftest import CLOUD

REGION = "us-east-1"
ROOT = Path(__file__).parents[2]


def deployed(path: Path = CLOUD / "template.yaml", **parameters: str) -> dict[str, Any]:
    template = sam.load(path)
    values = sam.parameter_values(template, sam.local_parameters() | parameters)
    return sam.transform(sam.localize(template, "http://127.0.0.1:1"), values, REGION)


def test_load_short_tags_become_their_long_form(tmp_path: Path) -> None:
    file = tmp_path / "template.yaml"
    file.write_text("Resources:\n  A: {B: !Ref C, D: !GetAtt E.F.G, H: !If [I, !Sub '${J}', k], L: !Condition M}\n")
    resource = sam.load(file)["Resources"]["A"]
    expected = {
        "B": {"Ref": "C"},
        "D": {"Fn::GetAtt": ["E", "F.G"]},
        "H": {"Fn::If": ["I", {"Fn::Sub": "${J}"}, "k"]},
        "L": {"Condition": "M"},
    }
    assert resource == expected


@pytest.mark.parametrize("text", ["a: [", "just a word", "Resources: []"])
def test_load_something_else_is_invalid(tmp_path: Path, text: str) -> None:
    file = tmp_path / "template.yaml"
    file.write_text(text)
    with pytest.raises(TemplateInvalid):
        sam.load(file)


def test_load_missing_file_is_invalid(tmp_path: Path) -> None:
    with pytest.raises(TemplateInvalid, match="there is no"):
        sam.load(tmp_path / "template.yaml")


def test_parameter_values_without_default_is_invalid() -> None:
    with pytest.raises(TemplateInvalid, match="Name has no default"):
        sam.parameter_values({"Parameters": {"Name": {"Type": "String"}}}, {})


def test_localize_shared_anchor_gives_every_function_its_own_address() -> None:
    shared: dict[str, Any] = {"Variables": {"A": "1"}}
    functions = {
        name: {"Type": "AWS::Serverless::Function", "Properties": {"Handler": "a.b", "Environment": shared}}
        for name in ("OneFunction", "TwoFunction")
    }
    local = sam.localize({"Resources": functions}, "http://host")["Resources"]
    for name in functions:
        assert local[name]["Properties"]["Environment"]["Variables"][sam.PROXY_VARIABLE] == f"http://host/invoke/{name}"


def test_transform_any_becomes_one_method_each() -> None:
    paths = deployed()["Resources"]["Api"]["Properties"]["Body"]["paths"]
    methods = {"get", "post", "put", "patch", "delete", "head", "options"}
    assert {path: methods <= set(item) for path, item in paths.items()} == dict.fromkeys(paths, True)
    assert "x-amazon-apigateway-any-method" not in json.dumps(paths)


def test_transform_numeric_parameters_become_numbers() -> None:
    mapping = deployed(StageConcurrency="3")["Resources"]["ReceiveMapping"]["Properties"]
    assert mapping["ScalingConfig"]["MaximumConcurrency"] == 3


def test_transform_layers_and_code_are_left_out() -> None:
    resources = deployed()["Resources"]
    assert not [name for name, item in resources.items() if item["Type"] == "AWS::Lambda::LayerVersion"]
    notes = resources["NotesFunction"]["Properties"]
    assert "Layers" not in notes
    assert notes["Environment"]["Variables"][sam.LAYERS_VARIABLE] == {"Fn::Join": [",", ["SharedLayer"]]}


def test_transform_broken_template_says_why() -> None:
    function = {
        "Type": "AWS::Serverless::Function",
        "Properties": {"Handler": "a.b", "Events": {"E": {"Type": "Nonsense"}}},
    }
    with pytest.raises(TemplateInvalid, match="OneFunction"):
        sam.transform({"Resources": {"OneFunction": function}}, {}, REGION)


def test_stream_routes_are_those_that_stream() -> None:
    assert sam.stream_routes(sam.load(CLOUD / "template.yaml")) == {"/api/v1/streams/{proxy+}": "StreamsFunction"}


def test_fingerprint_changes_with_parameters_and_address() -> None:
    template = sam.load(CLOUD / "template.yaml")
    prints = {
        sam.fingerprint(template, {}, "http://a"),
        sam.fingerprint(template, {"Stage": "x"}, "http://a"),
        sam.fingerprint(template, {}, "http://b"),
    }
    assert len(prints) == 3


def test_transform_the_systems_own_template_has_an_address_for_every_function() -> None:
    path = ROOT / "template.yaml"
    resources = deployed(path)["Resources"]
    for name in sam.function_names(sam.load(path)):
        variables = resources[name]["Properties"]["Environment"]["Variables"]
        assert variables[sam.PROXY_VARIABLE] == f"http://127.0.0.1:1/invoke/{name}"
