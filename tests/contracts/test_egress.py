"""The way out, in every adapter: public addresses only, redirects are answers, answers are short."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field

import pytest

from shared.adapters.http.egress import HttpEgress
from shared.adapters.memory.egress import MemoryEgress
from shared.domain.errors import Rejected, Unavailable
from shared.ports.egress import BEGINNING, Egress, Reply
from tests.fixtures.receiver import Receiver, receiver

type Call = Callable[[Egress, str, int], Awaitable[Reply]]


async def by_post(egress: Egress, url: str, most: int = BEGINNING) -> Reply:
    return await egress.post(url, b"{}", {}, most=most)


async def by_get(egress: Egress, url: str, most: int = BEGINNING) -> Reply:
    return await egress.get(url, {}, most=most)


either = pytest.mark.parametrize("call", [by_post, by_get])


@dataclass
class Outside:
    """A world outside with one receiver in it."""

    egress: Egress
    url: str
    """The receiver's."""
    received: Callable[[], Sequence[tuple[bytes, Mapping[str, str]]]]
    answer: Callable[[int, bytes, Mapping[str, str]], None]
    """What the next call meets; 200 otherwise."""
    nobody: str
    """Where nobody listens."""
    names: dict[str, Sequence[str]] = field(default_factory=dict)
    """Addresses by name."""


@pytest.fixture(params=["memory", "http"])
async def outside(request: pytest.FixtureRequest) -> AsyncIterator[Outside]:
    if request.param == "memory":
        yield memory()
        return
    async with receiver() as one:
        yield over_http(one)


def memory() -> Outside:
    egress = MemoryEgress(loopback=True)

    def answer(status: int, body: bytes, headers: Mapping[str, str]) -> None:
        egress.answers.append(Reply(status, body))

    nobody = Outside(
        egress,
        "http://localhost:8080/hook?a=1",
        lambda: [(one.body, one.headers) for one in (*egress.posts, *egress.gets)],
        answer,
        "http://nobody.example/",
        egress.names,
    )
    egress.names |= {"localhost": ["127.0.0.1"]}
    egress.unreachable.add("nobody.example")
    return nobody


def over_http(one: Receiver) -> Outside:
    names: dict[str, Sequence[str]] = {"localhost": ["127.0.0.1"]}

    async def resolve(host: str, port: int) -> Sequence[str]:
        return names.get(host, [host])

    def answer(status: int, body: bytes, headers: Mapping[str, str]) -> None:
        one.answers.append((status, body, headers))

    return Outside(
        HttpEgress(loopback=True, resolve=resolve),
        f"http://localhost:{one.port}/hook?a=1",
        lambda: [(call.body, call.headers) for call in one.calls],
        answer,
        "http://localhost:9/",
        names,
    )


async def test_post_carries_body_and_headers(outside: Outside) -> None:
    reply = await outside.egress.post(outside.url, b'{"n": 1}', {"X-One": "1"})
    assert reply.status == 200
    ((body, headers),) = outside.received()
    assert body == b'{"n": 1}'
    assert {name.lower(): value for name, value in headers.items()}["x-one"] == "1"


async def test_get_carries_headers_and_no_body(outside: Outside) -> None:
    outside.answer(200, b'{"n": 1}', {})
    assert await outside.egress.get(outside.url, {"X-One": "1"}) == Reply(200, b'{"n": 1}')
    ((body, headers),) = outside.received()
    assert body == b""
    assert {name.lower(): value for name, value in headers.items()}["x-one"] == "1"


@either
@pytest.mark.parametrize("status", [204, 400, 404, 410, 500, 503])
async def test_call_gives_back_whatever_is_answered(outside: Outside, status: int, call: Call) -> None:
    outside.answer(status, b"" if status == 204 else b"words", {})
    assert (await call(outside.egress, outside.url, BEGINNING)).status == status


@either
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_call_follows_no_redirect(outside: Outside, status: int, call: Call) -> None:
    outside.answer(status, b"", {"Location": "http://169.254.169.254/latest/meta-data/"})
    assert (await call(outside.egress, outside.url, BEGINNING)).status == status
    assert len(outside.received()) == 1


@either
@pytest.mark.parametrize("most", [4096, 100, 300_000])
async def test_call_reads_the_beginning_of_a_long_answer(outside: Outside, call: Call, most: int) -> None:
    outside.answer(200, b"x" * 1_000_000, {})
    assert (await call(outside.egress, outside.url, most)).body == b"x" * most


@either
async def test_call_where_nobody_listens_is_unavailable(outside: Outside, call: Call) -> None:
    with pytest.raises(Unavailable):
        await call(outside.egress, outside.nobody, BEGINNING)


@either
@pytest.mark.parametrize(
    "url",
    [
        *("http://169.254.169.254/latest/meta-data/", "http://[fd00:ec2::254]/", "http://2130706433/"),
        *("http://0x7f000001/", "http://0177.0.0.1/", "http://127.1/", "http://[::ffff:10.0.0.1]/", "ftp://a.example/"),
        *("http://user@a.example/", "http://a.example/#x", "http://a.example\\@localhost/", "http://10.0.0.1/"),
    ],
)
async def test_hostile_url_is_refused_when_saved_and_when_called(outside: Outside, url: str, call: Call) -> None:
    with pytest.raises(Rejected):
        outside.egress.check(url)
    with pytest.raises(Rejected):
        await call(outside.egress, url, BEGINNING)
    assert outside.received() == []


@either
@pytest.mark.parametrize(
    "addresses",
    [
        *(["10.0.0.1"], ["169.254.169.254"], ["::ffff:169.254.169.254"], ["fe80::1%2"], ["0.0.0.0"], ["100.64.0.1"]),
        *(["64:ff9b::a9fe:a9fe"], ["2002:a9fe:a9fe::1"], ["8.8.8.8", "10.0.0.1"], ["127.0.0.1", "192.168.0.1"]),
    ],
)
async def test_name_that_leads_elsewhere_is_refused(outside: Outside, addresses: list[str], call: Call) -> None:
    outside.names["rebound.example"] = addresses
    outside.egress.check("https://rebound.example/")
    with pytest.raises(Rejected) as caught:
        await call(outside.egress, "https://rebound.example/", BEGINNING)
    assert caught.value.code == "forbidden_address"
    assert outside.received() == []
