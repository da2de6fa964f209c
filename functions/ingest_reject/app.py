"""Dead letters: messages that nobody could process end their document as failed, with the reason."""

from shared.domain.tenants import system_scope
from shared.runtime.transactions import transaction
from shared.runtime.worker import DeadLetter, dead_letter_function
from shared.usecases.ingest.reject import reject


async def handle(letter: DeadLetter) -> None:
    """Reject one generation; a letter that names none is in the log, and the sweep finds what it was about."""
    message = letter.message
    if message is not None:
        scope = system_scope(message.tenant_id, message.project_id, "ingest_reject")
        async with transaction(scope) as ports:
            await reject(scope, ports, message)


handler = dead_letter_function(handle)
