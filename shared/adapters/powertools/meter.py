"""Metrics as CloudWatch's embedded metric format: lines of JSON on standard output, which the platform reads.

Importing Powertools takes 50-90 ms, because its package imports its logger and tracer; so it is imported by the first
flush that has something to write, never while a process starts.
"""

import json
import sys
from collections.abc import Iterator, Mapping
from typing import Any

from shared.ports.meter import Unit

NAMESPACE = "Lambent"
MAX_VALUES = 100
"""Values of one metric, and metrics of one line, that CloudWatch reads."""

Dimensions = tuple[tuple[str, str], ...]


class PowertoolsMeter:
    """Implements `shared.ports.meter.Meter`.

    Values of several sets of dimensions share a line as long as no name in it would have two meanings (the format keeps
    dimensions and values in one flat object); otherwise further lines follow.
    """

    def __init__(self, service: str = "lambent") -> None:
        """Begin empty.

        Args:
            service: value of the dimension every metric has: the function's name.
        """
        self._service = service
        self._recorded: dict[Dimensions, dict[str, tuple[Unit, list[float]]]] = {}

    def add(self, name: str, value: float, unit: Unit = Unit.COUNT, **dimensions: str) -> None:
        """See the port. Empty dimension values are left out: CloudWatch refuses them."""
        given = tuple(sorted((key, str(text)) for key, text in dimensions.items() if str(text).strip()))
        _, values = self._recorded.setdefault(given, {}).setdefault(name, (unit, []))
        values.append(float(value))

    def flush(self) -> Mapping[str, object]:
        """See the port. Values by metric name; nothing is written when nothing was recorded."""
        recorded, self._recorded = self._recorded, {}
        if not recorded:
            return {}
        lines: list[dict[str, Any]] = []
        for directive in self._directives(recorded):
            _join(lines, directive)
        # One write, so that lines of the log never come between.
        sys.stdout.write("".join(f"{json.dumps(line, separators=(',', ':'))}\n" for line in lines))
        sys.stdout.flush()
        written: dict[str, list[float]] = {}
        for metrics in recorded.values():
            for name, (_, values) in metrics.items():
                written.setdefault(name, []).extend(values)
        return dict(written)

    def _directives(
        self, recorded: Mapping[Dimensions, Mapping[str, tuple[Unit, list[float]]]]
    ) -> Iterator[dict[str, Any]]:
        """One object of the format for each set of dimensions, cut where CloudWatch stops reading."""
        from aws_lambda_powertools.metrics.provider.cloudwatch_emf.cloudwatch import AmazonCloudWatchEMFProvider

        for dimensions, metrics in recorded.items():
            provider = AmazonCloudWatchEMFProvider(namespace=NAMESPACE, service=self._service)
            longest = max(len(values) for _, values in metrics.values())
            for first in range(0, longest, MAX_VALUES):
                part = {
                    name: {"Unit": unit.value, "Value": values[first : first + MAX_VALUES]}
                    for name, (unit, values) in metrics.items()
                    if values[first : first + MAX_VALUES]
                }
                yield dict(
                    provider.serialize_metric_set(
                        metrics=part, dimensions={"service": self._service, **dict(dimensions)}
                    )
                )


def _join(lines: list[dict[str, Any]], directive: dict[str, Any]) -> None:
    """Put the directive into the first line where each of its names is new or means the same, else into a new line."""
    names = {name: value for name, value in directive.items() if name != "_aws"}
    metrics = {metric["Name"] for each in directive["_aws"]["CloudWatchMetrics"] for metric in each["Metrics"]}
    for line in lines:
        same = all(name not in line or (name not in metrics and line[name] == value) for name, value in names.items())
        if (
            same
            and sum(len(each["Metrics"]) for each in line["_aws"]["CloudWatchMetrics"]) + len(metrics) <= MAX_VALUES
        ):
            line["_aws"]["CloudWatchMetrics"] += directive["_aws"]["CloudWatchMetrics"]
            line.update(names)
            return
    lines.append(directive)
