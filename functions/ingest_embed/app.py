"""Give every chunk its vector."""

from shared.runtime.stage import stage_function
from shared.settings import settings
from shared.usecases.ingest.embed import EmbedStage

handler = stage_function(EmbedStage(settings().embedding_requests_per_minute))
