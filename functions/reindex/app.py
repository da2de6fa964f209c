"""On a schedule.

Process again what was indexed by settings that are no longer its collection's, and keep the keyword weights true.
"""

from shared.runtime.reindexing import reindex_everything
from shared.runtime.worker import schedule_function

handler = schedule_function(reindex_everything)
