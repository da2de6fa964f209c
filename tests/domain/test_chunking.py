"""Cutting texts into pieces: what must hold for every text, and what readers expect of ordinary ones."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.domain.chunking import chunk, estimate_tokens
from shared.domain.chunks import Chunking, ChunkMethod, Piece
from shared.domain.extracted import Block, BlockKind, Extracted, Page

_SENTENCE = "The river rises in the hills above the old town and flows east."


def _extracted(
    text: str, blocks: tuple[Block, ...] = (), pages: tuple[Page, ...] = (), language: str = "en"
) -> Extracted:
    made = Extracted(text, "text/plain", "0" * 64, len(text), language=language, blocks=blocks, pages=pages)
    assert made.problems() == []
    return made


def _build(*parts: tuple[BlockKind, str, int], pages: bool = False) -> Extracted:
    """A text of blocks, with a page for every part if asked for."""
    text, blocks, leaves = "", [], []
    for number, (kind, words, level) in enumerate(parts, 1):
        start = len(text) + (2 if text else 0)
        text += ("\n\n" if text else "") + words
        blocks.append(Block(kind, start, len(text), level))
        leaves.append(Page(number, start, len(text)))
    return _extracted(text, tuple(blocks), tuple(leaves) if pages else ())


def _texts(extracted: Extracted, chunking: Chunking) -> list[str]:
    return [extracted.text[piece.start : piece.end] for piece in chunk(extracted, chunking)]


_WORDS = st.one_of(
    st.text(max_size=80),
    st.text(alphabet="ab .,\n|", max_size=200),
    st.text(alphabet="水のไทยαβя́\u0301हिन्दी한 🌊\n", max_size=80),
    st.sampled_from(["word " * 60, "x" * 300, "a | b | c\n" * 30, _SENTENCE + " ", "\n\n", "1. 2. 3. e.g. Mr. X"]),
)


@st.composite
def _documents(draw: st.DrawFn) -> Extracted:
    """Any text with any sound blocks and pages that do not tear words, gaps included."""
    text = "".join(draw(st.lists(_WORDS, max_size=8)))
    places = [
        at for at in range(len(text) + 1) if not text[max(at - 1, 0) : at].strip() or not text[at : at + 1].strip()
    ]
    edges = sorted(draw(st.sets(st.sampled_from(places), max_size=12)))
    blocks = [
        Block(
            draw(st.sampled_from(BlockKind)),
            start,
            end,
            draw(st.integers(0, 6)),
            draw(st.sampled_from(["", "A", "A.b"])),
        )
        for start, end in pairwise(edges)
        if draw(st.booleans())
    ]
    leaves = sorted(draw(st.sets(st.sampled_from(places), max_size=6)))
    pages = [Page(number, start, end) for number, (start, end) in enumerate(pairwise(leaves), 1)]
    return _extracted(text, tuple(blocks), tuple(pages), draw(st.sampled_from(["", "en", "de"])))


@st.composite
def _chunkings(draw: st.DrawFn) -> Chunking:
    size = draw(st.integers(20, 120))
    overlap = draw(st.one_of(st.just(0), st.integers(0, (size - 1) // 2)))
    return Chunking(draw(st.sampled_from(ChunkMethod)), size, overlap)


@settings(max_examples=400, deadline=None)
@given(_documents(), _chunkings())
def test_chunk_any_text_gives_sound_pieces(extracted: Extracted, chunking: Chunking) -> None:
    pieces = chunk(extracted, chunking)
    text = extracted.text
    covered = bytearray(len(text))
    for piece in pieces:
        words = text[piece.start : piece.end]
        assert 0 <= piece.start < piece.end <= len(text)
        assert words == words.strip()
        assert piece.tokens == estimate_tokens(words, extracted.language) <= chunking.size
        covered[piece.start : piece.end] = b"\1" * (piece.end - piece.start)
    assert [letter for letter, inside in zip(text, covered, strict=True) if not inside and not letter.isspace()] == []
    for before, after in pairwise(pieces):
        assert before.start < after.start
        assert before.end < after.end
        repeated = (
            estimate_tokens(text[after.start : before.end], extracted.language) if after.start < before.end else 0
        )
        assert repeated <= chunking.overlap
    assert chunk(extracted, chunking) == pieces


@settings(max_examples=200, deadline=None)
@given(_documents(), _chunkings())
def test_chunk_any_text_gives_the_pages_its_pieces_share_words_with(extracted: Extracted, chunking: Chunking) -> None:
    for piece in chunk(extracted, chunking):
        shared = [page.number for page in extracted.pages if max(page.start, piece.start) < min(page.end, piece.end)]
        assert (piece.page_first, piece.page_last) == ((shared[0], shared[-1]) if shared else (None, None))


def test_chunk_empty_text_has_no_pieces() -> None:
    for method in ChunkMethod:
        assert chunk(_extracted(" \n\n "), Chunking(method)) == []


def test_chunk_short_text_is_one_piece() -> None:
    assert chunk(_extracted(f"\n{_SENTENCE}\n"), Chunking()) == [Piece(1, 64, tokens=estimate_tokens(_SENTENCE))]


def test_chunk_heading_begins_a_piece_and_names_its_path() -> None:
    body = " ".join([_SENTENCE] * 4)
    extracted = _build(
        (BlockKind.HEADING, "# Rivers", 1),
        (BlockKind.HEADING, "## The North ##", 2),
        (BlockKind.PARAGRAPH, body, 0),
        (BlockKind.HEADING, "## The [South](http://x)", 2),
        (BlockKind.PARAGRAPH, body, 0),
    )
    pieces = chunk(extracted, Chunking(size=80))
    assert [piece.heading_path for piece in pieces] == [("Rivers", "The North"), ("Rivers", "The South")]
    assert extracted.text[pieces[0].start :].startswith("# Rivers\n\n## The North")


def test_chunk_heading_is_never_left_at_the_end() -> None:
    long = " ".join([_SENTENCE] * 5)
    extracted = _build((BlockKind.PARAGRAPH, long, 0), (BlockKind.HEADING, "Next", 1), (BlockKind.PARAGRAPH, long, 0))
    assert [text.startswith("Next") for text in _texts(extracted, Chunking(size=80))] == [False, True]


def test_chunk_small_section_is_joined_with_its_subsections_only() -> None:
    extracted = _build(
        (BlockKind.HEADING, "A", 1),
        (BlockKind.PARAGRAPH, "Short.", 0),
        (BlockKind.HEADING, "B", 2),
        (BlockKind.PARAGRAPH, _SENTENCE, 0),
        (BlockKind.HEADING, "C", 1),
        (BlockKind.PARAGRAPH, _SENTENCE, 0),
    )
    pieces = chunk(extracted, Chunking(size=100))
    assert [piece.heading_path for piece in pieces] == [("A",), ("C",)]


def test_chunk_table_that_fits_is_whole_and_one_that_does_not_is_cut_between_rows() -> None:
    rows = "\n".join(f"mill {number} | 17{number} | Grey" for number in range(10, 40))
    extracted = _build((BlockKind.PARAGRAPH, _SENTENCE, 0), (BlockKind.TABLE, rows, 0))
    assert _texts(extracted, Chunking(size=400)) == [extracted.text]
    cut = chunk(extracted, Chunking(size=60))
    lines = {line for piece in cut for line in extracted.text[piece.start : piece.end].split("\n") if line}
    assert lines == {*rows.split("\n"), _SENTENCE}
    assert cut[-1].kind == "table"


def test_chunk_row_over_size_is_cut_between_cells() -> None:
    row = " | ".join(f"cell{number}" for number in range(100))
    texts = _texts(_build((BlockKind.TABLE, row, 0)), Chunking(size=40))
    assert len(texts) > 3
    assert [cell for text in texts for cell in text.split() if cell != "|"] == [
        f"cell{number}" for number in range(100)
    ]


def test_chunk_long_paragraph_is_cut_between_sentences() -> None:
    texts = _texts(_build((BlockKind.PARAGRAPH, " ".join([_SENTENCE] * 20), 0)), Chunking(size=60))
    assert all(text.endswith("east.") and text.startswith("The river") for text in texts)


def test_chunk_pieces_of_one_section_are_alike_in_size() -> None:
    extracted = _build((BlockKind.PARAGRAPH, " ".join([_SENTENCE] * 16), 0))
    sizes = [piece.tokens for piece in chunk(extracted, Chunking(size=120))]
    assert max(sizes) - min(sizes) <= estimate_tokens(_SENTENCE)


def test_chunk_overlap_repeats_whole_sentences() -> None:
    numbered = " ".join(f"Sentence number {number} speaks of the river and of its mills." for number in range(20))
    texts = _texts(_extracted(numbered), Chunking(size=80, overlap=20))
    for before, after in pairwise(texts):
        first = after[: after.index(".") + 1]
        assert first.startswith("Sentence number")
        assert before.endswith(first)


def test_chunk_overlap_does_not_reach_over_a_heading() -> None:
    body = " ".join([_SENTENCE] * 4)
    extracted = _build((BlockKind.PARAGRAPH, body, 0), (BlockKind.HEADING, "Next", 1), (BlockKind.PARAGRAPH, body, 0))
    assert _texts(extracted, Chunking(size=100, overlap=30))[1].startswith("Next")


def test_chunk_tokens_windows_are_equal_and_cut_at_words() -> None:
    words = " ".join(f"word{number}" for number in range(300))
    pieces = chunk(_extracted(words), Chunking(ChunkMethod.TOKENS, 50, 10))
    assert all(40 <= piece.tokens <= 50 for piece in pieces[:-1])
    assert all(text.startswith("word") for text in _texts(_extracted(words), Chunking(ChunkMethod.TOKENS, 50, 10)))


def test_chunk_pages_are_pieces_and_large_ones_are_cut_within() -> None:
    extracted = _build(
        (BlockKind.PARAGRAPH, _SENTENCE, 0),
        (BlockKind.PARAGRAPH, " ".join([_SENTENCE] * 8), 0),
        (BlockKind.PARAGRAPH, _SENTENCE, 0),
        pages=True,
    )
    pieces = chunk(extracted, Chunking(ChunkMethod.PAGE, 60))
    assert [(piece.page_first, piece.page_last) for piece in pieces] == [(1, 1), (2, 2), (2, 2), (3, 3)]


def test_chunk_page_method_without_pages_falls_back_to_structure() -> None:
    extracted = _build((BlockKind.PARAGRAPH, " ".join([_SENTENCE] * 8), 0))
    assert chunk(extracted, Chunking(ChunkMethod.PAGE, 60)) == chunk(extracted, Chunking(ChunkMethod.STRUCTURE, 60))


def test_chunk_code_is_cut_at_definitions_and_says_which_one() -> None:
    body = "\n".join(f"    value_{number} = compute(value, {number})" for number in range(12))
    one, two = f"def one(value):\n{body}", f"def two(value):\n{body}"
    text = f"{one}\n\n\n{two}\n"
    blocks = (
        Block(BlockKind.CODE, 0, len(one), 0, "Mill.one"),
        Block(BlockKind.CODE, len(one) + 3, len(one) + 3 + len(two), 0, "Mill.two"),
    )
    extracted = _extracted(text, blocks)
    pieces = chunk(extracted, Chunking(size=200))
    assert [(piece.heading_path, piece.kind) for piece in pieces] == [(("Mill.one",), "code"), (("Mill.two",), "code")]
    joined = chunk(extracted, Chunking(size=1000))
    assert [piece.heading_path for piece in joined] == [("Mill",)]


def test_chunk_word_over_size_is_cut_rather_than_left_over_size() -> None:
    pieces = chunk(_extracted("x" * 5_000), Chunking(size=50))
    assert all(piece.tokens <= 50 for piece in pieces)


@pytest.mark.parametrize("method", list(ChunkMethod))
def test_chunk_large_text_takes_time_in_proportion(method: ChunkMethod) -> None:
    # A cost that grows with the square would take hours here.
    text = " | ".join(f"cell {number}" for number in range(100_000))
    extracted = _extracted(text, (Block(BlockKind.TABLE, 0, len(text)),))
    assert len(chunk(extracted, Chunking(method, 200, 20))) > 1_000
