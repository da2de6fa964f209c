"""Which addresses may be called: every other spelling of ours, of a neighbour's or of nobody's is refused."""

import pytest

from shared.domain.addresses import Target, callable_address, target_of
from shared.domain.errors import Rejected

PUBLIC = ["8.8.8.8", "93.184.215.14", "2606:2800:21f:cb07:6820:80da:af6b:8b2c", "::ffff:8.8.8.8", "64:ff9b::808:808"]
PRIVATE = [
    *("127.0.0.1", "127.1.2.3", "0.0.0.0", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1"),
    *("169.254.169.254", "169.254.170.2", "100.64.0.1", "168.63.129.16", "192.0.0.8", "192.88.99.1", "198.18.0.1"),
    *("224.0.0.1", "240.0.0.1", "255.255.255.255", "192.0.2.1", "203.0.113.1"),
    *("::", "::1", "fe80::1", "fe80::1%eth0", "fc00::1", "fd00:ec2::254", "fec0::1", "ff02::1", "2001:db8::1"),
    *("::ffff:127.0.0.1", "::ffff:169.254.169.254", "::ffff:a00:1", "::127.0.0.1", "::7f00:1"),
    *("2002:7f00:1::1", "2002:a9fe:a9fe::1", "2002:808:808::1", "2001:0:7f00:1::1"),
    *("64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::808:808", "100::1", "3fff::1", "5f00::1"),
    *("", "localhost", "127.0.0.1:80", "0x7f000001", "2130706433", "0177.0.0.1"),
]


@pytest.mark.parametrize("address", PUBLIC)
def test_callable_address_that_is_public_is(address: str) -> None:
    assert callable_address(address)


@pytest.mark.parametrize("address", PRIVATE)
def test_callable_address_that_is_not_public_is_not(address: str) -> None:
    assert not callable_address(address)


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "::ffff:127.0.0.1"])
def test_callable_address_of_this_machine_is_for_local_use(address: str) -> None:
    assert callable_address(address, loopback=True)


@pytest.mark.parametrize("address", ["10.0.0.1", "169.254.169.254", "fe80::1", "64:ff9b::7f00:1", "0.0.0.0"])
def test_callable_address_for_local_use_is_this_machine_only(address: str) -> None:
    assert not callable_address(address, loopback=True)


@pytest.mark.parametrize(
    ("url", "target"),
    [
        ("https://hooks.example.com", Target("https", "hooks.example.com", 443, "/")),
        ("https://Hooks.Example.com:443/a?b=c&d", Target("https", "hooks.example.com", 443, "/a?b=c&d")),
        ("HTTPS://8.8.8.8/x", Target("https", "8.8.8.8", 443, "/x")),
        ("https://[2606:4700::1111]/x", Target("https", "2606:4700::1111", 443, "/x")),
        ("https://xn--bcher-kva.example/a%20b", Target("https", "xn--bcher-kva.example", 443, "/a%20b")),
    ],
)
def test_target_of_good_url_is_its_parts(url: str, target: Target) -> None:
    assert target_of(url) == target


HOSTS = [
    *("127.0.0.1", "10.0.0.1", "169.254.169.254", "[::1]", "[::ffff:127.0.0.1]", "[fe80::1]", "[fe80::1%25eth0]"),
    *("2130706433", "0x7f000001", "0x7f.1", "0177.0.0.1", "017700000001", "127.1", "127.0.1", "1.2.3", "127.0.0.1."),
    *("0", "localhost", "localhost.", "intranet", "a..b", "-a.example", "a-.example", "a_b.example", "*.example.com"),
    *("example.com.", "[::1", "::1", "[1.2.3.4]", "ex%61mple.com", "bücher.example", "１２７.0.0.1", "127。0。0。1"),
    *(
        "user@example.com",
        "user:pass@example.com",
        "@example.com",
        "example.com:80",
        "example.com:8443",
        "example.com:22",
    ),
    *("example.com:0", "example.com:99999", "example.com:x", "", "a" * 64 + ".example", ("a" * 60 + ".") * 5 + "com"),
    *("8.8.8.0x8", "foo.0x7f000001", "example.123", "evil.com\\@good.com", "good.com#@evil.com", "exa mple.com"),
    *("example.com\t", "example.com\r\nX: y", "example.com\x00"),
]


@pytest.mark.parametrize("host", HOSTS)
def test_target_of_hostile_host_is_refused(host: str) -> None:
    with pytest.raises(Rejected) as caught:
        target_of(f"https://{host}/")
    assert caught.value.code == "forbidden_url"


@pytest.mark.parametrize(
    "url",
    [
        *("http://example.com/", "ftp://example.com/", "file:///etc/passwd", "gopher://example.com/", "//example.com/"),
        *(
            "example.com",
            "https:example.com",
            "https:/example.com",
            "https://",
            "https:///x",
            "javascript:alert(1)",
            "",
        ),
        *("https://example.com/#x", "https://example.com/ x", "https://example.com/é", "https://example.com/\\x"),
        *("https://example.com/" + "a" * 2000, " https://example.com/", "https://example.com/\n"),
    ],
)
def test_target_of_other_urls_is_refused(url: str) -> None:
    with pytest.raises(Rejected):
        target_of(url)


def test_target_of_local_url_is_for_local_use() -> None:
    assert target_of("http://127.0.0.1:8080/x", loopback=True) == Target("http", "127.0.0.1", 8080, "/x")
    assert target_of("http://localhost/", loopback=True).port == 80
    for url in ("http://10.0.0.1/", "http://169.254.169.254/", "http://0x7f000001/"):
        with pytest.raises(Rejected):
            target_of(url, loopback=True)


@pytest.mark.parametrize(
    ("url", "shown"), [("https://a.example/", True), ("http://localhost:80/", True), ("http://localhost:81/", False)]
)
def test_default_port_goes_without_saying(url: str, *, shown: bool) -> None:
    assert target_of(url, loopback=True).default_port is shown
