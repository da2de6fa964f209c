"""Which implementations a configuration gives."""

from typing import Any

import pytest
from pydantic import SecretStr

from shared.bootstrap import Kit
from shared.domain.errors import Unavailable
from shared.settings import Settings


def kit(**values: Any) -> Kit:
    return Kit(Settings(llm="openai_api", llm_model="some-model", **values))


def test_kit_endpoint_of_ones_own_needs_no_key() -> None:
    assert kit(model_base_url="http://127.0.0.1:11434/v1").llm.name.endswith("some-model")


def test_kit_provider_without_key_says_what_is_missing() -> None:
    with pytest.raises(Unavailable, match="model provider's key"):
        str(kit().llm)


def test_kit_key_of_the_settings_is_used() -> None:
    assert kit(model_api_key=SecretStr("secret")).llm.name.endswith("some-model")
