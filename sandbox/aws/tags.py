"""CreateTags and DeleteTags on endpoints, and the tags that come with a Create."""

from collections.abc import Mapping
from dataclasses import replace

from sandbox.aws import checks, errors
from sandbox.aws.call import Call
from sandbox.aws.model import Entry
from sandbox.aws.parameters import Parameters
from sandbox.aws.territory import Territory
from sandbox.aws.world import World


def read_specified_tags(parameters: Parameters, resource_type: str) -> Mapping[str, str]:
    """The tags of `TagSpecification`, which must be for this resource type."""
    tags: dict[str, str] = {}
    for specification in parameters.structures("TagSpecification"):
        if specification.text("ResourceType") != resource_type:
            raise errors.invalid_parameter(f"TagSpecification must be for the resource type {resource_type}")
        for tag in specification.structures("Tag"):
            key = tag.text("Key") or ""
            if key in tags:
                raise errors.invalid_parameter(f"Duplicate tag key '{key}' specified.")
            tags[key] = tag.text("Value") or ""
    return tags


def create_tags(world: World, call: Call) -> tuple[str, ...]:
    """Tag the endpoints among the resources, all or none; returns the ids that are not endpoints (moto's to tag)."""
    added = {tag.text("Key") or "": tag.text("Value") or "" for tag in call.parameters.structures("Tag")}
    if not added:
        raise errors.missing_parameter("Tag")
    territory = world.territory(call.account, call.region)
    entries, others = _resources(territory, call.parameters)
    for entry in entries:
        checks.check_tags(world.settings, added, entry.endpoint.tags)
    checks.check_tags(world.settings, added, {})
    if call.parameters.flag("DryRun"):
        raise errors.dry_run()
    for entry in entries:
        territory.change(entry, replace(entry.endpoint, tags={**entry.endpoint.tags, **added}))
    return others


def delete_tags(world: World, call: Call) -> tuple[str, ...]:
    """Untag the endpoints: a tag with a value goes only when the value is the same; no tag at all means every tag."""
    removed = {tag.text("Key") or "": tag.text("Value") for tag in call.parameters.structures("Tag")}
    if any(key.lower().startswith("aws:") for key in removed):
        raise errors.invalid_value("Tag keys starting with 'aws:' are reserved for internal use")
    territory = world.territory(call.account, call.region)
    entries, others = _resources(territory, call.parameters)
    if call.parameters.flag("DryRun"):
        raise errors.dry_run()
    for entry in entries:
        territory.change(entry, replace(entry.endpoint, tags=_without(entry.endpoint.tags, removed)))
    return others


def _without(tags: Mapping[str, str], removed: Mapping[str, str | None]) -> Mapping[str, str]:
    if not removed:
        return {}
    return {k: v for k, v in tags.items() if k not in removed or removed[k] not in {None, v}}


def _resources(territory: Territory, parameters: Parameters) -> tuple[tuple[Entry, ...], tuple[str, ...]]:
    ids = parameters.unique("ResourceId")
    if not ids:
        raise errors.missing_parameter("ResourceId")
    entries = []
    for endpoint_id in ids:
        if endpoint_id.startswith("vpce-"):
            entry = territory.entry(endpoint_id)
            if entry is None or not entry.endpoint.holds_claims:
                raise errors.endpoint_not_found(endpoint_id)
            entries.append(entry)
    return tuple(entries), tuple(each for each in ids if not each.startswith("vpce-"))
