"""The one place that chooses and builds implementations. Everything is made when first asked for, once per process.

Tests swap parts with `override(...)`; nothing else in the system knows which adapter is behind a port.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Protocol, cast

from shared.adapters.structlog import traced
from shared.domain.errors import Conflict, Unavailable
from shared.ports.ports import Rows
from shared.settings import OtherModel, PlatformSettings, Settings, settings

if TYPE_CHECKING:
    from shared.adapters.aws.secrets import Secrets
    from shared.domain.collections import EmbeddingModel
    from shared.domain.ingestion import Pace
    from shared.domain.tenants import TenantScope
    from shared.ports.analyser import Analyser
    from shared.ports.blobs import Blobs
    from shared.ports.clock import Clock, Ids
    from shared.ports.egress import Egress
    from shared.ports.embedder import Embedder, Embedders
    from shared.ports.issuers import Issuers
    from shared.ports.llm import Llm
    from shared.ports.mailer import Mailer
    from shared.ports.meter import Meter
    from shared.ports.migrations import Migrations
    from shared.ports.passwords import Passwords
    from shared.ports.ports import Ports, Powers
    from shared.ports.queue import Queue
    from shared.ports.reader import Reader
    from shared.ports.signer import Signer
    from shared.ports.tokens import Tokens
    from shared.ports.vectors import Vectors


class RowsWithVectors(Rows, Protocol):
    """What a store of ours gives within a transaction."""

    @property
    def vectors(self) -> Vectors:
        """The vectors in the same transaction."""
        ...


class Store(Protocol):
    """A database."""

    def transaction(self, scope: TenantScope | None) -> AbstractAsyncContextManager[RowsWithVectors]:
        """One transaction in the scope's tenant (none: no tenant's rows are visible until one is authenticated)."""
        ...


class Kit:
    """The powers of this process, each built on first use."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    @cached_property
    def clock(self) -> Clock:
        """Time."""
        from shared.adapters.system.clock import SystemClock

        return SystemClock()

    @cached_property
    def rate_factor(self) -> float:
        """Factor on how often callers may ask; 0: as often as they like."""
        return self.settings.rate_factor

    @cached_property
    def pace(self) -> Pace:
        """How patient ingestion is."""
        from shared.domain.ingestion import Pace

        return Pace(self.settings.ingestion_patience, self.settings.tenant_documents)

    @cached_property
    def ids(self) -> Ids:
        """New identifiers and secrets."""
        from shared.adapters.system.clock import SystemIds

        return SystemIds(self.clock)

    @cached_property
    def blobs(self) -> Blobs:
        """The two buckets."""
        from shared.adapters.aws.blobs import S3Blobs

        return traced.store(cast("Blobs", S3Blobs(self.settings.uploads_bucket, self.settings.work_bucket)), "blobs")

    @cached_property
    def queue(self) -> Queue:
        """The queues between functions."""
        from shared.adapters.aws.queue import SqsQueue

        return SqsQueue(self.settings.queue_urls(), self.settings.dead_queue_urls())

    @cached_property
    def store(self) -> Store:
        """The database."""
        from shared.adapters.postgres.store import PgStore

        return PgStore(self._database_url())

    @cached_property
    def revision(self) -> str:
        """The version of the database's shape that this code needs."""
        from shared.adapters.postgres.revision import HEAD

        return HEAD

    @cached_property
    def migrations(self) -> Migrations:
        """What brings the database to this version."""
        from shared.adapters.postgres.migrate import PgMigrations

        chosen = self.settings
        owner = self._secret(
            chosen.database_owner_url.get_secret_value(), chosen.database_owner_secret_arn, "the database owner"
        )
        return PgMigrations(database_url(owner, chosen.database_host, chosen.database_name), self._database_url())

    @cached_property
    def remote_vectors(self) -> Vectors | None:
        """The vector store outside the database; None when the database is it."""
        if self.settings.vector_store != "pinecone":
            return None
        from shared.adapters.pinecone.vectors import PineconeVectors

        key = self._secret(
            self.settings.pinecone_api_key.get_secret_value(), self.settings.pinecone_secret_arn, "the Pinecone key"
        )
        return traced.store(cast("Vectors", PineconeVectors(hosts=self._pinecone_hosts(), api_key=key)), "vectors")

    @cached_property
    def embedding_model(self) -> EmbeddingModel:
        """Which model collections made here are embedded by."""
        from shared.domain.collections import EmbeddingModel

        chosen = self.settings
        return EmbeddingModel(
            f"{chosen.embedder}/{chosen.embedding_model}", chosen.embedding_dimensions, chosen.embedding_max_tokens
        )

    @cached_property
    def embedder(self) -> Embedder:
        """The present embedding model."""
        chosen = self.settings
        return traced.model(
            self._embedder(chosen.embedder, self.embedding_model, chosen.model_base_url, chosen.local_model_path),
            "embedder",
        )

    @cached_property
    def other_embedders(self) -> Mapping[str, Callable[[], Embedder]]:
        """What makes the other models, by name."""
        from shared.domain.collections import EmbeddingModel

        def maker(other: OtherModel) -> Callable[[], Embedder]:
            model = EmbeddingModel(f"{other.embedder}/{other.model}", other.dimensions, other.max_tokens)
            url = other.base_url or self.settings.model_base_url
            return lambda: traced.model(self._embedder(other.embedder, model, url, other.local_path), "embedder")

        return {f"{other.embedder}/{other.model}": maker(other) for other in self.settings.other_embedding_models}

    @cached_property
    def embedders(self) -> Embedders:
        """Every embedding model."""
        return ConfiguredEmbedders(self)

    def _embedder(self, kind: str, model: EmbeddingModel, base_url: str, local_path: str) -> Embedder:
        name = model.name.partition("/")[2]
        if kind == "local":
            from pathlib import Path

            from shared.adapters.local_model.embedder import LocalEmbedder

            return LocalEmbedder(Path(local_path))
        if kind == "memory":
            from shared.adapters.memory.embedder import MemoryEmbedder

            return MemoryEmbedder(model)
        if kind == "openai_api":
            from shared.adapters.openai_api.embedder import OpenAiEmbedder

            return OpenAiEmbedder(model, model=name, base_url=base_url, api_key=self._model_key())
        from shared.adapters.litellm.embedder import LitellmEmbedder

        return LitellmEmbedder(model, model=name, base_url=base_url, api_key=self._model_key())

    @cached_property
    def llm(self) -> Llm:
        """The model that answers."""
        chosen = self.settings
        if chosen.llm == "extractive":
            from shared.adapters.extractive.llm import ExtractiveLlm

            return ExtractiveLlm()
        if chosen.llm == "openai_api":
            from shared.adapters.openai_api.llm import OpenAiLlm

            return OpenAiLlm(model=chosen.llm_model, base_url=chosen.model_base_url, api_key=self._model_key())
        from shared.adapters.litellm.llm import LitellmLlm

        return LitellmLlm(model=chosen.llm_model, base_url=chosen.model_base_url, api_key=self._model_key())

    @cached_property
    def analyser(self) -> Analyser:
        """Words for the keyword leg."""
        from shared.adapters.snowball.analyser import SnowballAnalyser

        return SnowballAnalyser()

    @cached_property
    def reader(self) -> Reader:
        """The reader of files, in its cage."""
        from shared.adapters.files.reader import CagedFilesReader
        from shared.adapters.treesitter.syntax import TreeSitterSyntax

        return CagedFilesReader(syntax=TreeSitterSyntax)

    @cached_property
    def signer(self) -> Signer | None:
        """What signs receipts; None when no key is configured."""
        chosen = self.settings
        if chosen.receipt_key_arn:
            from shared.adapters.aws.signer import KmsSigner

            return KmsSigner(chosen.receipt_key_arn)
        if not chosen.receipt_seed.get_secret_value():
            return None
        from shared.adapters.seed.signer import SeedSigner

        return SeedSigner(chosen.receipt_seed.get_secret_value())

    @cached_property
    def meter(self) -> Meter:
        """Metrics."""
        from shared.adapters.powertools.meter import PowertoolsMeter

        return PowertoolsMeter(PlatformSettings().aws_lambda_function_name)

    def _pinecone_hosts(self) -> dict[int, str]:
        hosts = {one.dimensions: one.pinecone_host for one in self.settings.other_embedding_models if one.pinecone_host}
        return {**hosts, self.embedding_model.dimensions: self.settings.pinecone_host}

    @cached_property
    def egress(self) -> Egress:
        """The way out, to addresses that somebody else chose."""
        from shared.adapters.http.egress import HttpEgress

        return HttpEgress(loopback=self.settings.egress_loopback)

    @cached_property
    def webhook_key(self) -> str:
        """What the secrets of webhooks are derived from."""
        chosen = self.settings
        return self._secret(chosen.webhook_key.get_secret_value(), chosen.webhook_key_secret_arn, "the webhook key")

    @cached_property
    def tokens(self) -> Tokens:
        """What signs access tokens."""
        from shared.adapters.jose.tokens import JoseTokens

        chosen = self.settings
        return JoseTokens(
            self._secret(chosen.token_secrets.get_secret_value(), chosen.token_secrets_arn, "the keys of tokens")
        )

    @cached_property
    def issuers(self) -> Issuers:
        """Who else vouches for users."""
        from shared.adapters.openid.issuers import OpenidIssuers

        chosen = self.settings
        given, arn = chosen.oidc_secrets.get_secret_value(), chosen.oidc_secrets_arn

        def secrets() -> str:
            return self._secret(given, arn, "the secrets of the providers") if given or arn else ""

        return OpenidIssuers(chosen.oidc_providers, secrets, self.egress, library=chosen.oidc_library)

    @cached_property
    def passwords(self) -> Passwords:
        """How passwords are stored."""
        from shared.adapters.argon2.passwords import Argon2Passwords

        return Argon2Passwords()

    @cached_property
    def mailer(self) -> Mailer:
        """Mail to people."""
        from shared.adapters.aws.mailer import SesMailer

        if not self.settings.mail_sender:
            raise Unavailable("this deployment has no configuration for mail", code="not_configured")
        return SesMailer(self.settings.mail_sender)

    def _model_key(self) -> str:
        chosen = self.settings
        key = chosen.model_api_key.get_secret_value()
        if chosen.model_base_url and not key and not chosen.model_secret_arn:
            # An endpoint of one's own, Ollama or vLLM say, may ask for no key.
            return ""
        return self._secret(key, chosen.model_secret_arn, "the model provider's key")

    def _database_url(self) -> str:
        url = self._secret(
            self.settings.database_url.get_secret_value(), self.settings.database_secret_arn, "the database"
        )
        return database_url(url, self.settings.database_host, self.settings.database_name)

    def _secret(self, value: str, arn: str, what: str) -> str:
        if value or not arn:
            if not value:
                raise Unavailable(f"this deployment has no configuration for {what}", code="not_configured")
            return value
        return self._secrets.text(arn)

    @cached_property
    def _secrets(self) -> Secrets:
        from shared.adapters.aws.secrets import SERVICE, Secrets
        from shared.adapters.aws.signed import Plain
        from shared.settings import AwsSettings

        here = AwsSettings().plain()
        return Secrets(Plain.of(SERVICE, **here) if here else None)


