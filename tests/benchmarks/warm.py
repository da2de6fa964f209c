"""GET of one document on a warm process, as a ratio of a bare FastAPI, Mangum and psycopg function that asks for 1.

    uv run python -m tests.benchmarks.warm [--built] [--requests 600]

Both run under the same host and take turns in blocks; figures are per request, host included.
"""

from tests.benchmarks.stand import arguments, request_event, stand
from tests.benchmarks.turns import by_turns, tell

LIMIT = 2.0


def main() -> None:
    """Measure and print."""
    parser = arguments(__doc__ or "")
    parser.add_argument("--requests", type=int, default=600)
    chosen = parser.parse_args()
    with stand(built=chosen.built) as place:
        made = place.api.post("/documents", json={"collection_id": place.collection(), "name": "warm.txt"})
        path = f"/api/v1/documents/{made.json()['document']['id']}"
        requests = {
            "bare select 1": (
                place.bare("database", BARE_DATABASE_URL=place.database_url),
                request_event("GET", "/api/v1/hello", {}),
            ),
            "GET one document": (place.specs["DocumentsFunction"], request_event("GET", path, place.headers())),
        }
        times = by_turns(requests, chosen.requests)
    tell(times, "bare select 1", LIMIT)


if __name__ == "__main__":
    main()
