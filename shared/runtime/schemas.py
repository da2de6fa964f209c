"""What every request and response model has in common."""

from typing import Any

from pydantic import BaseModel, ConfigDict, model_validator

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
