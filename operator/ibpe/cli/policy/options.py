"""What the commands of `ibpe policy` share: options, the API's rules about ids and names, how data is written."""

import json
from collections.abc import Callable
from typing import Any, Final, Literal, get_args

import click

from ibpe.cli.policy.documents import ROLES
from ibpe.policy.access import Request

Callback = Callable[[click.Context, click.Parameter, Any], Any]
Output = Literal["text", "json", "yaml"]


def spelled(annotation: Any) -> Callback:
    """A callback that refuses a value (or one of several) that isn't spelled as a field of the API must be.

    A Region, a bucket's name, an id; the fault is the field's own sentence.
    """

    def check(context: click.Context, parameter: click.Parameter, value: Any) -> Any:
        from pydantic import TypeAdapter, ValidationError  # noqa: PLC0415 -- not for `--help`

        adapter = TypeAdapter(annotation)
        for each in value if isinstance(value, tuple) else () if value is None else (value,):
            try:
                adapter.validate_python(each)
            except ValidationError as error:
                message = f"{each}: {error.errors()[0]['msg']}."
                raise click.BadParameter(message, context, parameter) from None
        return value

    return check


ROLE_CHOICE: Final = click.Choice(ROLES)
OUTPUT_OPTION: Final = click.option(
    "-o",
    "--output",
    type=click.Choice(get_args(Output)),
    default="text",
    show_default=True,
    help="text is for people, json and yaml are for programs.",
)


def as_data(data: dict[str, Any], output: Literal["json", "yaml"]) -> str:
    """Plain values as JSON or YAML, without a newline at the end."""
    if output == "json":
        return json.dumps(data, indent=2)
    import yaml  # noqa: PLC0415 -- only this output needs it

    return yaml.safe_dump(data, sort_keys=False, width=120, allow_unicode=True).rstrip()


def request_data(request: Request) -> dict[str, Any]:
    """A request as plain values."""
    caller = request.caller
    return {
        "action": request.action,
        "resource": request.resource,
        "caller": {"kind": caller.kind, "name": caller.name, "account": caller.account},
        "context": {key: list(values) for key, values in sorted(request.context.items())},
    }
