"""Which variables, paths and limits a function gets on this machine."""

import platform
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from shared.local import template as sam
from shared.local.deploy import Deployed
from shared.local.errors import StepFailed
from shared.local.functions import FunctionSpec
from shared.local.specs import Place, function_specs

INTERNAL = {
    sam.TIMEOUT_VARIABLE: "29",
    sam.HANDLER_VARIABLE: "functions.one.app.handler",
    sam.RESERVED_VARIABLE: "",
    sam.LAYERS_VARIABLE: "FirstLayer,SecondLayer",
    sam.PROXY_VARIABLE: "http://host",
}


def spec(place: Place, variables: Mapping[str, str]) -> FunctionSpec:
    layer: dict[str, Any] = {"Type": "AWS::Serverless::LayerVersion"}
    template = {
        "Resources": {
            "FirstLayer": layer | {"Properties": {"ContentUri": "layers/first"}},
            "SecondLayer": layer | {"Properties": {"ContentUri": "layers/second"}},
            "OneFunction": {"Type": "AWS::Serverless::Function", "Properties": {}},
        }
    }
    deployed = Deployed({}, {}, {"OneFunction": {**INTERNAL, **variables}}, {"OneFunction": 512})
    return function_specs(template, deployed, place)[0]


def place(root: Path, **changes: Any) -> Place:
    return Place(root, "http://aws", root / "model", "url", "owner-url", **changes)


def test_function_specs_internal_variables_never_reach_the_function(tmp_path: Path) -> None:
    one = spec(place(tmp_path), {"LAMBENT_STAGE": "local"})
    assert one.environment == {"LAMBENT_STAGE": "local", "AWS_ENDPOINT_URL": "http://aws"}
    assert (one.handler, one.timeout, one.memory_mb) == ("functions.one.app.handler", 29.0, 512)
    assert (one.paths, one.task_root, one.isolated) == ((tmp_path,), tmp_path, False)


def test_function_specs_database_goes_only_to_functions_that_declare_it(tmp_path: Path) -> None:
    with_database = spec(place(tmp_path), {"LAMBENT_DATABASE_SECRET_ARN": "", "LAMBENT_DATABASE_HOST": "h"}).environment
    owner = spec(place(tmp_path), {"LAMBENT_DATABASE_OWNER_SECRET_ARN": ""}).environment
    without = spec(place(tmp_path), {}).environment
    assert with_database == {"LAMBENT_DATABASE_URL": "url", "AWS_ENDPOINT_URL": "http://aws"}
    assert owner == {"LAMBENT_DATABASE_OWNER_URL": "owner-url", "AWS_ENDPOINT_URL": "http://aws"}
    assert without == {"AWS_ENDPOINT_URL": "http://aws"}


def test_function_specs_keys_go_only_to_functions_that_may_read_the_secret(tmp_path: Path) -> None:
    given = place(tmp_path, environment={"LAMBENT_MODEL_API_KEY": "k", "LAMBENT_LLM": "openai_api"})
    chats = spec(given, {"LAMBENT_MODEL_SECRET_ARN": "", "LAMBENT_LLM": "extractive"}).environment
    parser = spec(given, {}).environment
    assert (chats["LAMBENT_MODEL_API_KEY"], chats["LAMBENT_LLM"]) == ("k", "openai_api")
    assert parser == {"AWS_ENDPOINT_URL": "http://aws"}


def test_function_specs_paths_below_opt_are_found_in_the_last_layer_that_has_them(tmp_path: Path) -> None:
    for layer in ("first", "second"):
        (tmp_path / "layers" / layer).mkdir(parents=True)
        (tmp_path / "layers" / layer / "data").touch()
    one = spec(place(tmp_path), {"A": "/opt/data", "B": "/opt/none"})
    assert one.environment["A"] == str(tmp_path / "layers" / "second" / "data")
    assert one.environment["B"] == "/opt/none"


def test_function_specs_model_path_falls_back_to_the_prepared_one(tmp_path: Path) -> None:
    environment = spec(place(tmp_path), {"LAMBENT_LOCAL_MODEL_PATH": "/opt/model"}).environment
    assert environment["LAMBENT_LOCAL_MODEL_PATH"] == str(tmp_path / "model")


def test_function_specs_exec_wrapper_is_found_or_the_start_fails(tmp_path: Path) -> None:
    with pytest.raises(StepFailed, match="in none of its layers"):
        spec(place(tmp_path), {"AWS_LAMBDA_EXEC_WRAPPER": "/opt/wrap"})
    (tmp_path / "layers" / "first").mkdir(parents=True)
    wrapper = tmp_path / "layers" / "first" / "wrap"
    wrapper.touch(mode=0o755)
    one = spec(place(tmp_path), {"AWS_LAMBDA_EXEC_WRAPPER": "/opt/wrap"})
    assert one.exec_wrapper == wrapper
    assert "AWS_LAMBDA_EXEC_WRAPPER" not in one.environment


def test_function_specs_reserved_concurrency_is_a_bound(tmp_path: Path) -> None:
    assert spec(place(tmp_path), {sam.RESERVED_VARIABLE: "2"}).concurrency == 2
    assert spec(place(tmp_path), {}).concurrency >= 4


def test_function_specs_built_sees_its_artifact_its_layers_and_the_runtime(tmp_path: Path) -> None:
    build, runtime = tmp_path / "build", tmp_path / "runtime"
    for folder in ("OneFunction", "FirstLayer/python", "SecondLayer/python/lib/python3.12/site-packages"):
        (build / folder).mkdir(parents=True)
    one = spec(place(tmp_path, build=build, runtime=runtime), {})
    layers = build / "SecondLayer" / "python"
    site = layers / "lib" / "python3.12" / "site-packages"
    assert one.paths == (build / "OneFunction", site, layers, build / "FirstLayer" / "python", runtime / "python")
    assert (one.interpreter, one.isolated) == (runtime / "bin" / "python3", True)


def test_function_specs_built_for_another_machine_fails(tmp_path: Path) -> None:
    other = "aarch64" if platform.machine() == "x86_64" else "x86_64"
    native = tmp_path / "build" / "FirstLayer" / "python" / "package" / f"_core.cpython-312-{other}-linux-gnu.so"
    native.parent.mkdir(parents=True)
    native.touch()
    with pytest.raises(StepFailed, match="another architecture"):
        spec(place(tmp_path, build=tmp_path / "build", runtime=tmp_path / "runtime"), {})


def test_function_specs_built_but_not_there_fails(tmp_path: Path) -> None:
    with pytest.raises(StepFailed, match="no built OneFunction"):
        spec(place(tmp_path, build=tmp_path / "build", runtime=tmp_path / "runtime"), {})
