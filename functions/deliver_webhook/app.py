"""One attempt to deliver one event to one webhook."""

from shared.domain.events import DeliveryMessage
from shared.runtime.delivering import deliver
from shared.runtime.worker import sqs_function

handler = sqs_function(DeliveryMessage, deliver)
