"""YAML as Kubernetes reads it, from text. Knows no file, and nothing of what documents hold."""

from typing import Any

import yaml


class NotYaml(Exception):  # noqa: N818 -- a statement about a text
    """Text that is not YAML; str() says where and why."""


def documents(text: str) -> list[object]:
    """The documents in a text. Raises NotYaml."""
    try:
        return list(yaml.load_all(text, Loader=_Loader))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
        raise NotYaml(f"{where}not valid YAML: {error.problem or error.context}.") from None
    except yaml.YAMLError as error:
        raise NotYaml(f"not valid YAML: {' '.join(str(error).split())}.") from None
    except RecursionError:
        raise NotYaml("nested too deeply to be read.") from None


class _Loader(yaml.SafeLoader):
    """YAML as Kubernetes reads it: a key that stands twice in a mapping is an error, dates stay text."""


def _construct_mapping(loader: _Loader, node: yaml.MappingNode) -> dict[Any, Any]:
    loader.flatten_mapping(node)
    mapping: dict[Any, Any] = {}
    for key_node, value_node in node.value:
        key = loader.construct_object(key_node, deep=True)
        if not isinstance(key, str):
            raise yaml.MarkedYAMLError(
                problem=f"the key {key!r} is not text, put it in quotes", problem_mark=key_node.start_mark
            )
        if key in mapping:
            raise yaml.MarkedYAMLError(problem=f"the key {key} stands twice", problem_mark=key_node.start_mark)
        mapping[key] = loader.construct_object(value_node, deep=True)
    return mapping


_Loader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _construct_mapping)
_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
