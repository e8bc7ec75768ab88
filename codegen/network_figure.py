"""Writes the figure of docs/concepts.md: the network that a resource builds, in a light and a dark palette."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from typing import Final

WIDTH: Final = 1000
HEIGHT: Final = 620
LINE: Final = 18
TITLE: Final = "The network of private builds"
DESCRIPTION: Final = (
    "A VPC with two subnets. In each, a build instance and a network interface of the interface endpoint, whose "
    "security group lets the instances in on TCP 443. Private DNS answers for Image Builder's name with the interfaces'"
    " addresses; calls go through the interface endpoint, under its policy, to Image Builder. The subnets' route table "
    "leads the S3 prefix list to the gateway endpoint and, under its policy, to three buckets of AWS: AWSTOE, "
    "components, and the Systems Manager agent. The operator, in a Kubernetes cluster, makes the two endpoints, the "
    "private DNS and the route by the EC2 API. Endpoints for ssm, ssmmessages and logs are needed and not made."
)


@dataclass(frozen=True)
class Palette:
    """Colours by what they stand for."""

    ground: str
    text: str
    faint: str
    line: str
    box: str
    made: str
    made_box: str


LIGHT: Final = Palette("#ffffff", "#1f2933", "#5f6c7b", "#8793a1", "#f3f5f7", "#00796b", "#dff2ee")
DARK: Final = Palette("#1e2129", "#e4e7eb", "#a3adba", "#76818f", "#292e38", "#4db6a6", "#1d3b38")


def network_figure(palette: Palette) -> str:
    """The SVG."""
    parts = [
        *_opening(palette),
        *_outlines(),
        *_subnet(40, "Subnet, zone a"),
        *_subnet(330, "Subnet, zone b"),
        *_inside(),
        *_endpoints(),
        *_services(),
        *_operator(),
        *_also_needed(),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _opening(palette: Palette) -> Iterator[str]:
    yield "<!-- Made from codegen/network_figure.py by `make crds`; not written by hand. -->"
    yield (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        'aria-labelledby="title description" font-family="system-ui, -apple-system, Segoe UI, Roboto, sans-serif">'
    )
    yield f'<title id="title">{TITLE}</title>'
    yield f'<desc id="description">{escape(DESCRIPTION)}</desc>'
    yield "<style>"
    yield f"text {{ fill: {palette.text}; font-size: 13px; }}"
    yield f".faint {{ fill: {palette.faint}; font-size: 12px; }} .bold {{ font-weight: 600; }}"
    yield f".box {{ fill: {palette.box}; stroke: {palette.line}; }}"
    yield f".outline {{ fill: none; stroke: {palette.line}; stroke-width: 1.5; }}"
    yield f".made {{ fill: {palette.made_box}; stroke: {palette.made}; stroke-width: 2; }}"
    yield f".dashed {{ fill: none; stroke: {palette.line}; stroke-dasharray: 5 4; }}"
    yield f".way {{ fill: none; stroke: {palette.text}; stroke-width: 1.5; marker-end: url(#tip); }}"
    yield f".making {{ fill: none; stroke: {palette.made}; stroke-width: 2; stroke-dasharray: 6 4; }}"
    yield ".making { marker-end: url(#made-tip); }"
    yield "</style>"
    yield _marker("tip", palette.text) + _marker("made-tip", palette.made)
    yield f'<rect width="{WIDTH}" height="{HEIGHT}" rx="8" fill="{palette.ground}"/>'


def _marker(name: str, colour: str) -> str:
    return (
        f'<marker id="{name}" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="8" markerHeight="8" '
        f'markerUnits="userSpaceOnUse" orient="auto"><path d="M0 0 10 5 0 10z" fill="{colour}"/></marker>'
    )


def _outlines() -> Iterator[str]:
    yield _box(20, 130, 610, 380, [], "outline")
    yield _text(34, 154, "VPC", "bold")


def _subnet(x: int, name: str) -> Iterator[str]:
    yield _box(x, 168, 270, 150, [], "dashed")
    yield _text(x + 12, 190, name)
    yield _box(x + 14, 204, 112, 96, ["Build instance", "+security group", "+443 out"], "box")
    yield _box(x + 156, 204, 100, 96, ["Endpoint's", "interface", "+443 in"], "made")
    yield _way(x + 126, 252, x + 155, 252)


def _inside() -> Iterator[str]:
    yield _box(
        40, 336, 560, 58, ["Private DNS", "+imagebuilder.<region>.amazonaws.com → addresses of the interfaces"], "made"
    )
    yield _box(
        40,
        412,
        560,
        80,
        ["Route table of the subnets", "+VPC → local", "+S3 prefix list → gateway endpoint (made)"],
        "box",
    )


def _endpoints() -> Iterator[str]:
    yield _box(656, 204, 130, 96, ["Interface", "endpoint", "+endpoint policy"], "made")
    yield _way(586, 252, 655, 252)
    yield _box(656, 404, 130, 96, ["Gateway", "endpoint", "+endpoint policy"], "made")
    yield _way(600, 452, 655, 452)


def _services() -> Iterator[str]:
    yield _box(826, 204, 154, 96, ["EC2 Image Builder", "+over PrivateLink"], "box")
    yield _way(786, 252, 825, 252)
    buckets = ["S3: AWS's buckets", "+AWSTOE", "+components", "+SSM agent"]
    yield _box(826, 396, 154, 112, buckets, "box")
    yield _way(786, 452, 825, 452)


def _operator() -> Iterator[str]:
    yield _box(20, 24, 430, 78, ["Kubernetes cluster", "+ImageBuilderPrivateEndpoint → operator"], "box")
    yield _box(656, 36, 130, 54, ["EC2 API"], "box")
    yield _path("making", "M450 63 H655")
    yield _text(466, 54, "makes, looks, repairs", "faint")
    yield _path("making", "M721 90 V203")
    yield _path("making", "M786 63 H806 V380 H721 V403")


def _also_needed() -> Iterator[str]:
    words = "Also needed by a build, and not made yet: interface endpoints for ssm, ssmmessages, and logs."
    yield _box(
        20, 534, 960, 58, [words, "+Coloured: what the operator makes. Everything else is yours or AWS's."], "dashed"
    )


def _box(x: int, y: int, width: int, height: int, words: Sequence[str], kind: str) -> str:
    """A rectangle with lines in its middle; a + before a line sets it smaller."""
    drawn = [f'<rect class="{kind}" x="{x}" y="{y}" width="{width}" height="{height}" rx="6"/>']
    top = y + height // 2 - (len(words) - 1) * LINE // 2 + 5
    for number, line in enumerate(words):
        small = line.startswith("+")
        style = "faint" if small else "bold" if kind in {"made", "box"} else ""
        drawn.append(_text(x + width // 2, top + number * LINE, line.removeprefix("+"), style, "middle"))
    return "".join(drawn)


def _text(x: int, y: int, words: str, kind: str = "", anchor: str = "start") -> str:
    return f'<text x="{x}" y="{y}" class="{kind}" text-anchor="{anchor}">{escape(words)}</text>'


def _way(x: int, y: int, to_x: int, to_y: int) -> str:
    return _path("way", f"M{x} {y} L{to_x} {to_y}")


def _path(kind: str, path: str) -> str:
    return f'<path class="{kind}" d="{path}"/>'
