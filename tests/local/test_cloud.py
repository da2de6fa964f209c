"""The small system end to end: deployed, invoked, streamed, stopped, killed, started again."""

import os
import shutil
import signal
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import httpx
import psutil
import psycopg
import pytest

from shared.local import cloud
from shared.local.errors import AlreadyRunning, InvokeFailed, LocalError, NotRunning, StepFailed
from tests.local.conftest import CLOUD, until

pytestmark = pytest.mark.enable_socket
Small = tuple[cloud.Options, cloud.Ready]


@pytest.fixture
def client(small_cloud: Small) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=small_cloud[1].url, trust_env=False, timeout=30) as opened:
        yield opened


def aws(ready: cloud.Ready, service: str) -> Any:
    keys = {"aws_access_key_id": "local", "aws_secret_access_key": "local", "region_name": "us-east-1"}
    return boto3.client(service, endpoint_url=ready.aws_url, **keys)


def queue_url(ready: cloud.Ready, name: str) -> str:
    urls: list[str] = aws(ready, "sqs").list_queues()["QueueUrls"]
    return next(url for url in urls if f"-{name}-" in url)


def test_up_tells_every_step_with_its_time(small_cloud: Small) -> None:
    steps = [step.name for step in small_cloud[1].steps]
    assert {"postgres", "aws", "template", "model", "deploy", "host", "migrate", "bootstrap", "front"} == set(steps)
    assert all(step.seconds >= 0 for step in small_cloud[1].steps)
    assert small_cloud[1].api_key == "lam_1"


def test_up_listens_on_loopback_only(small_cloud: Small) -> None:
    family = psutil.Process(small_cloud[1].pid)
    listening = [
        connection.laddr
        for process in (family, *family.children(recursive=True))
        for connection in process.net_connections("inet")
        if connection.status == psutil.CONN_LISTEN
    ]
    assert len(listening) >= 3
    assert {address[0] for address in listening} == {"127.0.0.1"}


def test_front_ordinary_route_reaches_the_function_through_the_gateway(client: httpx.Client) -> None:
    answer = client.post("/api/v1/notes?a=1&a=2&b=x%20y", content="hällo", headers={"Authorization": "Bearer lam_x"})
    seen = answer.json()
    assert seen["query"] == [["a", "1"], ["a", "2"], ["b", "x y"]]
    assert (seen["authorization"], seen["body"], seen["stage"]) == ("Bearer lam_x", "hällo", "local")
    assert seen["database"].startswith("postgresql+psycopg://lambent_app:")


def test_front_route_missing_in_the_template_is_missing_here(client: httpx.Client) -> None:
    assert client.get("/api/v1/nowhere").status_code == 403


def test_front_body_beyond_the_gateways_limit_is_refused(client: httpx.Client) -> None:
    assert client.put("/api/v1/notes/big", content=b"x" * 10_485_761).status_code == 413


def test_front_pages_need_nothing_from_elsewhere(client: httpx.Client) -> None:
    for path in ("/", "/docs"):
        page = client.get(path)
        assert page.status_code == 200
        assert "default-src 'none'" in page.headers["content-security-policy"]
        assert "https://" not in page.text
    assert client.get("/docs/swagger-ui-bundle.js").headers["content-type"].startswith("text/javascript")
    assert client.get("/docs/other.js").status_code == 404


