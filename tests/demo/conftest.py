"""The command and the deployment that tests of the command line use."""

from tests.cli.conftest import config, deployment, fake_cloud, lambent, run_local, typed

__all__ = ["config", "deployment", "fake_cloud", "lambent", "run_local", "typed"]
