"""What the platform hands to a handler besides the event."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import repeat


@dataclass(frozen=True, slots=True)
class FakeContext:
    """An invocation with as much time left as the test says, one value per look."""

    aws_request_id: str = "0c3a1f5e-test-request"
    function_name: str = "lambent-test"
    remaining: Iterator[int] = field(default_factory=lambda: repeat(30_000))

    def get_remaining_time_in_millis(self) -> int:
        """The next value."""
        return next(self.remaining)