def test_front_stream_arrives_piece_by_piece(client: httpx.Client, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    with client.stream("GET", "/api/v1/streams/x", params={"gate": str(gate)}) as answer:
        pieces = answer.iter_bytes()
        assert answer.headers["content-type"] == "text/event-stream"
        assert answer.headers.get_list("set-cookie") == ["a=1", "b=2"]
        assert next(pieces) == b"data: 0 x\n\n"
        gate.touch()
        assert b"".join(pieces) == b"data: 1 x\n\ndata: 2 x\n\n"


def test_front_broken_stream_is_a_broken_transfer(client: httpx.Client) -> None:
    with pytest.raises(httpx.RemoteProtocolError), client.stream("GET", "/api/v1/streams/x?fail=1") as answer:
        answer.read()


def test_upload_becomes_an_event_for_the_function(client: httpx.Client) -> None:
    stored = client.put("/api/v1/notes/a%20b%C3%A9", content="some text")
    assert (stored.status_code, bool(stored.json()["version"])) == (201, True)
    until(lambda: client.get("/api/v1/notes/a%20b%C3%A9").status_code == 200)
    assert client.get("/api/v1/notes/a%20b%C3%A9").text == "SOME TEXT"


def test_event_of_the_second_bucket_respects_the_prefix(small_cloud: Small, client: httpx.Client) -> None:
    s3 = aws(small_cloud[1], "s3")
    bucket = next(one["Name"] for one in s3.list_buckets()["Buckets"] if "-work-" in one["Name"])
    s3.put_object(Bucket=bucket, Key="elsewhere/w0", Body=b"no event")
    s3.put_object(Bucket=bucket, Key="extracted/w1", Body=b"event")
    until(lambda: client.get("/api/v1/notes/w1").status_code == 200)
    lines = [line.text for line in cloud.logs(small_cloud[0].root, "receive", lines=1000)]
    assert not [line for line in lines if "elsewhere/" in line]


def test_failing_message_ends_in_the_dead_letter_queue_and_spoils_no_other(
    small_cloud: Small, client: httpx.Client
) -> None:
    ready = small_cloud[1]
    sqs = aws(ready, "sqs")
    # Failed messages come back at once instead of after a minute.
    sqs.set_queue_attributes(QueueUrl=queue_url(ready, "ReceiveQueue"), Attributes={"VisibilityTimeout": "1"})
    for name in ("d1", "poison", "d2"):
        client.put(f"/api/v1/notes/{name}", content=name)
    until(lambda: client.get("/api/v1/notes/d2").status_code == 200)
    dead = queue_url(ready, "ReceiveDeadQueue")
    found = sqs.receive_message(QueueUrl=dead, WaitTimeSeconds=20).get("Messages", [])
    assert len(found) == 1
    assert "poison" in found[0]["Body"]
    assert client.get("/api/v1/notes/d1").text == "D1"


def test_second_up_is_refused_and_says_so(small_cloud: Small) -> None:
    options, ready = small_cloud
    with pytest.raises(AlreadyRunning):
        cloud.up_detached(options)
    assert cloud.current(options.root) == ready
    with pytest.raises(AlreadyRunning):
        cloud.reset(options.root)


def test_status_tells_processes_and_functions(small_cloud: Small) -> None:
    status = cloud.status(small_cloud[0].root)
    assert status.running
    assert {one.name for one in status.processes if one.alive} == {"supervisor", "postgres", "aws"}
    assert "MigrateDatabaseFunction" in {one.name for one in status.functions if one.invocations}
    assert status.problems == ()


def test_invoke_by_folder_name_and_with_errors(small_cloud: Small) -> None:
    root = small_cloud[0].root
    assert cloud.invoke(root, "migrate_database", {"action": "noop"}) == {"ok": True}
    with pytest.raises(InvokeFailed, match="KeyError"):
        cloud.invoke(root, "MigrateDatabaseFunction", {})
    with pytest.raises(LocalError, match="no log of nobody"):
        list(cloud.logs(root, "nobody"))


def test_logs_of_an_invocation_begin_and_end_with_the_platforms_lines(small_cloud: Small) -> None:
    root = small_cloud[0].root
    cloud.invoke(root, "migrate_database", {"action": "noop"})
    last = [line.text for line in cloud.logs(root, "migrate_database", lines=3)]
    assert ["START" in last[0], "END" in last[1], "REPORT" in last[2]] == [True, True, True]


def test_migrated_database_denies_the_app_role_what_the_owner_may(small_cloud: Small, client: httpx.Client) -> None:
    url = client.post("/api/v1/notes").json()["database"].replace("+psycopg", "")
    with psycopg.connect(url, autocommit=True) as connection:
        row = connection.execute("SELECT rolsuper, rolbypassrls FROM pg_roles WHERE rolname = current_user").fetchone()
        assert row == (False, False)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("CREATE TABLE mine (a int)")


@pytest.fixture
def own_root(tmp_path: Path) -> Iterator[Path]:
    """A copy of the small system for a test that stops, kills or breaks it."""
    root = tmp_path / "root"
    shutil.copytree(CLOUD, root)
    yield root
    cloud.down(root)
    cloud.reset(root)


def test_restart_keeps_objects_rows_and_keys_although_ports_changed(own_root: Path) -> None:
    options = cloud.Options(root=own_root, durable=False, port=0, watch=False)
    first = cloud.up_detached(options)
    httpx.put(f"{first.url}/api/v1/notes/kept", content="kept", trust_env=False, timeout=30)
    until(lambda: httpx.get(f"{first.url}/api/v1/notes/kept", trust_env=False, timeout=30).status_code == 200)
    assert cloud.down(own_root)
    assert not cloud.status(own_root).running
    with socket.socket() as aws_port, socket.socket() as host_port:
        for taken, url in ((aws_port, first.aws_url), (host_port, first.host_url)):
            taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            taken.bind(("127.0.0.1", int(url.rsplit(":", 1)[1])))
            taken.listen()
        second = cloud.up_detached(options)
        assert {second.aws_url, second.host_url}.isdisjoint({first.aws_url, first.host_url})
        assert httpx.get(f"{second.url}/api/v1/notes/kept", trust_env=False, timeout=30).text == "KEPT"
        httpx.put(f"{second.url}/api/v1/notes/new", content="new", trust_env=False, timeout=30)
        until(lambda: httpx.get(f"{second.url}/api/v1/notes/new", trust_env=False, timeout=30).status_code == 200)
    assert second.api_key == first.api_key
    assert next(step.detail for step in second.steps if step.name == "migrate") == "unchanged"
    cloud.down(own_root)
    assert own_root / ".lambent" in cloud.reset(own_root)
    assert not (own_root / ".lambent").exists()


def test_killed_supervisor_takes_everything_along_and_the_next_up_cleans(own_root: Path) -> None:
    options = cloud.Options(root=own_root, durable=False, port=0, watch=False)
    first = cloud.up_detached(options)
    children = psutil.Process(first.pid).children(recursive=True)
    assert len(children) >= 2
    os.kill(first.pid, signal.SIGKILL)
    until(lambda: not [child for child in children if child.is_running() and child.status() != psutil.STATUS_ZOMBIE])
    status = cloud.status(own_root)
    assert not status.running
    assert "killed" in status.problems[0]
    with pytest.raises(NotRunning):
        cloud.invoke(own_root, "notes", {})
    second = cloud.up_detached(options)
    assert second.api_key == first.api_key
    assert httpx.post(f"{second.url}/api/v1/notes", trust_env=False, timeout=30).status_code == 200
    os.kill(next(one.pid for one in cloud.status(own_root).processes if one.name == "aws"), signal.SIGKILL)
    told = "MiniStack ended by itself with code -9"
    until(lambda: any(told in line.text for line in cloud.logs(own_root, "supervisor")))
    until(lambda: not cloud.status(own_root).running)


def test_killed_postgres_comes_back_and_the_functions_find_it(own_root: Path) -> None:
    options = cloud.Options(root=own_root, port=0, watch=False)
    ready = cloud.up_detached(options)
    url = httpx.post(f"{ready.url}/api/v1/notes", trust_env=False, timeout=30).json()["database"]

    def database() -> cloud.ProcessStatus:
        return next(one for one in cloud.status(own_root).processes if one.name == "postgres")

    for _ in range(2):
        killed = database().pid
        os.kill(killed, signal.SIGKILL)
        until(lambda killed=killed: database().pid != killed and database().alive)  # type: ignore[misc]
        with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)
    lines = [line.text for line in cloud.logs(own_root, "supervisor")]
    assert sum("Postgres ended by itself with code -9" in line for line in lines) == 2
    assert sum("Postgres is back after" in line for line in lines) == 2
    assert cloud.status(own_root).problems == ()


