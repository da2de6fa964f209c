"""From what is deployed to what the host runs: every function with its real variables, its paths and its limits."""

import os
import platform
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from shared.local import template as sam
from shared.local.deploy import Deployed
from shared.local.errors import StepFailed
from shared.local.functions import DEFAULT_CONCURRENCY, FunctionSpec

_OPT = "/opt/"
_WRAPPER = "AWS_LAMBDA_EXEC_WRAPPER"
_MODEL = "LAMBENT_LOCAL_MODEL_PATH"
# A function that may read the secret on AWS gets the value here; no other does.
_SECRET_OF = {
    "LAMBENT_MODEL_API_KEY": "LAMBENT_MODEL_SECRET_ARN",
    "LAMBENT_RECEIPT_SEED": "LAMBENT_RECEIPT_KEY_ARN",
    "LAMBENT_PINECONE_API_KEY": "LAMBENT_PINECONE_SECRET_ARN",
    "LAMBENT_OIDC_SECRETS": "LAMBENT_OIDC_SECRETS_ARN",
}
_DATABASE = ("LAMBENT_DATABASE_URL", "LAMBENT_DATABASE_SECRET_ARN", "LAMBENT_DATABASE_HOST", "LAMBENT_DATABASE_NAME")
_OWNER = ("LAMBENT_DATABASE_OWNER_URL", "LAMBENT_DATABASE_OWNER_SECRET_ARN")


@dataclass(frozen=True, slots=True)
class Place:
    """Where the functions' code is and what stands in for AWS around them.

    Attributes:
        root: the repository.
        build: `.aws-sam/build` to run built artifacts; None to run the sources.
        runtime: folder made by `runtime_folder`, needed for built artifacts.
        model: folder of the local embedding model.
        aws_url: endpoint of MiniStack.
        database_url, owner_url: SQLAlchemy addresses for the application's role and for the owner's.
        environment: values for variables that a function's template entry declares.
    """

    root: Path
    aws_url: str
    model: Path
    database_url: str = ""
    owner_url: str = ""
    build: Path | None = None
    runtime: Path | None = None
    environment: Mapping[str, str] = field(default_factory=dict)


def function_specs(template: sam.Json, deployed: Deployed, place: Place) -> tuple[FunctionSpec, ...]:
    """All functions of the template, ready for the host.

    Raises:
        StepFailed: built artifacts are wanted and one is missing, or a function's exec wrapper is nowhere to be found.
    """
    if place.build is not None:
        _check_architecture(place.build)
    contents = _layer_contents(template, place)
    return tuple(_spec(name, deployed, place, contents) for name in sam.function_names(template))


def _spec(name: str, deployed: Deployed, place: Place, contents: Mapping[str, Path]) -> FunctionSpec:
    variables = dict(deployed.environments[name])
    timeout = float(variables.pop(sam.TIMEOUT_VARIABLE))
    handler = variables.pop(sam.HANDLER_VARIABLE)
    reserved = variables.pop(sam.RESERVED_VARIABLE)
    layers = [layer for layer in variables.pop(sam.LAYERS_VARIABLE).split(",") if layer]
    for internal in (sam.PROXY_VARIABLE, sam.CODE_VARIABLE):
        variables.pop(internal, None)
    # Later layers lie over earlier ones below /opt.
    opt = [contents[layer] for layer in reversed(layers)]
    wrapper = variables.pop(_WRAPPER, "")
    limit = max(DEFAULT_CONCURRENCY, os.cpu_count() or 1)
    return FunctionSpec(
        name=name,
        handler=handler,
        paths=_paths(name, opt, place),
        environment=_environment(variables, opt, place),
        timeout=timeout,
        memory_mb=deployed.memory_mb[name],
        concurrency=min(int(reserved), limit) if reserved else limit,
        task_root=_task_root(name, place),
        exec_wrapper=_wrapper(name, wrapper, opt) if wrapper else None,
        interpreter=place.runtime / "bin" / "python3" if place.build and place.runtime else None,
        isolated=place.build is not None,
    )


def _environment(variables: dict[str, str], opt: list[Path], place: Place) -> dict[str, str]:
    declared = frozenset(variables)
    local = {key: _below_opt(value, opt) for key, value in variables.items()}
    local |= {key: value for key, value in place.environment.items() if {key, _SECRET_OF.get(key)} & declared}
    if _MODEL in declared and not (Path(local[_MODEL]) / "model.onnx").exists():
        local[_MODEL] = str(place.model)
    _replace(local, declared, _DATABASE, place.database_url)
    _replace(local, declared, _OWNER, place.owner_url)
    return {**local, "AWS_ENDPOINT_URL": place.aws_url}


def _replace(local: dict[str, str], declared: frozenset[str], names: tuple[str, ...], value: str) -> None:
    """Gives the first of `names` the local value if the template declares any of them for the function."""
    if not value or declared.isdisjoint(names):
        return
    for name in names:
        local.pop(name, None)
    local[names[0]] = value


def _below_opt(value: str, opt: list[Path]) -> str:
    """A path below /opt as it is on this machine, when one of the function's layers has it."""
    if value.startswith(_OPT):
        for folder in opt:
            if (found := folder / value.removeprefix(_OPT)).exists():
                return str(found)
    return value


def _wrapper(name: str, value: str, opt: list[Path]) -> Path:
    found = Path(_below_opt(value, opt))
    if not os.access(found, os.X_OK):
        raise StepFailed(
            f"{name}: its exec wrapper {value} is in none of its layers ({', '.join(map(str, opt))}) or not executable"
        )
    return found


def _task_root(name: str, place: Place) -> Path:
    if place.build is None:
        return place.root
    folder = place.build / name
    if not folder.is_dir():
        raise StepFailed(f"there is no built {name} in {place.build}", "Run `sam build` first, or leave out --built.")
    return folder


def _check_architecture(build: Path) -> None:
    """Built layers run on one architecture; the wrong one shows as a baffling import error otherwise.

    Raises:
        StepFailed: the layers were built for another machine than this.
    """
    here = "aarch64" if platform.machine().lower() in ("arm64", "aarch64") else "x86_64"
    other = next(
        (file for file in build.glob("*Layer/python/*/*.so") if here not in file.name and "-linux" in file.name), None
    )
    if other is not None:
        name = "arm64" if here == "aarch64" else here
        hint = f"Run `make -C layers build ARCHITECTURE={name}`."
        raise StepFailed(f"the layers were built for another architecture than {name}: {other.name}", hint)


def _paths(name: str, opt: list[Path], place: Place) -> tuple[Path, ...]:
    """What the function may import, in Lambda's order: its own code, its layers, then what the runtime brings along."""
    task = _task_root(name, place)
    if place.build is None or place.runtime is None:
        return (task,)
    layers = [
        part
        for folder in opt
        for part in (folder / "python" / "lib" / "python3.12" / "site-packages", folder / "python")
    ]
    return (task, *(part for part in layers if part.is_dir()), place.runtime / "python")


def _layer_contents(template: sam.Json, place: Place) -> dict[str, Path]:
    """The folder that becomes /opt, for each layer: as built, or the recipe's folder when sources run."""
    contents: dict[str, Path] = {}
    for name, item in template["Resources"].items():
        if str(item.get("Type")).endswith("::LayerVersion"):
            source = place.root / str(item["Properties"].get("ContentUri", "."))
            contents[name] = source if place.build is None else place.build / name
    return contents
