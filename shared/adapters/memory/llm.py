"""A language model that says what it was told to say."""

import re
from collections import deque
from collections.abc import AsyncIterator, Iterable

from shared.domain.chats import NOT_FOUND_ANSWER
from shared.domain.errors import LambentError
from shared.domain.prompts import Prompt
from shared.ports.llm import Finished, LlmEvent, TextDelta


class MemoryLlm:
    """Implements `shared.ports.llm.Llm`.

    `answers` are given to the next prompts, first one first; an error is raised after the text before it, so `("It is",
    Unavailable("cut"))` is an answer cut off in the middle. Without an answer left it repeats its first passage, cited,
    or finds nothing. `prompts` remembers what it was asked.
    """

    name = "memory/scripted"

    def __init__(self, *answers: str | LambentError | Iterable[str | LambentError]) -> None:
        self.answers = deque(answers)
        self.prompts: list[Prompt] = []

    async def stream(self, prompt: Prompt) -> AsyncIterator[LlmEvent]:
        """See the port.

        Raises:
            LambentError: the scripted one.
        """
        self.prompts.append(prompt)
        script = self.answers.popleft() if self.answers else _repeat(prompt)
        said = 0
        for part in (script,) if isinstance(script, str | LambentError) else script:
            if isinstance(part, LambentError):
                raise part
            for word in re.findall(r"\S*\s*", part):
                if word:
                    said += 1
                    yield TextDelta(word)
        asked = sum(len(turn.content.split()) for turn in prompt.turns)
        yield Finished(self.name, asked, said, "stop")


def _repeat(prompt: Prompt) -> str:
    if not prompt.passages:
        return NOT_FOUND_ANSWER
    first = prompt.passages[0]
    return f"{' '.join(first.text.split())} [{first.number}]"
