"""What a terminal shows: nothing wraps badly, nothing is obeyed."""

import io
from pathlib import Path

import pytest
from rich.cells import cell_len
from rich.console import Console

from shared.cli import answers, progress
from shared.cli.outcomes import Outcome
from shared.cli.output import Column, Output, roomy, tail_of
from shared.cli.pipeline import told
from shared.cli.sources import Source

ID = "01a1fe19-6157-7484-9a6b-f7344e1fd4c2"


class Screen(Output):
    """A terminal 100 cells wide, kept in memory."""

    def __init__(self, width: int = 100) -> None:
        super().__init__()
        self.shown = io.StringIO()
        self._out = self._err = Console(
            file=self.shown,
            force_terminal=True,
            color_system=None,
            width=width,
            height=40,
            markup=False,
            highlight=False,
            emoji=False,
        )

    @property
    def lines(self) -> list[str]:
        return [line.rstrip() for line in self.shown.getvalue().splitlines()]


@pytest.fixture
def screen() -> Screen:
    return Screen()


def test_table_too_wide_keeps_ids_and_the_ends_of_paths(screen: Screen) -> None:
    columns = [Column("Document", tail=True), Column("Note", flexible=True), Column("Id")]
    screen.table(columns, [("a/very/long/path/" * 5 + "leave.md", "words " * 20, ID)])
    assert len(screen.lines) == 2
    assert all(cell_len(line) <= 100 for line in screen.lines)
    assert screen.lines[1].endswith(ID)
    assert "leave.md " in screen.lines[1]
    assert screen.lines[1].startswith("…")


def test_table_wrapping_column_shows_every_word(screen: Screen) -> None:
    words = " ".join(f"word{index}" for index in range(40))
    screen.table([Column("Document"), Column("Why", wraps=True)], [("x.pdf", words)])
    assert all(cell_len(line) <= 100 for line in screen.lines)
    assert "word39" in screen.shown.getvalue()


def test_table_column_without_content_takes_no_room(screen: Screen) -> None:
    screen.table([Column("A"), Column("Tags"), Column("B")], [("1", "", "2")])
    assert screen.lines[0] == "A  B"


def test_table_wide_characters_fit(screen: Screen) -> None:
    screen.table([Column("Document", tail=True), Column("Id")], [("資料" * 60 + ".pdf", ID)])
    assert all(cell_len(line) <= 100 for line in screen.lines)


def test_table_markup_and_escapes_of_others_are_shown_as_they_are(screen: Screen) -> None:
    screen.table([Column("Name")], [("[red]x[/red] :smile: \x1b[2J",)])
    assert screen.lines[1] == "[red]x[/red] :smile: �[2J"


def test_facts_leave_out_what_is_empty(screen: Screen) -> None:
    screen.facts([("name", "x"), ("title", ""), ("long", "y" * 120)])
    assert [line[:4] for line in screen.lines] == ["name", "long", "    "]


def test_tail_of_keeps_the_end() -> None:
    assert tail_of("abcdef", 6) == "abcdef"
    assert tail_of("abcdef", 4) == "…def"


def test_indented_breaks_at_words(screen: Screen) -> None:
    screen.indented("word " * 40, 4)
    assert all(line.startswith("    word") and len(line) <= 100 for line in screen.lines)


def test_bars_count_steps_bytes_and_failures(screen: Screen) -> None:
    with progress.watching(screen) as watcher:
        watcher.planned([Source(Path("a"), "a", 600), Source(Path("b"), "b", 400)])
        watcher.sent(600)
        watcher.moved("a", "chunking")
        watcher.ended(Outcome("b", "failed"))
        watcher.ended(Outcome("a", "indexed", bytes=600))
        shown = screen.shown
    assert "1.0 kB of 1.0 kB" in shown.getvalue()
    assert "2 of 2, 1 failed" in shown.getvalue()
    assert all(cell_len(line) <= 100 for line in screen.lines)


def test_told_puts_steps_in_order() -> None:
    assert told({"publishing": 5, "awaiting_upload": 1000, "other": 1}) == "upload 1.0 s · publish 5 ms · other 1 ms"


def answer_of(content: str, *, supported: bool) -> dict[str, object]:
    message = {
        "id": "m",
        "role": "assistant",
        "content": content,
        "found": True,
        "citations": [],
        "sentences": [{"start": 0, "end": len(content), "citations": [], "supported": supported}],
        "receipt": None,
        "created_at": "2026-03-02T09:00:00Z",
    }
    return {"question": message, "answer": message}


def test_stream_answer_on_a_terminal_shows_it_while_it_comes(screen: Screen) -> None:
    deltas = [("delta", {"text": f"word{index} "}) for index in range(3)]
    answers.stream_answer(screen, [*deltas, ("answer", answer_of("word0 word1 [1]", supported=False))])
    shown = screen.shown.getvalue()
    assert "word0 word1 word2" in shown
    assert shown.index("word2") < shown.index("word0 word1 [1]")
    assert "No source supports" in shown


def test_stream_answer_longer_than_the_screen_shows_its_end(screen: Screen) -> None:
    text = "".join(f"line {index}\n" for index in range(500))
    answers.stream_answer(screen, [("delta", {"text": text}), ("answer", answer_of(text, supported=True))])
    assert "line 499" in screen.shown.getvalue()


def test_roomy_leaves_out_spare_columns_until_the_others_can_be_read() -> None:
    columns = [Column("Name", flexible=True), Column("Mail", flexible=True), Column("Note", spare=True)]
    columns += [Column("Id", spare=True)]
    natural = [40, 30, 20, 36]
    assert roomy([0, 1, 2, 3], columns, natural, 130) == [0, 1, 2, 3]
    assert roomy([0, 1, 2, 3], columns, natural, 80) == [0, 1, 2]
    assert roomy([0, 1, 2, 3], columns, natural, 60) == [0, 1]
    assert roomy([0, 1], columns, natural, 20) == [0, 1]


def test_table_in_a_narrow_terminal_leaves_out_the_id_and_a_pipe_never_does(capsys: pytest.CaptureFixture[str]) -> None:
    columns = [Column("Member", flexible=True), Column("Role"), Column("Id", spare=True)]
    rows = [("charles.babbage@example.com", "compliance auditor", ID)]
    for width, there in ((80, False), (120, True)):
        screen = Screen(width)
        screen.table(columns, rows)
        assert (ID in screen.shown.getvalue()) is there
        assert "charles.babbage@example.com" in screen.shown.getvalue()
    Output().table(columns, rows)
    assert ID in capsys.readouterr().out
