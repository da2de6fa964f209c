"""What the API answers, as far as the command line reads it. `--json` prints the whole of it, as it came."""

from typing import Any

type Json = dict[str, Any]
