"""What FastAPI brings along and no function here uses: stood in for while FastAPI is first imported.

Two things, together some 50 ms of the processor in every start: the vocabulary of OpenAPI, 40 models that describe an
API to people (a function describes itself to nobody), and OpenTelemetry's interface (`create_api` turns it off). Names
of what is stood in for are classes; the vocabulary's make the real thing when they are called. Once FastAPI is there
both can be imported as ever, and what was there before is left as it is.
"""

import importlib
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

VOCABULARY = "fastapi.openapi.models"
TELEMETRY = "opentelemetry"
TELEMETRY_MODULES = tuple(
    f"{TELEMETRY}{part}"
    for part in ("", "._logs", ".context", ".metrics", ".propagate", ".propagators", ".propagators.textmap", ".trace")
)


class _Word(type):
    """A class that stands for one of the vocabulary: called, asked or compared, it is the real one."""

    importing = True

    def real(cls) -> Any:
        return getattr(importlib.import_module(VOCABULARY), cls.__name__)

    def __call__(cls, *args: Any, **values: Any) -> Any:
        # The default of a parameter, which FastAPI makes while it is imported.
        return _Unsaid() if _Word.importing and not (args or values) else cls.real()(*args, **values)

    def __getattr__(cls, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(cls.real(), name)

    def __instancecheck__(cls, instance: object) -> bool:
        return isinstance(instance, cls.real())

    def __subclasscheck__(cls, other: type) -> bool:
        return issubclass(other, cls.real())


class _Unsaid:
    """The flows of FastAPI's own OAuth2 class when none are given. Nothing here uses it; Pydantic refuses it."""


class _Vocabulary(ModuleType):
    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return _Word(name, (), {"__module__": VOCABULARY})


class _Quiet(ModuleType):
    """A module of OpenTelemetry that knows of no trace, no meter and no log."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.__path__: list[str] = []

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        if f"{self.__name__}.{name}" in TELEMETRY_MODULES:
            return sys.modules[f"{self.__name__}.{name}"]
        return QUIET.get(name) or type(name, (), {"__class_getitem__": classmethod(lambda cls, _: cls)})


def _unset(module: str, name: str) -> Callable[[], Any]:
    """What says that nobody has set up a provider: FastAPI knows it by its class."""
    return type(name, (), {"__module__": module})


QUIET: dict[str, Callable[..., Any]] = {
    "create_key": lambda name: name,
    "get_value": lambda key, context=None: None,
    "get_tracer_provider": _unset("opentelemetry.trace", "ProxyTracerProvider"),
    "get_meter_provider": _unset("opentelemetry.metrics._internal", "_ProxyMeterProvider"),
    "get_logger_provider": _unset("opentelemetry._logs._internal", "ProxyLoggerProvider"),
}
"""What FastAPI asks of OpenTelemetry when it is imported, and in each request."""


@contextmanager
def unneeded() -> Iterator[None]:
    """While FastAPI is imported for the first time in the block, what is named here is not loaded."""
    stands: dict[str, ModuleType] = {}
    if "fastapi" not in sys.modules:
        stands[VOCABULARY] = _Vocabulary(VOCABULARY)
        if TELEMETRY not in sys.modules:
            stands |= {name: _Quiet(name) for name in TELEMETRY_MODULES}
    sys.modules.update(stands)
    try:
        yield
    finally:
        _Word.importing = False
        for name in stands:
            del sys.modules[name]
            # The package holds the stand as an attribute too: the next import is to find the real module.
            package, _, own = name.rpartition(".")
            vars(sys.modules.get(package, ModuleType(package))).pop(own, None)
