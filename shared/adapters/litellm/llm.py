"""Answers from any provider litellm knows, streamed."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from shared.adapters.litellm.library import call, load
from shared.domain.errors import Unavailable
from shared.domain.prompts import Prompt
from shared.domain.providers import sendable, tokens_of
from shared.ports.llm import Finished, LlmEvent, TextDelta

SECONDS = 120.0
MAX_CHARACTERS = 1024 * 1024
_REASONS = {"length": "length", "max_tokens": "length", "content_filter": "filtered", "refusal": "filtered"}


class LitellmLlm:
    """Implements `shared.ports.llm.Llm`."""

    def __init__(self, *, model: str, base_url: str, api_key: str, seconds: float = SECONDS) -> None:
        """Contacts nobody and imports nothing.

        Args:
            model: litellm's name for it, with the provider: 'anthropic/…'.
            base_url: only where the provider has no address of its own; from the settings.
            api_key: from the settings.
            seconds: for one answer.
        """
        self.name = f"litellm/{model}"
        self._model = model
        self._base_url = base_url or None
        self._key = api_key
        self._seconds = seconds

    async def stream(self, prompt: Prompt) -> AsyncIterator[LlmEvent]:
        """See the port.

        Raises:
            Delayed: 429.
            Rejected: the provider will never take this prompt.
            Unavailable: anything transient, malformed or cut off.
        """
        deadline = asyncio.get_running_loop().time() + self._seconds
        events = await call(self._asked(prompt), deadline, self._key)
        characters, usage = 0, None
        parts = aiter(events)
        while (part := await call(anext(parts, None), deadline, self._key)) is not None:
            usage = getattr(part, "usage", None) or usage
            if text := _text(part):
                characters += len(text)
                if characters > MAX_CHARACTERS:
                    raise Unavailable("the model provider's answer has no end", code="model_malformed")
                yield TextDelta(text)
        # Asked of the reader itself: in the last chunk it writes 'stop' even where the provider said nothing.
        reason = getattr(events, "received_finish_reason", None)
        if not reason:
            raise Unavailable(
                "the model provider ended in the middle of an answer", code="model_cut_off", hint="ask again"
            )
        asked = sum(len(turn.content) for turn in prompt.turns)
        yield Finished(
            self.name,
            getattr(usage, "prompt_tokens", None) or tokens_of(asked),
            getattr(usage, "completion_tokens", None) or tokens_of(characters),
            _REASONS.get(str(reason).lower(), "stop"),
        )

    def _asked(self, prompt: Prompt) -> Any:
        return load().acompletion(
            model=self._model,
            messages=[{"role": turn.role.value, "content": sendable(turn.content)} for turn in prompt.turns],
            api_base=self._base_url,
            api_key=self._key,
            stream=True,
            stream_options={"include_usage": True},
            temperature=prompt.temperature,
            max_tokens=prompt.max_tokens,
            timeout=self._seconds,
            num_retries=0,
            max_retries=0,
        )


def _text(part: Any) -> str:
    choices = getattr(part, "choices", None)
    content = getattr(getattr(choices[0], "delta", None), "content", None) if choices else None
    return content if isinstance(content, str) else ""
