"""What every request and response model has in common."""

from pydantic import BaseModel, ConfigDict


class Body(BaseModel):
    """A request body: unknown fields are refused, so a typo is never silently ignored."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=False)


class Out(BaseModel):
    """A response, read from domain objects by attribute."""

    model_config = ConfigDict(from_attributes=True)