class ConfiguredEmbedders:
    """The present embedding model and the others, each made when first asked for."""

    def __init__(self, kit: Kit) -> None:
        self._kit = kit
        self._made: dict[str, Embedder] = {}

    def of(self, name: str) -> Embedder:
        """The model of this name.

        Raises:
            Conflict: nobody configured it.
        """
        if name == self._kit.embedder.model.name:
            return self._kit.embedder
        if name not in self._made:
            maker = self._kit.other_embedders.get(name)
            if maker is None:
                raise Conflict(
                    f"an index is embedded by {name}, which this deployment does not have",
                    code="model_unavailable",
                    hint="name it among the other embedding models, search by keyword, or make the index anew",
                )
            self._made[name] = maker()
        return self._made[name]


def database_url(secret: str, host: str, name: str) -> str:
    """The connection URL of a secret.

    A URL as it is, or the JSON with username and password that Secrets Manager keeps for a database cluster.
    """
    if not secret.lstrip().startswith("{"):
        return secret
    import json
    from urllib.parse import quote

    kept = json.loads(secret)
    if "url" in kept:
        return str(kept["url"])
    user, password = quote(kept["username"], safe=""), quote(kept["password"], safe="")
    return (
        f"postgresql+psycopg://{user}:{password}@{host or kept['host']}:{kept.get('port', 5432)}/{name}?sslmode=require"
    )


