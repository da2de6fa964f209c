"""No test reaches a network by accident."""

import socket
import urllib.request
from collections.abc import Callable

import boto3
import httpx
import pytest
from botocore.exceptions import HTTPClientError
from pytest_socket import SocketConnectBlockedError


def by_socket() -> None:
    socket.create_connection(("192.0.2.1", 443), timeout=0.1)


def by_urllib() -> None:
    urllib.request.urlopen("http://192.0.2.1/", timeout=0.1)


def by_httpx() -> None:
    httpx.get("http://192.0.2.1/", timeout=0.1)


def by_boto3() -> None:
    client = boto3.client(
        "s3",
        region_name="eu-central-1",
        endpoint_url="http://192.0.2.1",
        aws_access_key_id="x",
        aws_secret_access_key="x",
    )
    client.list_buckets()


@pytest.mark.parametrize("call", [by_socket, by_urllib, by_httpx, by_boto3], ids=lambda call: call.__name__)
@pytest.mark.filterwarnings("ignore:A test tried to use socket")
def test_connection_to_another_machine_is_refused(call: Callable[[], None]) -> None:
    with pytest.raises((SocketConnectBlockedError, HTTPClientError), match="A test tried to use socket"):
        call()


def test_connection_to_this_machine_is_allowed() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()):
        pass


def test_connection_by_unix_socket_is_allowed() -> None:
    ours, theirs = socket.socketpair(socket.AF_UNIX)
    ours.close()
    theirs.close()
