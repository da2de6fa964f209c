"""What it costs to be ready to call AWS, in a fresh interpreter each time.

    uv run python -m tests.benchmarks.aws_clients [rounds]

Ways: `boto3.client`; botocore's own session; and `shared.adapters.aws.clients`, which is that session with a quicker
loader. Prints the least milliseconds of the import, of the first client (S3), and of a second and third one (SQS,
Secrets Manager). Nothing is sent. The least, because other work on the machine only ever adds. Last: the import that
the first metrics of a process pay for.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
ROUNDS = 9
TIMED = """
import json, time
marks = [time.perf_counter()]
def mark(): marks.append(time.perf_counter())
{body}
print(json.dumps([1000 * (after - before) for before, after in zip(marks, marks[1:])]))
"""
CLIENTS = "\nmark()\nmake('s3')\nmark()\nmake('sqs')\nmark()\nmake('secretsmanager')\nmark()"
WAYS = {
    "boto3": f"import boto3\nmake = boto3.client{CLIENTS}",
    "botocore": f"import botocore.session\nmake = botocore.session.Session().create_client{CLIENTS}",
    "lambent": f"from shared.adapters.aws.clients import Clients\nmake = Clients().get{CLIENTS}",
    "powertools": "import aws_lambda_powertools.metrics.provider.cloudwatch_emf.cloudwatch\nmark()",
}
COLUMNS = ("import", "s3", "sqs", "secretsmanager")


def measure(way: str) -> list[float]:
    """Milliseconds of each step, once."""
    environment = {
        "PATH": os.environ.get("PATH", ""),
        "PYTHONPATH": str(ROOT),
        "AWS_ACCESS_KEY_ID": "none",
        "AWS_SECRET_ACCESS_KEY": "none",
        "AWS_DEFAULT_REGION": "eu-west-1",
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    command = [sys.executable, "-c", TIMED.format(body=WAYS[way])]
    done = subprocess.run(command, check=True, capture_output=True, text=True, env=environment, cwd=ROOT)
    steps: list[float] = json.loads(done.stdout)
    return steps


def main(rounds: int) -> None:
    """Print a table. The ways take turns, so that a busy moment of the machine hits all of them."""
    taken: dict[str, list[list[float]]] = {way: [] for way in WAYS}
    for _ in range(rounds):
        for way in WAYS:
            taken[way].append(measure(way))
    print(f"{'ms, best of ' + str(rounds):20}" + "".join(f"{column:>15}" for column in (*COLUMNS, "total")))
    for way, runs in taken.items():
        steps = [min(step) for step in zip(*runs, strict=True)]
        total = min(map(sum, runs))
        cells = [f"{step:15.0f}" for step in steps] + [" " * 15] * (len(COLUMNS) - len(steps))
        print(f"{way:20}" + "".join(cells) + f"{total:15.0f}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS)
