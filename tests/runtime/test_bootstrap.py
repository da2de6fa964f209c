"""Which implementations a configuration gives."""

from typing import Any

import pytest
from pydantic import SecretStr

from shared.bootstrap import Kit
from shared.domain.errors import Conflict, Unavailable
from shared.settings import OtherModel, Settings


def kit(**values: Any) -> Kit:
    return Kit(Settings(llm="openai_api", llm_model="some-model", **values))


def test_kit_endpoint_of_ones_own_needs_no_key() -> None:
    assert kit(model_base_url="http://127.0.0.1:11434/v1").llm.name.endswith("some-model")


def test_kit_provider_without_key_says_what_is_missing() -> None:
    with pytest.raises(Unavailable, match="model provider's key"):
        str(kit().llm)


def test_kit_key_of_the_settings_is_used() -> None:
    assert kit(model_api_key=SecretStr("secret")).llm.name.endswith("some-model")


def test_kit_gives_every_configured_model_by_its_name() -> None:
    other = OtherModel(embedder="memory", model="wide", dimensions=512, max_tokens=64)
    made = kit(embedder="memory", embedding_model="small", embedding_dimensions=96, other_embedding_models=(other,))
    assert [made.embedders.of(name).model.dimensions for name in ("memory/small", "memory/wide")] == [96, 512]
    with pytest.raises(Conflict, match="does not have"):
        made.embedders.of("memory/none")
