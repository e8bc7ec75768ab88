"""Specs for the VPC of the fake AWS; each is Ready in the end."""

from typing import Any

from ibpe.aws.gateway import Endpoint
from tests.crash.sharing import OPEN, OTHER, SHARED
from tests.crash.surroundings import GROUPS, REGION, SUBNETS, TABLES, VPC


def spec(**changes: Any) -> dict[str, Any]:
    """A spec that is Ready in the end; a change of None takes the field out."""
    made: dict[str, Any] = {
        "region": REGION,
        "vpcID": VPC,
        "builds": {"subnets": {"ids": list(SUBNETS[:2])}},
        "imageBuilder": image_builder(),
        "s3": {
            "routeTables": {"ids": [TABLES[0]]},
            "policy": {"baseline": "ImageBuilderOnly"},
        },
        **changes,
    }
    return {name: value for name, value in made.items() if value is not None}


def image_builder(**changes: Any) -> dict[str, Any]:
    return {
        "subnets": {"ids": list(SUBNETS[:2])},
        "securityGroups": {"ids": [GROUPS[0]]},
        "policy": {"preset": "DenyDeletion"},
        **changes,
    }


def shared(mode: str, endpoint: Endpoint, **policy: Any) -> dict[str, Any]:
    """`spec.s3` about somebody else's endpoint."""
    return {"mode": mode, "endpointID": endpoint.id, **({"policy": policy} if policy else {})}


SPECS = {
    "both": spec(),
    "tagged": spec(tags={"team": "images"}),
    "other subnet": spec(imageBuilder=image_builder(subnets={"ids": [SUBNETS[0]]})),
    "other group": spec(imageBuilder=image_builder(securityGroups={"ids": [GROUPS[1]]})),
    "no private DNS": spec(imageBuilder=image_builder(privateDNS=False)),
    "open": spec(imageBuilder=image_builder(policy={"preset": "FullAccess"}), tags={"team": "x"}),
    "without S3": spec(s3=None),
    "S3 alone": spec(imageBuilder=None),
    "S3 alone, tagged": spec(imageBuilder=None, tags={"team": "images"}),
    "retained": spec(deletionPolicy="Retain"),
    "contributing": spec(imageBuilder=None, builds=None, s3=shared("Contribute", SHARED)),
    "contributing more": spec(imageBuilder=None, builds=None, s3=shared("Contribute", SHARED, patching=True)),
    "contributing elsewhere": spec(imageBuilder=None, builds=None, s3=shared("Contribute", OTHER)),
    "contributing where all is allowed": spec(imageBuilder=None, builds=None, s3=shared("Contribute", OPEN)),
    "only looking": spec(imageBuilder=None, builds=None, s3=shared("Existing", OPEN)),
}
