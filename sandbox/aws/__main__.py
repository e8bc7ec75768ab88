"""`python -m sandbox.aws`: the double alone, until Ctrl-C or SIGTERM."""

import signal
import threading
from types import FrameType

import click

from sandbox.aws.server import AwsServer
from sandbox.aws.settings import Settings


@click.command(context_settings={"show_default": True})
@click.option("--host", default="127.0.0.1", help="Address to listen on.")
@click.option("--port", default=4566, help="Port to listen on; 0 lets the system choose.")
@click.option("--pending-seconds", default=2.0, help="From Create to available.")
@click.option("--deleting-seconds", default=2.0, help="From Delete to deleted.")
@click.option("--deleted-listed-seconds", default=60.0, help="How long a deleted endpoint stays listed.")
def main(host: str, port: int, pending_seconds: float, deleting_seconds: float, deleted_listed_seconds: float) -> None:
    """Serve EC2 and STS; print `ready <url>` once they answer."""
    settings = Settings(
        pending_seconds=pending_seconds,
        deleting_seconds=deleting_seconds,
        deleted_listed_seconds=deleted_listed_seconds,
    )
    ended = threading.Event()

    def end(_: int, __: FrameType | None) -> None:
        ended.set()

    signal.signal(signal.SIGINT, end)
    signal.signal(signal.SIGTERM, end)
    with AwsServer(settings, host=host, port=port) as server:
        server.control.is_ready()
        click.echo(f"ready {server.url}")
        ended.wait()


if __name__ == "__main__":
    main()