_overrides: dict[str, object] = {}
_kit: Kit | None = None


def kit() -> Kit:
    """The kit of this process."""
    global _kit
    if _kit is None:
        _kit = Kit(settings())
        for name, part in _overrides.items():
            # A value in the instance's dictionary comes before the cached property of the same name.
            _kit.__dict__[name] = part
    return _kit


@contextmanager
def override(**parts: object) -> Iterator[None]:
    """Put parts in place of the configured ones while the block runs: for tests."""
    global _kit
    before_kit, before = _kit, dict(_overrides)
    _overrides.update(parts)
    _kit = None
    try:
        yield
    finally:
        _overrides.clear()
        _overrides.update(before)
        _kit = before_kit


def powers() -> Powers:
    """What needs no transaction."""
    return kit()


class OpenPorts:
    """All powers while a transaction is open."""

    def __init__(self, rows: RowsWithVectors, kit: Kit) -> None:
        self._rows = rows
        self._kit = kit

    def __getattr__(self, name: str) -> object:
        part: object
        if name == "vectors":
            part = self._kit.remote_vectors or traced.store(self._rows.vectors, "vectors")
        elif name == "rates":
            # No look-up of its own: it travels with another, or asks nobody.
            part = self._rows.rates
        elif name in ROWS:
            part = traced.store(getattr(self._rows, name), name)
        else:
            part = getattr(self._kit, name)
        setattr(self, name, part)
        return part


ROWS = frozenset(name for name in vars(Rows) if not name.startswith("_"))
"""What a transaction gives; everything else needs none."""


@asynccontextmanager
async def transaction(scope: TenantScope | None) -> AsyncIterator[Ports]:
    """Open a transaction in the scope's tenant; it commits when the block ends and rolls back when it raises."""
    current = kit()
    async with current.store.transaction(scope) as rows:
        yield cast("Ports", OpenPorts(rows, current))
