"""Answers from an OpenAI-compatible endpoint, streamed."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from shared.adapters.openai_api.endpoint import Body, Endpoint
from shared.adapters.openai_api.events import event_data
from shared.adapters.openai_api.failures import failure
from shared.domain.errors import Rejected, Unavailable
from shared.domain.prompts import Prompt
from shared.domain.providers import sendable, tokens_of
from shared.ports.llm import Finished, LlmEvent, TextDelta

SECONDS = 120.0
MAX_ANSWER = 8 * 1024 * 1024
_LENGTH = frozenset({"length", "max_tokens", "max_output_tokens"})
_FILTERED = frozenset({"content_filter", "safety", "recitation", "refusal", "blocklist", "prohibited_content"})


@dataclass(slots=True)
class _Reading:
    """What a stream has said so far."""

    characters: int = 0
    reason: str = ""
    usage: dict[str, object] = field(default_factory=dict)


class OpenAiLlm:
    """Implements `shared.ports.llm.Llm` over `POST /chat/completions`."""

    def __init__(self, *, model: str, base_url: str, api_key: str, seconds: float = SECONDS) -> None:
        """Contacts nobody.

        Args:
            model: the provider's name for it.
            base_url: of the endpoint, from the settings; empty for OpenAI.
            api_key: from the settings.
            seconds: for one answer.
        """
        self.name = f"openai_api/{model}"
        self._model = model
        self._endpoint = Endpoint(base_url, api_key)
        self._seconds = seconds
        self._left_out: set[str] = set()
        """Parameters this endpoint turned out not to know."""

    async def stream(self, prompt: Prompt) -> AsyncIterator[LlmEvent]:
        """See the port.

        Raises:
            Delayed: 429.
            Rejected: the provider will never take this prompt.
            Unavailable: anything transient, malformed or cut off.
        """
        while True:
            said = False
            try:
                async for event in self._stream(prompt):
                    said = True
                    yield event
            except Rejected as error:
                if said or not self._leave_out(error.detail):
                    raise
            else:
                return

    async def _stream(self, prompt: Prompt) -> AsyncIterator[LlmEvent]:
        reading = _Reading()
        path = "/chat/completions"
        async with self._endpoint.post(path, self._body(prompt), seconds=self._seconds, limit=MAX_ANSWER) as chunks:
            async for data in event_data(chunks):
                if data.strip() == "[DONE]":
                    break
                if text := self._take(data, reading):
                    reading.characters += len(text)
                    yield TextDelta(text)
        if not reading.reason:
            raise Unavailable(
                "the model provider ended in the middle of an answer", code="model_cut_off", hint="ask again"
            )
        yield Finished(
            self.name,
            _tokens(reading.usage, "prompt_tokens", sum(len(turn.content) for turn in prompt.turns)),
            _tokens(reading.usage, "completion_tokens", reading.characters),
            reading.reason,
        )

    def _body(self, prompt: Prompt) -> Body:
        limit = "max_completion_tokens" if "max_tokens" in self._left_out else "max_tokens"
        body: Body = {
            "model": self._model,
            "messages": [{"role": turn.role.value, "content": sendable(turn.content)} for turn in prompt.turns],
            "stream": True,
            "stream_options": {"include_usage": True},
            "temperature": prompt.temperature,
            limit: prompt.max_tokens,
        }
        return {name: value for name, value in body.items() if name not in self._left_out}

    def _leave_out(self, refusal: str) -> bool:
        """Whether the endpoint refused a parameter that it can be asked without; it is left out from then on.

        Newer models of OpenAI take `max_completion_tokens` instead of `max_tokens` and no temperature; older servers no
        `stream_options`.
        """
        for name in ("max_tokens", "temperature", "stream_options"):
            if name not in self._left_out and name in refusal:
                self._left_out.add(name)
                return True
        return False

    def _take(self, data: str, reading: _Reading) -> str:
        """The text of one event; what else it says goes into `reading`.

        Raises:
            Unavailable: the event is an error, or not one of a chat completion.
        """
        try:
            event = json.loads(data)
        except (ValueError, RecursionError) as error:
            raise Unavailable(
                "the model provider's stream holds something that is not JSON", code="model_malformed"
            ) from error
        if not isinstance(event, dict):
            raise Unavailable("the model provider's stream holds something unknown", code="model_malformed")
        if event.get("error"):
            error_code = event["error"].get("code") if isinstance(event["error"], dict) else None
            status = error_code if isinstance(error_code, int) and 400 <= error_code < 600 else 500
            raise failure(status, {}, data.encode("utf-8", "replace"), self._endpoint.key)
        if isinstance(event.get("usage"), dict):
            reading.usage = event["usage"]
        choices = event.get("choices")
        choice = choices[0] if isinstance(choices, list) and choices else None
        if not isinstance(choice, dict):
            if "usage" in event or "choices" in event:
                return ""
            raise Unavailable("the model provider's stream holds something unknown", code="model_malformed")
        return _text(choice, reading)


def _text(choice: dict[str, object], reading: _Reading) -> str:
    reason = choice.get("finish_reason")
    if isinstance(reason, str) and reason:
        lower = reason.lower()
        # A refusal that was spoken stays one, though it ends like any answer.
        ended = "length" if lower in _LENGTH else "filtered" if lower in _FILTERED else "stop"
        reading.reason = reading.reason or ended
    delta = choice.get("delta")
    if not isinstance(delta, dict):
        return ""
    refusal = delta.get("refusal")
    if isinstance(refusal, str) and refusal:
        reading.reason = "filtered"
        return refusal
    content = delta.get("content")
    return content if isinstance(content, str) else ""


def _tokens(usage: dict[str, object], name: str, characters: int) -> int:
    """As counted by the provider, else estimated at four characters a token."""
    counted = usage.get(name)
    return counted if isinstance(counted, int) and counted >= 0 else tokens_of(characters)
