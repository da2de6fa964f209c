"""What came of bringing files in: for people, and as JSON."""

from collections import Counter
from collections.abc import Sequence

from shared.cli.outcomes import Outcome, by_stage, failed
from shared.cli.output import Column, Output
from shared.cli.pipeline import title
from shared.cli.plain import milliseconds, number, plural, seconds, size
from shared.cli.shapes.rooms import Collection
from shared.cli.sources import Sources

WARNINGS_SHOWN = 10
ORDER = ("indexed", "unchanged", "superseded", "deleted", "sent", "pending", "failed")
WORDS = {"superseded": "overtaken by a newer version", "deleted": "deleted meanwhile", "pending": "still on their way"}


def show_summary(output: Output, target: Collection, outcomes: Sequence[Outcome], took: float) -> None:
    """How it went: what failed and why, what is worth knowing, counts and times."""
    _show_failures(output, failed(outcomes))
    warned = [(one.path, warning) for one in outcomes for warning in one.warnings]
    if warned:
        output.line("Worth knowing", "bold yellow")
        output.table([Column("Document", tail=True), Column("Warning", wraps=True)], warned[:WARNINGS_SHOWN])
        if len(warned) > WARNINGS_SHOWN:
            output.note(f"… and {len(warned) - WARNINGS_SHOWN} more: lambent document DOCUMENT shows them.")
        output.line()
    stages = by_stage(outcomes)
    if stages:
        rows = [(title(name), milliseconds(middle), milliseconds(longest)) for name, middle, longest in stages]
        output.table([Column("Step"), Column("Median", right=True), Column("Longest", right=True)], rows)
        output.line()
    counted = Counter(one.result for one in outcomes)
    results = ", ".join(f"{number(counted[result])} {WORDS.get(result, result)}" for result in ORDER if counted[result])
    output.line(
        f"{target['name']}: {results} in {seconds(took)}.",
        "bold red" if counted["failed"] or counted["pending"] else "bold green",
    )
    indexed = [one for one in outcomes if one.result == "indexed"]
    if indexed:
        totals = {key: sum(one.counts[key] for one in indexed) for key in ("pages", "chunks", "embedded", "reused")}
        embedded = f"{number(totals['embedded'])} embedded, {number(totals['reused'])} known already"
        pages = f"{plural(totals['pages'], 'page')}, " if totals["pages"] else ""
        output.line(
            f"{pages}{plural(totals['chunks'], 'chunk')} ({embedded}), {size(sum(one.bytes for one in indexed))} sent."
        )


def as_json(
    target: Collection, ingestion_id: str, outcomes: Sequence[Outcome], took: float, found: Sources
) -> dict[str, object]:
    """For `--json`."""
    counted = Counter(one.result for one in outcomes)
    return {
        "collection": {"id": target["id"], "name": target["name"]},
        "ingestion": {"id": ingestion_id},
        "seconds": round(took, 3),
        "results": {result: counted[result] for result in ORDER if counted[result]},
        "documents": [one.as_json() for one in outcomes],
        "passed_over": found.passed_over,
    }


def _show_failures(output: Output, failures: Sequence[Outcome]) -> None:
    if not failures:
        return
    output.line("Failed", "bold red")
    rows = [(one.path, one.code or one.result, one.reason or "no reason was recorded") for one in failures]
    output.table([Column("Document", tail=True), Column("Code"), Column("Why", wraps=True)], rows)
    if any(one.document_id for one in failures):
        output.note("lambent why DOCUMENT tells the whole story; lambent retry --failed takes up what can be repeated.")
    output.line()


def left_out(found: Sources) -> str:
    """What was passed over, and why."""
    return ", ".join(f"{reason} ({number(count)})" for reason, count in found.passed_over.items())
