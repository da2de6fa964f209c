"""Everything this system reads from its environment, in one place. No other file does."""

from functools import cache
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class OtherModel(BaseModel):
    """A further embedding model, for indexes made by it before it became, or after it ceased to be, the present one."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    embedder: Literal["local", "openai_api", "litellm", "memory"]
    model: str
    dimensions: int = Field(ge=1)
    max_tokens: int = Field(default=256, ge=1)
    base_url: str = ""
    """Empty: the present model's."""
    local_path: str = "/opt/model"
    pinecone_host: str = ""
    """The Pinecone index of its vectors; it may be left out when they are as long as the present model's."""


class Settings(BaseSettings):
    """Configuration of one function, from LAMBENT_* variables.

    A function is given only what it needs; what is missing says so when used.
    """

    model_config = SettingsConfigDict(env_prefix="LAMBENT_", env_ignore_empty=True, frozen=True, extra="ignore")

    stage: str = "local"
    log_level: str = "INFO"

    database_url: SecretStr = SecretStr("")
    database_secret_arn: str = ""
    database_host: str = ""
    database_name: str = "lambent"
    database_owner_url: SecretStr = SecretStr("")
    database_owner_secret_arn: str = ""

    uploads_bucket: str = ""
    work_bucket: str = ""
    queue_ingest_receive: str = ""
    queue_ingest_extract: str = ""
    queue_ingest_collect: str = ""
    queue_ingest_chunk: str = ""
    queue_ingest_embed: str = ""
    queue_ingest_publish: str = ""
    queue_sweep: str = ""
    queue_steer_ingestion: str = ""
    queue_deliver_webhook: str = ""
    queue_dead: str = ""
    """Comma-separated URLs of the dead-letter queues."""

    vector_store: Literal["postgres", "pinecone"] = "postgres"
    pinecone_host: str = ""
    pinecone_api_key: SecretStr = SecretStr("")
    pinecone_secret_arn: str = ""

    embedder: Literal["local", "openai_api", "litellm", "memory"] = "local"
    embedding_model: str = "all-minilm-l6-v2"
    embedding_dimensions: int = 384
    embedding_max_tokens: int = 256
    embedding_requests_per_minute: int = Field(default=0, ge=0)
    """What the provider allows this deployment in all; 0: no limit of ours."""
    other_embedding_models: tuple[OtherModel, ...] = ()
    """JSON. The previous model while its indexes are kept, or the next one while they are built."""
    reindex_automatic: bool = True
    """Make stale indexes anew by themselves, and search the new one when it scores no worse."""
    reindex_documents_per_day: int = Field(default=0, ge=0)
    reindex_tokens_per_day: int = Field(default=0, ge=0)
    reindex_money_per_day: float = Field(default=0.0, ge=0)
    embedding_price: float = Field(default=0.0, ge=0)
    """Of a million tokens of the present embedding model; what `reindex_money_per_day` is counted by."""
    local_model_path: str = "/opt/model"
    llm: Literal["extractive", "openai_api", "litellm"] = "extractive"
    llm_model: str = ""
    model_base_url: str = ""
    model_api_key: SecretStr = SecretStr("")
    model_secret_arn: str = ""

    receipt_key_arn: str = ""
    """A KMS key that signs deletion receipts; without it, and without a seed, they are not signed."""
    receipt_seed: SecretStr = SecretStr("")
    """32 bytes in hexadecimal: a signing key of one's own."""
    webhook_key: SecretStr = SecretStr("")
    webhook_key_secret_arn: str = ""
    """What the secrets of webhooks are derived from."""
    token_secrets: SecretStr = SecretStr("")
    token_secrets_arn: str = ""
    """What the keys that sign access tokens are derived from, separated by commas; the first one signs."""
    oidc_providers: str = ""
    """JSON list of those who vouch for users (`shared.domain.openid.Provider`): read when somebody asks for them."""
    oidc_secrets: SecretStr = SecretStr("")
    oidc_secrets_arn: str = ""
    """JSON object of their client secrets by name; who is not in it is a client without a secret."""
    oidc_library: str = ""
    """A folder with the packages that check signatures; empty: they are with all others."""
    mail_sender: str = ""
    """The address that mail comes from; empty: none is sent, so nobody can register or reset a password."""
    egress_loopback: bool = False
    """Whether plain http and this machine may be called on somebody's behalf: for local use only."""

    cors_origins: str = ""
    """Comma-separated exact origins of browsers that may call the API; empty: none."""

    ingestion_patience: float = Field(default=1.0, gt=0)
    """Factor on how long a step may go without a sign of life before it is queued again."""
    tenant_documents: int = Field(default=100, ge=1)
    """Documents of one tenant that are in progress at once; the others wait for their turn."""
    max_upload_bytes: int = Field(default=50 * 1024 * 1024, ge=1)
    rate_factor: float = Field(default=1.0, ge=0)
    """Factor on how often callers may ask; 0: as often as they like."""
    max_body_bytes: int = Field(default=1024 * 1024, ge=1024)

    def queue_urls(self) -> dict[str, str]:
        """URLs of the queues this function knows, by queue name."""
        names = (
            "ingest_receive",
            "ingest_extract",
            "ingest_collect",
            "ingest_chunk",
            "ingest_embed",
            "ingest_publish",
            "sweep",
            "steer_ingestion",
            "deliver_webhook",
        )
        return {name: url for name in names if (url := getattr(self, f"queue_{name}"))}

    def dead_queue_urls(self) -> list[str]:
        """URLs of the dead-letter queues."""
        return [url for url in self.queue_dead.split(",") if url]


