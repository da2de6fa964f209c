"""What was asked for a whole ingestion run (cancel it, retry what failed), done to its documents."""

from shared.domain.events import IngestionMessage
from shared.runtime.steering import steer_documents
from shared.runtime.worker import sqs_function

handler = sqs_function(IngestionMessage, steer_documents)
