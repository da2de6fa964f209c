"""GET of one document by an API key and by an access token, as ratios of the same request with a scope that is given.

    uv run python -m tests.benchmarks.authorisation [--built] [--requests 600]

All three run the same code behind the door under the same host, and take turns in blocks; host included.
"""

import dataclasses
import uuid

import httpx

from shared.local.functions import FunctionSpec
from tests.benchmarks.stand import ROOT, Stand, arguments, request_event, stand
from tests.benchmarks.turns import by_turns, tell

LIMIT = 1.3


def fixed(place: Stand) -> FunctionSpec:
    """The documents function with its scope given."""
    like = place.specs["DocumentsFunction"]
    tenant, project = place.ready.tenant_id, place.ready.project_id
    given = {"BARE_TENANT": str(tenant), "BARE_PROJECT": str(project)}
    return dataclasses.replace(
        like,
        name="FixedDocuments",
        handler="tests.benchmarks.bare.fixed.handler",
        environment={**like.environment, **given},
        paths=(*like.paths, ROOT),
    )


def document(place: Stand, headers: dict[str, str]) -> str:
    """Make a document as whoever the headers say; returns its path."""
    client = httpx.Client(base_url=f"{place.ready.url}/api/v1", headers=headers, timeout=60)
    with client:
        collection = client.post("/collections", json={"name": f"benchmark-{uuid.uuid4()}"})
        collection.raise_for_status()
        made = client.post("/documents", json={"collection_id": collection.json()["id"], "name": "warm.txt"})
        made.raise_for_status()
    return f"/api/v1/documents/{made.json()['document']['id']}"


def main() -> None:
    """Measure and print."""
    parser = arguments(__doc__ or "")
    parser.add_argument("--requests", type=int, default=600)
    chosen = parser.parse_args()
    with stand(built=chosen.built) as place:
        real, given = place.specs["DocumentsFunction"], fixed(place)
        user, path = place.signed_in(), document(place, place.headers())
        requests = {
            "scope given": (given, request_event("GET", path, {})),
            "API key": (real, request_event("GET", path, place.headers())),
            "access token": (real, request_event("GET", document(place, user), user)),
        }
        times = by_turns(requests, chosen.requests)
    tell(times, "scope given", LIMIT)


if __name__ == "__main__":
    main()
