"""Endpoints seen and changed from outside, as an intruder or AWS itself would: no check, no call, no log."""

from dataclasses import replace

from sandbox.aws.messages import EndpointEdit, EndpointTruth
from sandbox.aws.model import FAILED, Endpoint
from sandbox.aws.render import default_record_type
from sandbox.aws.settings import LastError


def truth(endpoint: Endpoint) -> EndpointTruth:
    """The endpoint as the control API shows it."""
    error = endpoint.last_error
    return EndpointTruth(
        id=endpoint.id,
        account=endpoint.account,
        region=endpoint.region,
        vpc_id=endpoint.vpc_id,
        service_name=endpoint.service_name,
        type=endpoint.type,
        state=endpoint.state,
        policy=endpoint.policy,
        private_dns=endpoint.private_dns,
        ip_address_type=endpoint.ip_address_type,
        subnet_ids=endpoint.subnet_ids,
        group_ids=endpoint.group_ids,
        route_table_ids=endpoint.route_table_ids,
        network_interface_ids=tuple(endpoint.network_interfaces.values()),
        tags=endpoint.tags,
        last_error=LastError(code=error[0], message=error[1]) if error else None,
    )


def edited(endpoint: Endpoint, edit: EndpointEdit) -> Endpoint:
    """The endpoint with the fields that the edit sets."""
    changes = {name: getattr(edit, name) for name in edit.model_fields_set if getattr(edit, name) is not None}
    changes.pop("last_error", None)
    result = replace(endpoint, **changes)
    if edit.policy is not None:
        result = replace(result, policy_is_default=False)
    if edit.ip_address_type is not None:
        record_type = default_record_type(endpoint.type, edit.ip_address_type)
        result = replace(result, dns_options=replace(endpoint.dns_options, record_ip_type=record_type))
    if edit.last_error is not None:
        result = replace(result, last_error=(edit.last_error.code, edit.last_error.message))
    elif result.state != FAILED:
        result = replace(result, last_error=None)
    return result
