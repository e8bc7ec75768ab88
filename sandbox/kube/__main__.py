"""``python -m sandbox.kube``: a control plane for a person; ``… binaries``: only make sure of its programs."""

import signal
import sys
import threading
from types import FrameType

import click

from sandbox.kube import binaries, build, toolchain, tools
from sandbox.kube.control_plane import ControlPlane, ControlPlaneError
from sandbox.kube.guarded import GuardError
from sandbox.kube.progress import to_stderr

_EXPECTED = (binaries.BinariesError, build.BuildError, toolchain.ToolchainError, ControlPlaneError, GuardError)


def _exit_on_sigterm() -> None:
    """Let SIGTERM unwind the stack as Ctrl-C does, so that what was started is ended."""

    def end(number: int, _frame: FrameType | None) -> None:
        sys.exit(128 + number)

    signal.signal(signal.SIGTERM, end)


@click.group(invoke_without_command=True)
@click.pass_context
def main(context: click.Context) -> None:
    """A real etcd and kube-apiserver on loopback, until Ctrl-C."""
    _exit_on_sigterm()
    if context.invoked_subcommand is None:
        with ControlPlane(report=to_stderr) as control_plane:
            print(f"ready {control_plane.url} kubeconfig={control_plane.kubeconfig}", flush=True)
            threading.Event().wait()


@main.command("binaries")
def _binaries() -> None:
    """Build etcd, kube-apiserver and kubectl unless they are there; print the directory they are in."""
    print(binaries.ensure(to_stderr).kube_apiserver.parent)


@main.command("tool")
@click.argument("name", type=click.Choice([tools.HELM, tools.PROMTOOL, tools.KSTATUS]))
def _tool(name: str) -> None:
    """Build helm, promtool or kstatus unless it is there; print where it is."""
    print(tools.ensure(name, to_stderr))


def _run() -> None:
    try:
        main(prog_name="python -m sandbox.kube", standalone_mode=False)
    except _EXPECTED as error:
        sys.exit(f"error: {error}")
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (KeyboardInterrupt, click.Abort):
        sys.exit(130)


if __name__ == "__main__":
    _run()
