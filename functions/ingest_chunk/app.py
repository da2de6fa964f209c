"""Cut an extracted text into chunks and count their words."""

from shared.runtime.stage import stage_function
from shared.usecases.ingest.chunk import ChunkStage

handler = stage_function(ChunkStage())
