"""Which files are meant, and what they are called."""

from pathlib import Path

import pytest

from shared.cli.errors import CliError
from shared.cli.sources import Sources, collect, digest, media_type


def keys(found: Sources) -> list[str]:
    return [one.key for one in found.files]


def make(root: Path, *names: str) -> Path:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(name)
    return root


def test_collect_folder_takes_everything_below_it(tmp_path: Path) -> None:
    root = make(tmp_path / "docs", "b.md", "a/c.txt", "a/d/e.pdf")
    assert keys(collect([root])) == ["docs/b.md", "docs/a/c.txt", "docs/a/d/e.pdf"]


def test_collect_passes_over_hidden_files_and_junk(tmp_path: Path) -> None:
    junk = (
        ".hidden.md",
        ".git/config",
        "node_modules/x.js",
        "__pycache__/x.pyc",
        "Thumbs.db",
        "~$a.docx",
        "a.md~",
        "x.png",
        "x.zip",
        "x.mp4",
    )
    found = collect([make(tmp_path / "docs", "a.md", *junk)])
    assert keys(found) == ["docs/a.md"]
    assert found.passed_over == {
        "hidden folders": 1,
        "hidden files": 1,
        "system and temporary files": 3,
        "pictures, sound and video": 2,
        "archives": 1,
    }


def test_collect_file_named_itself_is_taken_whatever_it_is(tmp_path: Path) -> None:
    root = make(tmp_path, ".hidden.md", "x.png")
    assert keys(collect([root / ".hidden.md", root / "x.png"])) == [".hidden.md", "x.png"]


def test_collect_same_key_twice_is_refused(tmp_path: Path) -> None:
    root = make(tmp_path, "a/x.md", "b/x.md")
    with pytest.raises(CliError, match=r"would both be the document 'x\.md'") as caught:
        collect([root / "a" / "x.md", root / "b" / "x.md"])
    assert "--base" in caught.value.hint


def test_collect_same_file_twice_is_one(tmp_path: Path) -> None:
    root = make(tmp_path, "a/x.md")
    assert keys(collect([root / "a", root / "a"])) == ["a/x.md"]


def test_collect_base_counts_paths_from_there(tmp_path: Path) -> None:
    root = make(tmp_path, "a/x.md", "b/x.md")
    assert keys(collect([root / "a" / "x.md", root / "b"], base=root)) == ["a/x.md", "b/x.md"]


def test_collect_outside_base_is_refused(tmp_path: Path) -> None:
    root = make(tmp_path, "a/x.md", "b/x.md")
    with pytest.raises(CliError, match="not below"):
        collect([root / "a"], base=root / "b")


def test_collect_current_folder_goes_by_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(make(tmp_path / "docs", "a.md"))
    assert keys(collect([Path()])) == ["docs/a.md"]


def test_collect_missing_path_is_named() -> None:
    with pytest.raises(CliError, match="nowhere"):
        collect([Path("nowhere")])


def test_collect_name_that_is_not_utf_8_becomes_readable(tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    Path(f"{tmp_path}/docs/caf\udce9.txt").touch()
    assert keys(collect([tmp_path / "docs"])) == ["docs/caf�.txt"]


def test_collect_link_to_nowhere_is_passed_over(tmp_path: Path) -> None:
    root = make(tmp_path / "docs", "a.md")
    (root / "gone.md").symlink_to(root / "nothing.md")
    assert collect([root]).passed_over == {"neither file nor folder": 1}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("a.PDF", "application/pdf"),
        ("a.md", "text/markdown"),
        ("a.eml", "message/rfc822"),
        ("README", ""),
        ("a.ts", "text/x-typescript"),
    ],
)
def test_media_type_follows_the_ending(name: str, expected: str) -> None:
    assert media_type(name) == expected


def test_digest_is_sha256(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"abc")
    assert digest(tmp_path / "x") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
