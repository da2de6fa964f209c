"""The one botocore session of a process, made to start fast.

On its way to the first client botocore looks into some 870 folders to learn which services exist, and reads 1.3 MB of
endpoint names that its own endpoint rules have replaced. Without both the first client takes 35 ms instead of 83, a
further one 4, and everything from the import on 185 ms instead of 244 (`tests.benchmarks.aws_clients`, best of 11).
"""

import threading
from collections.abc import Mapping
from functools import cache
from typing import Any

from botocore.client import BaseClient
from botocore.config import Config
from botocore.loaders import Loader
from botocore.session import Session

from shared.adapters.aws.answers import ATTEMPTS, CONNECT_SECONDS, READ_SECONDS

SERVICES = ("kms", "s3", "secretsmanager", "sesv2", "sqs")
CONNECTIONS = 16
"""Calls under way at once per service."""


def quick_loader() -> Any:
    """Read botocore's own data, without looking for services nobody asks for and without the table of endpoints.

    Endpoints come from each service's rule set. The old table is still asked for a partition's name and signing,
    so one is made of the 7 KB that list partitions; tests compare the addresses with those of an ordinary session.
    """
    loader = Loader(extra_search_paths=[Loader.BUILTIN_DATA_PATH], include_default_search_paths=False)
    load = loader.load_data_with_path

    def load_data_with_path(name: str) -> tuple[Any, str]:
        if name != "endpoints":
            found: tuple[Any, str] = load(name)
            return found
        partitions, path = load("partitions")
        return {"version": 3, "partitions": [_partition(each) for each in partitions["partitions"]]}, path

    # On this one instance, which botocore itself calls through these names.
    loader.load_data_with_path = load_data_with_path
    loader.list_available_services = lambda _: list(SERVICES)
    return loader


def _partition(known: Mapping[str, Any]) -> dict[str, Any]:
    outputs = known["outputs"]
    variants = [
        {
            "tags": [*(["dualstack"] if dual else []), *(["fips"] if fips else [])],
            "hostname": "{service}-fips.{region}.{dnsSuffix}" if fips else "{service}.{region}.{dnsSuffix}",
            "dnsSuffix": outputs["dualStackDnsSuffix" if dual else "dnsSuffix"],
        }
        for dual in (False, outputs["supportsDualStack"])
        for fips in (False, outputs["supportsFIPS"])
        if dual or fips
    ]
    return {
        "partition": known["id"],
        "dnsSuffix": outputs["dnsSuffix"],
        "regionRegex": known["regionRegex"],
        "regions": known["regions"],
        "defaults": {
            "hostname": "{service}.{region}.{dnsSuffix}",
            "protocols": ["https"],
            "signatureVersions": ["v4"],
            "variants": variants,
        },
        "services": {
            "s3": {"defaults": {"protocols": ["http", "https"], "signatureVersions": ["s3v4"]}, "endpoints": {}}
        },
    }


class Clients:
    """Clients by service, each made when first asked for, and then shared.

    They are safe to call from several threads, their making is not.
    """

    def __init__(
        self,
        *,
        endpoint_url: str | None = None,
        region: str | None = None,
        access_key: str | None = None,
        secret_key: str | None = None,
    ) -> None:
        """All None: botocore's own search, which on Lambda finds the function's role and region.

        Args:
            endpoint_url: a local stand-in; AWS_ENDPOINT_URL, which botocore reads itself, has the same effect.
            region: for example eu-west-1.
            access_key: with `secret_key`, fixed credentials.
            secret_key: see `access_key`.
        """
        self._given = {
            "endpoint_url": endpoint_url,
            "region_name": region,
            "aws_access_key_id": access_key,
            "aws_secret_access_key": secret_key,
        }
        self._lock = threading.Lock()
        self._session: Session | None = None
        self._made: dict[str, BaseClient] = {}

    def get(self, service: str) -> Any:
        """The client of one of `SERVICES`.

        The first of a process takes some 100 ms, each further one 5 ms.
        """
        # Typed Any: botocore makes its methods at run time.
        with self._lock:
            if service not in self._made:
                self._made[service] = self._make(service)
            return self._made[service]

    def _make(self, service: str) -> BaseClient:
        if self._session is None:
            self._session = Session()
            self._session.register_component("data_loader", quick_loader())
        config = Config(
            connect_timeout=CONNECT_SECONDS,
            read_timeout=READ_SECONDS,
            retries={"mode": "standard", "total_max_attempts": ATTEMPTS},
            max_pool_connections=CONNECTIONS,
            # For presigned addresses: by default botocore takes the global host, which answers uploads into a new
            # bucket with a redirect and which the table of the quick loader lacks.
            signature_version="s3v4" if service == "s3" else None,
            s3={"addressing_style": "virtual", "us_east_1_regional_endpoint": "regional"},
        )
        client = self._session.create_client(service, config=config, **self._given)
        client.meta.events.register_last("before-endpoint-resolution.s3", _path_style_at_given_endpoints)
        return client


def _path_style_at_given_endpoints(builtins: dict[str, Any], **_: object) -> None:
    """A local stand-in has one host name: the bucket goes into the path, not in front of the host."""
    if builtins.get("SDK::Endpoint"):
        builtins["AWS::S3::ForcePathStyle"] = True


@cache
def clients() -> Clients:
    """The clients of this process."""
    return Clients()