class PlatformSettings(BaseSettings):
    """What the Lambda platform itself sets for a function that brings its own runtime client."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore")

    aws_lambda_runtime_api: str = ""
    handler: str = Field(default="", validation_alias="_HANDLER")
    aws_lambda_function_name: str = "local"


class AwsSettings(BaseSettings):
    """Where AWS is and as whom a function calls it, in the names of AWS. Read when a function has to ask for a secret.

    Lambda gives a function a region and the keys of its role, a stand-in for AWS its address; what else there is here
    asks for AWS's own client, which reads it by itself.
    """

    model_config = SettingsConfigDict(frozen=True, extra="ignore", env_ignore_empty=True, defer_build=True)

    aws_lambda_runtime_api: str = ""
    aws_default_region: str = ""
    aws_access_key_id: str = ""
    aws_secret_access_key: SecretStr = SecretStr("")
    aws_session_token: SecretStr = SecretStr("")
    aws_endpoint_url: str = ""
    aws_endpoint_url_secrets_manager: str = ""

    aws_profile: str = ""
    aws_default_profile: str = ""
    aws_config_file: str = ""
    aws_ca_bundle: str = ""
    requests_ca_bundle: str = ""
    aws_use_fips_endpoint: str = ""
    aws_use_dualstack_endpoint: str = ""
    aws_ignore_configured_endpoint_urls: str = ""
    http_proxy: str = ""
    https_proxy: str = ""
    all_proxy: str = ""

    def plain(self) -> dict[str, str]:
        """What one signed request for a secret needs; empty when more is configured than Lambda or a stand-in does."""
        further = (
            self.aws_profile,
            self.aws_default_profile,
            self.aws_config_file,
            self.aws_ca_bundle,
            self.requests_ca_bundle,
            self.aws_use_fips_endpoint,
            self.aws_use_dualstack_endpoint,
            self.aws_ignore_configured_endpoint_urls,
            self.http_proxy,
            self.https_proxy,
            self.all_proxy,
        )
        if any(further) or not self.aws_lambda_runtime_api:
            return {}
        return {
            "region": self.aws_default_region,
            "access_key": self.aws_access_key_id,
            "secret_key": self.aws_secret_access_key.get_secret_value(),
            "session_token": self.aws_session_token.get_secret_value(),
            "given": self.aws_endpoint_url_secrets_manager or self.aws_endpoint_url,
        }


@cache
def settings() -> Settings:
    """The settings of this process, read once."""
    return Settings()
