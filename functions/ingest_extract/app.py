"""Read an upload and leave its text in the work bucket.

The only function that touches a file's bytes; it has no database and no secret.
"""

from shared import bootstrap
from shared.domain.events import ExtractMessage
from shared.runtime.invocation import seconds_left
from shared.runtime.stage import step_function
from shared.usecases.ingest.extract import extract


async def handle(message: ExtractMessage) -> bool:
    """Extract one file, or as much of a long one as there is time for."""
    await extract(bootstrap.powers(), message, seconds_left)
    return True


handler = step_function(ExtractMessage, handle)
