"""A local cloud for a benchmark, and its functions under a host of the benchmark's own."""

import argparse
import dataclasses
import json
import shutil
import statistics
import tempfile
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from shared.cli.people import code_in
from shared.local import cloud, runtime_folder
from shared.local import template as sam
from shared.local.cloud import Options, Ready
from shared.local.deploy import Stack
from shared.local.functions import FunctionSpec
from shared.local.inbox import messages
from shared.local.layout import Layout
from shared.local.postgres import APP, OWNER, Postgres
from shared.local.specs import Place, function_specs
from shared.local.state import Remembered

ROOT = Path(__file__).parents[2]
NOBODY = {"Authorization": ""}


@dataclass(frozen=True, slots=True)
class Stand:
    """What a benchmark works with."""

    ready: Ready
    specs: dict[str, FunctionSpec]
    api: httpx.Client
    database_url: str
    uploads: str
    """The uploads bucket's name."""
    logs: Path
    """Folder of the functions' logs."""
    objects: httpx.Client
    """For the object store: one that is kept, since making a client costs more than sending a page with it."""

    def bare(self, module: str, **environment: str) -> FunctionSpec:
        """The spec of a plain function in tests/benchmarks/bare: a copy of an HTTP area's, so that both run alike."""
        like = self.specs["ProjectsFunction"]
        paths = (ROOT, *like.paths) if like.isolated else like.paths
        return dataclasses.replace(
            like,
            name=f"Bare{module.title()}",
            handler=f"tests.benchmarks.bare.{module}.handler",
            environment=environment,
            paths=paths,
        )

    def headers(self) -> dict[str, str]:
        """What every request carries."""
        return {"Authorization": f"Bearer {self.ready.api_key}"}

    def registered(self) -> dict[str, str]:
        """The e-mail and password of a user who has just registered, with an organisation of their own."""
        email, password = f"{uuid.uuid4().hex}@example.com", uuid.uuid4().hex
        who = {"email": email, "password": password, "name": "Benchmark", "organisation": "Benchmark"}
        self.api.post("/auth/register", json=who, headers=NOBODY).raise_for_status()
        (code,) = (code_in(one.text) for one in messages(self.ready.aws_url) if email in one.to)
        self.api.post("/auth/verify", json={"token": code, "password": password}, headers=NOBODY).raise_for_status()
        return {"email": email, "password": password}

    def signed_in(self) -> dict[str, str]:
        """What every request of such a user carries."""
        answer = self.api.post("/auth/login", json=self.registered(), headers=NOBODY).raise_for_status().json()
        return {"Authorization": f"Bearer {answer['access_token']}"}

    def collection(self) -> str:
        """Make a collection; returns its id."""
        made = self.api.post("/collections", json={"name": f"benchmark-{uuid.uuid4()}"})
        made.raise_for_status()
        return str(made.json()["id"])

    def upload(self, collection: str, name: str, body: bytes) -> str:
        """Create a document and send its file; returns its id."""
        slot = self.api.post("/documents", json={"collection_id": collection, "name": name})
        slot.raise_for_status()
        form = slot.json()["upload"]
        self.objects.post(form["url"], data=form["fields"], files={"file": (name, body)}).raise_for_status()
        return str(slot.json()["document"]["id"])


@contextmanager
def stand(*, built: bool = False, **environment: str) -> Iterator[Stand]:
    """A cloud of its own in a temporary folder, gone afterwards.

    Args:
        built: run what `sam build` made, with only its layers on the path, as on Lambda.
        environment: LAMBENT_* values for every function that declares them.
    """
    state = Path(tempfile.mkdtemp(prefix="lambent-benchmark-"))
    state.chmod(0o755)
    options = Options(root=ROOT, state=state, durable=True, built=built, environment=environment, port=8600)
    ready = cloud.up_detached(options)
    headers = {"Authorization": f"Bearer {ready.api_key}"}
    try:
        with (
            httpx.Client(base_url=f"{ready.url}/api/v1", headers=headers, timeout=120) as api,
            httpx.Client(timeout=60) as objects,
        ):
            yield _described(ready, state, (api, objects), options)
    finally:
        cloud.down(ROOT, state=state)
        shutil.rmtree(state, ignore_errors=True)


def _described(ready: Ready, state: Path, clients: tuple[httpx.Client, httpx.Client], options: Options) -> Stand:
    layout = Layout.of(ROOT, state)
    postgres = Postgres(layout, Remembered.load(layout.remembered))
    deployed = Stack(ready.aws_url).read()
    place = Place(
        root=ROOT,
        aws_url=ready.aws_url,
        model=layout.model,
        database_url=postgres.url(APP),
        owner_url=postgres.url(OWNER),
        build=ROOT / ".aws-sam" / "build" if options.built else None,
        runtime=runtime_folder.prepare(state / "benchmark-runtime") if options.built else None,
        environment=options.environment,
    )
    specs = function_specs(sam.load(ROOT / "template.yaml"), deployed, place)
    return Stand(
        ready,
        {spec.name: spec for spec in specs},
        clients[0],
        postgres.url(APP),
        deployed.resources["UploadsBucket"],
        layout.logs,
        clients[1],
    )


def request_event(
    method: str, path: str, headers: dict[str, str], body: object = None, query: dict[str, str] | None = None
) -> dict[str, object]:
    """An API Gateway REST proxy event."""
    headers = {**headers, "Content-Type": "application/json"} if body is not None else headers
    return {
        "resource": "/{proxy+}",
        "path": path,
        "httpMethod": method,
        "headers": headers,
        "multiValueHeaders": {name: [value] for name, value in headers.items()},
        "queryStringParameters": query,
        "multiValueQueryStringParameters": query and {name: [value] for name, value in query.items()},
        "pathParameters": None,
        "stageVariables": None,
        "requestContext": {
            "identity": {"sourceIp": "127.0.0.1"},
            "resourcePath": "/{proxy+}",
            "httpMethod": method,
            "stage": "local",
        },
        "body": None if body is None else json.dumps(body),
        "isBase64Encoded": False,
    }


def records_event(queue: str, *bodies: object) -> dict[str, object]:
    """An SQS event."""
    return {
        "Records": [
            {
                "messageId": str(uuid.uuid4()),
                "receiptHandle": "x",
                "body": json.dumps(body),
                "attributes": {"ApproximateReceiveCount": "1"},
                "messageAttributes": {},
                "eventSource": "aws:sqs",
                "eventSourceARN": f"arn:aws:sqs:us-east-1:000000000000:{queue}",
                "awsRegion": "us-east-1",
            }
            for body in bodies
        ]
    }


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which `share` (0-1) of the values lie, by linear interpolation."""
    return statistics.quantiles(values, n=1000, method="inclusive")[max(0, min(998, round(share * 1000) - 1))]


def arguments(description: str) -> argparse.ArgumentParser:
    """The options every benchmark has."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument(
        "--built", action="store_true", help="run what `sam build` made, with only its layers on the path"
    )
    return parser
