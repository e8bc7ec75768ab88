"""`ibpe run`: the operator. Knows that each setting is also a flag; which settings there are is `runtime.settings`."""

from collections.abc import Callable
from typing import Any, get_args

import click

from ibpe.cli.faults import Fault
from ibpe.runtime.settings import PREFIX, InvalidSettings, Settings


def _flags(command: Callable[..., None]) -> Callable[..., None]:
    """Add `--workers` for IBPE_WORKERS, and so on; values stay text, for the settings to check as they do variables."""
    for name, field in reversed(Settings.model_fields.items()):
        said = f"{field.description.rstrip('.')}. " if field.description else ""
        command = click.option(
            f"--{name.replace('_', '-')}",
            metavar="|".join(str(word) for word in get_args(field.annotation) if isinstance(word, str)) or "VALUE",
            help=f"{said}[{PREFIX}{name.upper()}{_default(field.default, required=field.is_required())}]",
        )(command)
    return command


def _default(value: object, *, required: bool) -> str:
    if required:
        return "; required"
    return f"; default: {value}" if value not in {(), None, ""} else ""


@click.command()
@_flags
@click.pass_context
def command(context: click.Context, /, **flags: Any) -> None:
    """Run the operator until SIGTERM or Ctrl-C.

    Every setting is an environment variable; a flag overrides it. The cluster is the one of KUBECONFIG, or the one that
    the pod runs in. AWS credentials and region come from the AWS SDK's own variables and files, AWS_ENDPOINT_URL too.
    """
    try:
        settings = Settings.load(**flags)
    except InvalidSettings as error:
        raise Fault(str(error)) from None
    from ibpe.runtime.main import run  # noqa: PLC0415 -- kopf, kubernetes and boto3 take a second: not for `run --help`

    context.exit(run(settings))
