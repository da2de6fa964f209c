"""S3 events of the work bucket: texts that were extracted, and parts of long ones.

A queue of their own, so that what is being worked on never waits behind uploads that have just arrived.
"""

from shared.runtime.receiving import objects_function

handler = objects_function()
