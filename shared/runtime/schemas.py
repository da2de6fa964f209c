"""What every request and response model has in common."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field, model_validator

from shared.domain.storable import storable


class Body(BaseModel):
    """A request body: unknown fields are refused, so a typo is never silently ignored."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=False)

    @model_validator(mode="before")
    @classmethod
    def _storable(cls, data: Any) -> Any:
        if not storable(data):
            raise ValueError("some text holds a NUL character or half a surrogate pair")
        return data


class Out(BaseModel):
    """A response, read from domain objects by attribute.

    Validators are built when first used: a cold start answers one route of many.
    """

    model_config = ConfigDict(from_attributes=True, defer_build=True)


class ShownOnce(Out):
    """A secret that is in one answer and kept nowhere."""

    secret: str
    secret_withheld: bool = Field(
        default=False,
        description="true in an answer that is repeated (`Idempotent-Replayed`): the secret, empty here, was shown "
        "once; who did not get it makes another and takes this one back",
    )
