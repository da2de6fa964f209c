"""Where the local cloud keeps its things: every path below `.lambent/`, decided once."""

import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Layout:
    """The folders and files of one local cloud.

    Attributes:
        root: the repository root, folder of template.yaml.
        state: the folder that holds everything below, normally `root/.lambent`.
    """

    root: Path
    state: Path

    @classmethod
    def of(cls, root: Path, state: Path | None = None) -> "Layout":
        """The layout of the repository at `root`, with absolute paths."""
        absolute = root.resolve()
        return cls(absolute, (state or absolute / ".lambent").resolve())

    def create(self) -> None:
        """Creates the state folder: private, except for root, whose Postgres runs as a user who must pass through."""
        self.state.mkdir(parents=True, exist_ok=True)
        self.state.chmod(0o755 if os.geteuid() == 0 else 0o700)
        for folder in (self.logs, self.aws, self.scratch):
            folder.mkdir(exist_ok=True)
            folder.chmod(0o700)

    @property
    def remembered(self) -> Path:
        """Passwords, ports and choices that outlive a run (mode 0600)."""
        return self.state / "state.json"

    @property
    def run(self) -> Path:
        """What runs now: process ids, addresses, timings (mode 0600)."""
        return self.state / "run.json"

    @property
    def lock(self) -> Path:
        """Held for as long as a supervisor lives."""
        return self.state / "lock"

    @property
    def logs(self) -> Path:
        """One file per function, and `supervisor.log`, `aws.log`, `postgres.log`."""
        return self.state / "logs"

    @property
    def aws(self) -> Path:
        """MiniStack's state, the objects of S3 and its temporary files."""
        return self.state / "aws"

    @property
    def postgres(self) -> Path:
        """The preferred data folder of Postgres."""
        return self.state / "postgres"

    @property
    def model(self) -> Path:
        """The local embedding model (model.onnx, tokenizer.json)."""
        return self.state / "model"

    @property
    def scratch(self) -> Path:
        """One temporary folder per function process, removed with it."""
        return self.state / "tmp"

    @property
    def runtime(self) -> Path:
        """What the real runtime brings along for built functions: awslambdaric, boto3, a bare interpreter."""
        return self.state / "runtime"

    @property
    def transformed(self) -> Path:
        """The template as deployed, with the hash of what it came from."""
        return self.state / "template.json"
