"""Bring the database to this version, and let the first owner in. Called by name on deploy, never by a route."""

from shared.runtime.setup import set_up
from shared.runtime.worker import call_function

handler = call_function(set_up)
