"""S3 events of the uploads bucket: files that arrived."""

from shared.runtime.receiving import objects_function

handler = objects_function()
