"""What every room shares: the fixtures of tests/fixtures, each loaded only when a test asks for it."""

from pathlib import Path

_FIXTURES = Path(__file__).parent / "fixtures"
pytest_plugins = [f"tests.fixtures.{file.stem}" for file in sorted(_FIXTURES.glob("[a-z]*.py"))]
