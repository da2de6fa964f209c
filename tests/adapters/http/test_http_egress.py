"""The way out over real sockets: where connections go, watched where they are made."""

import asyncio
import datetime as dt
import ipaddress
import ssl
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from shared.adapters.http.egress import HttpEgress
from shared.domain.errors import Rejected, Unavailable
from tests.fixtures.receiver import receiver

CONNECTED: list[str] = []
_watching = False


def _watch(event: str, args: tuple[object, ...]) -> None:
    if _watching and event == "socket.connect":
        address = args[1]
        CONNECTED.append(str(address[0]) if isinstance(address, tuple) else str(address))


sys.addaudithook(_watch)


@pytest.fixture(autouse=True)
def connected() -> Iterator[list[str]]:
    """Every address that a connection was begun to."""
    global _watching
    CONNECTED.clear()
    _watching = True
    yield CONNECTED
    _watching = False


class Names:
    """A resolver whose answers change from one question to the next."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self.answers = list(answers)
        self.asked = 0

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        self.asked += 1
        return self.answers.pop(0)


async def test_name_is_resolved_once_and_the_checked_address_is_called(connected: list[str]) -> None:
    async with receiver() as one:
        names = Names(["127.0.0.1"], ["10.0.0.1"])
        egress = HttpEgress(loopback=True, resolve=names)
        reply = await egress.post(f"http://rebound.example:{one.port}/a?b=c", b"{}", {})
        assert (reply.status, names.asked, connected) == (200, 1, ["127.0.0.1"])
        assert one.calls[0].line == "POST /a?b=c HTTP/1.1"
        assert one.calls[0].headers["host"] == f"rebound.example:{one.port}"
        with pytest.raises(Rejected):
            await egress.post(f"http://rebound.example:{one.port}/", b"{}", {})
        assert connected == ["127.0.0.1"]


@pytest.mark.parametrize("loopback", [True, False])
async def test_no_connection_is_begun_to_what_may_not_be_called(connected: list[str], *, loopback: bool) -> None:
    forbidden = ["10.0.0.1", "169.254.169.254", "192.168.1.1", "100.64.0.1", "fd00::1", "::ffff:10.1.1.1", "0.0.0.0"]
    egress = HttpEgress(loopback=loopback, resolve=Names(*([one] for one in forbidden)))
    for _ in forbidden:
        with pytest.raises(Rejected):
            await egress.post("https://hooks.example.com/", b"{}", {})
    assert connected == []


async def test_this_machine_is_not_called_unless_it_is_for_local_use(connected: list[str]) -> None:
    egress = HttpEgress(resolve=Names(["127.0.0.1"], ["::1"]))
    for _ in range(2):
        with pytest.raises(Rejected):
            await egress.post("https://hooks.example.com/", b"{}", {})
    assert connected == []


async def test_redirect_is_not_followed_anywhere(connected: list[str]) -> None:
    async with receiver() as one, receiver() as other:
        one.answers.append((307, b"", {"Location": f"http://127.0.0.1:{other.port}/"}))
        egress = HttpEgress(loopback=True, resolve=Names(["127.0.0.1"]))
        assert (await egress.post(f"http://a.example:{one.port}/", b"{}", {})).status == 307
        assert (len(one.calls), other.calls) == (1, [])


async def test_proxy_of_the_environment_is_not_used(connected: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    async with receiver() as one, receiver() as proxy:
        for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        egress = HttpEgress(loopback=True, resolve=Names(["127.0.0.1"]))
        await egress.post(f"http://a.example:{one.port}/", b"{}", {})
        assert (len(one.calls), proxy.calls) == (1, [])


@pytest.mark.parametrize("drip", [b"H", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 100 Continue\r\n\r\n"])
async def test_answer_without_an_end_is_given_up_in_time(drip: bytes) -> None:
    async with receiver() as one:
        one.drip = drip
        egress = HttpEgress(loopback=True, resolve=Names(["127.0.0.1"]), seconds=0.3)
        async with asyncio.timeout(5):
            with pytest.raises(Unavailable):
                await egress.post(f"http://a.example:{one.port}/", b"{}", {})


async def test_answer_that_is_no_http_is_unavailable() -> None:
    async with receiver() as one:
        one.drip = b"220 ready\r\n\r\n"
        egress = HttpEgress(loopback=True, resolve=Names(["127.0.0.1"]), seconds=30)
        with pytest.raises(Unavailable, match="the call failed"):
            await egress.post(f"http://a.example:{one.port}/", b"{}", {})


async def test_name_without_address_or_that_cannot_be_resolved_is_unavailable() -> None:
    with pytest.raises(Unavailable):
        await HttpEgress(resolve=Names([])).post("https://a.example/", b"{}", {})

    async def broken(host: str, port: int) -> Sequence[str]:
        raise OSError("no such name")

    with pytest.raises(Unavailable):
        await HttpEgress(resolve=broken).post("https://a.example/", b"{}", {})


def certified(folder: Path, name: str) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """A server's side and a client's, by a certificate for one name."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(hours=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.DNSName(name), x509.IPAddress(ipaddress.ip_address("192.0.2.9"))]),
            critical=False,
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = folder / "pair.pem"
    encoded = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    pem.write_bytes(encoded + certificate.public_bytes(serialization.Encoding.PEM))
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(pem)
    client = ssl.create_default_context(cadata=certificate.public_bytes(serialization.Encoding.PEM).decode())
    return server, client


@pytest.mark.parametrize(("name", "good"), [("hooks.example", True), ("other.example", False)])
async def test_certificate_must_be_the_names_though_an_address_is_called(
    tmp_path: Path, name: str, *, good: bool
) -> None:
    server, client = certified(tmp_path, "hooks.example")
    async with receiver(server) as one:
        egress = HttpEgress(loopback=True, resolve=Names(["127.0.0.1"]), certificates=client)
        url = f"https://{name}:{one.port}/"
        if good:
            assert (await egress.post(url, b"{}", {})).status == 200
        else:
            with pytest.raises(Unavailable):
                await egress.post(url, b"{}", {})
        assert len(one.calls) == (1 if good else 0)
