"""Flaws that the design forbids, each planted in the real code and caught by the histories."""

from tests.simulation import flaws_of_documents as documents
from tests.simulation import flaws_of_rooms as rooms

MUTANTS = (
    *documents.IDENTITY,
    *documents.COMMIT,
    *documents.GATE,
    *documents.LEASE,
    *documents.RESCUE,
    *documents.MONEY,
    *documents.SWEEP,
    *rooms.ROOMS,
    *rooms.RUNS,
    *rooms.AGAIN,
    *rooms.INDEXES,
    *rooms.COMPARED,
)
