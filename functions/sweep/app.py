"""Nothing stays stuck, nothing stays behind: on a schedule, and at once for what was just deleted."""

from shared.domain.events import EraseMessage, SweepMessage
from shared.runtime.sweeping import sweep_everything, sweep_one
from shared.runtime.worker import either, schedule_function, sqs_function

handler = either(sqs_function(SweepMessage | EraseMessage, sweep_one), schedule_function(sweep_everything))