def test_failing_migration_fails_the_start_and_leaves_nothing_running(own_root: Path) -> None:
    (own_root / "doors" / "migrate_database" / "app.py").write_text("raise RuntimeError('broken migration')\n")
    with pytest.raises(StepFailed, match="broken migration") as caught:
        cloud.up_detached(cloud.Options(root=own_root, durable=False, port=0))
    assert "lambent logs" in caught.value.hint
    assert not cloud.status(own_root).running
    assert cloud.current(own_root) is None


def test_doctor_of_a_good_checkout_finds_nothing_fatal(small_cloud: Small) -> None:
    checks = {check.name: check for check in cloud.doctor(small_cloud[0].root)}
    assert [check for check in checks.values() if not check.ok and check.fatal] == []
    assert checks["template"].detail.startswith("4 functions")
    assert checks["port aws"].detail.endswith("ours")


def test_doctor_of_a_broken_template_says_so(tmp_path: Path) -> None:
    (tmp_path / "template.yaml").write_text(
        "Resources: {A: {Type: 'AWS::Serverless::Function', Properties: {Handler: a.b, Events: 1}}}"
    )
    broken = [check for check in cloud.doctor(tmp_path) if not check.ok and check.fatal]
    assert [check.name for check in broken] == ["template"]
    assert broken[0].fix
