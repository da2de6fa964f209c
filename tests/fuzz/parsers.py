"""The parsers under a coverage-guided fuzzer, outside the cage, so that a crash is seen where it happens.

    uv run --with atheris python -m tests.fuzz.parsers [--runs 100000] [--seconds 300] [--format pdf] [--finds FOLDER]

The first byte of an input chooses the file's name, the rest is the file. An input counts as a find when reading it
ends in anything but a text that is sound or a known refusal, takes more than 20 seconds or 2 GiB, or brings the process
down; it is left in the folder of finds, and `python -m tests.fuzz.parsers FILE` reads it again. The first inputs are
the small files that the tests make.
"""

import argparse
import sys
import tempfile
from collections.abc import Callable
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

_SECONDS, _MEBIBYTES, _LONGEST = 20, 2048, 1 << 16
_INSTRUMENTED = [
    "shared.adapters.files",
    "email",
    "markdown_it",
    "openpyxl",
    "oxmsg",
    "olefile",
    "striprtf",
    "zipfile",
]


def names(wanted: str) -> list[str]:
    """Of the samples of one extension, or of all."""
    from tests.corpora.samples import samples

    return sorted(name for name in samples() if not wanted or name.endswith(f".{wanted}"))


def inputs(folder: Path, wanted: str) -> None:
    """Write the first inputs."""
    from tests.corpora.samples import samples

    for number, name in enumerate(names(wanted)):
        (folder / name).write_bytes(bytes([number]) + samples()[name])


def target(wanted: str) -> Callable[[bytes], None]:
    """What the fuzzer calls. Everything it uses is imported here, which must happen under instrumentation.

    Raises:
        AssertionError: (by what is returned) the text is unsound.
    """
    from shared.adapters.files.catalogue import FORMATS
    from shared.adapters.files.limits import MEBIBYTE, CageLimits
    from shared.adapters.files.reading import read_bytes, reader_of
    from shared.adapters.treesitter.syntax import TreeSitterSyntax
    from shared.domain.errors import Rejected
    from shared.domain.retrying import UNREADABLE

    limits = replace(CageLimits(), text_chars=1_000_000, archive_bytes=32 * MEBIBYTE, pages=200)
    known = names(wanted)
    syntax = TreeSitterSyntax()
    for format_ in FORMATS.values():
        reader_of(format_)

    def one_input(data: bytes) -> None:
        name = known[data[0] % len(known)] if data else known[0]
        try:
            extracted = read_bytes(data[1:], name=name, declared_type="", limits=limits, syntax=syntax)
        except Rejected as error:
            if error.code not in UNREADABLE:
                raise AssertionError(f"unknown reason {error.code}") from error
            return
        assert extracted.problems() == []
        extracted.text.encode()

    return one_input


def fuzz(chosen: argparse.Namespace, folder: Path) -> None:
    """Hand over to the fuzzer, which ends the process."""
    fuzzer: Any = import_module("atheris")
    with fuzzer.instrument_imports(include=_INSTRUMENTED):
        one_input = target(chosen.format)
    inputs(folder, chosen.format)
    chosen.finds.mkdir(parents=True, exist_ok=True)
    options = [
        f"-runs={chosen.runs}",
        f"-max_total_time={chosen.seconds}",
        f"-timeout={_SECONDS}",
        f"-rss_limit_mb={_MEBIBYTES}",
        f"-max_len={_LONGEST}",
        f"-artifact_prefix={chosen.finds}/",
        f"-seed={chosen.seed}",
        "-print_final_stats=1",
    ]
    fuzzer.Setup([sys.argv[0], *options, str(folder)], one_input)
    fuzzer.Fuzz()


def main() -> None:
    """Fuzz, or read one find again."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("find", type=Path, nargs="?", help="read this input alone")
    parser.add_argument("--runs", type=int, default=100_000)
    parser.add_argument("--seconds", type=int, default=0, help="stop after so long; 0 = after the runs")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--format", default="", help="one extension only")
    parser.add_argument("--finds", type=Path, default=Path(tempfile.gettempdir()) / "lambent-finds")
    chosen = parser.parse_args()
    if chosen.find:
        target(chosen.format)(chosen.find.read_bytes())
        return
    with tempfile.TemporaryDirectory(prefix="lambent-fuzz-") as name:
        fuzz(chosen, Path(name))


if __name__ == "__main__":
    main()
