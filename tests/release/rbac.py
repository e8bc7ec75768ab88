"""RBAC as values: what a request asks for, what a rule grants, and rendered objects with one grant less. No I/O."""

import copy
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sandbox.kube.hooks import Request

ROLES = ("ClusterRole", "Role")
BINDINGS = ("ClusterRoleBinding", "RoleBinding")
Document = Mapping[str, Any]

_PATH = re.compile(r"/(?:api|apis/(?P<group>[^/]+))/[^/]+(?:/namespaces/(?P<namespace>[^/]+))?/(?P<rest>.+)")
_DISCOVERY = re.compile(r"/api(?:/v1)?|/apis(?:/[^/]+){0,2}|/version")


@dataclass(frozen=True, order=True)
class Asked:
    """A request as the authorizer sees it (Kubernetes, "Authorization": request attributes)."""

    verb: str
    group: str
    resource: str
    """With the subresource, where there is one: `a/b`, as rules name it."""
    namespace: str
    name: str

    def attributes(self) -> dict[str, str]:
        """For a SubjectAccessReview."""
        resource, _, subresource = self.resource.partition("/")
        return {
            "verb": self.verb,
            "group": self.group,
            "resource": resource,
            "subresource": subresource,
            "namespace": self.namespace,
            "name": self.name,
        }


def asked(request: Request) -> Asked | None:
    """What a request asks for; None for discovery, which every authenticated user has (system:discovery)."""
    if _DISCOVERY.fullmatch(request.path):
        return None
    found = _PATH.fullmatch(request.path)
    if found is None:
        raise ValueError(f"neither a resource nor discovery: {request.path}")
    resource, name, subresource = [*found["rest"].split("/"), "", ""][:3]
    return Asked(
        verb=_verb(request, name),
        group=found["group"] or "",
        resource=f"{resource}/{subresource}" if subresource else resource,
        namespace=found["namespace"] or "",
        name=name,
    )


def _verb(request: Request, name: str) -> str:
    if request.method == "GET":
        if request.parameters.get("watch", ["false"])[0].lower() in {"true", "1"}:
            return "watch"
        return "get" if name else "list"
    return {"POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete" if name else "deletecollection"}[
        request.method
    ]


@dataclass(frozen=True)
class Grant:
    """One verb on one resource, of one rule of one role: what can be left out."""

    kind: str
    role: str
    namespace: str
    rule: int
    verb: str
    group: str
    resource: str
    name: str
    """Of resourceNames; empty: any."""

    def __str__(self) -> str:
        return f"{self.verb} {self.resource}"

    def allows(self, request: Asked) -> bool:
        """Whether it grants that."""
        return (
            self.verb == request.verb
            and (self.group, self.resource) == (request.group, request.resource)
            and self.name in {"", request.name}
            and (self.kind == "ClusterRole" or self.namespace == request.namespace)
        )


def grants(documents: Sequence[Document]) -> Iterator[Grant]:
    """Everything that the bound roles among these objects grant, each part of each rule by itself."""
    bound = {_referred(document) for document in documents if document["kind"] in BINDINGS}
    for role in documents:
        if role["kind"] in ROLES and _identity(role) in bound:
            for number, rule in enumerate(role["rules"]):
                yield from _parts(role, number, rule)


def _parts(role: Document, number: int, rule: Document) -> Iterator[Grant]:
    kind, namespace, name = _identity(role)
    for group in rule["apiGroups"]:
        for resource in rule["resources"]:
            for verb in rule["verbs"]:
                for named in rule.get("resourceNames") or ("",):
                    yield Grant(kind, name, namespace, number, verb, group, resource, named)


def without(documents: Sequence[Document], grant: Grant) -> list[dict[str, Any]]:
    """The same objects with just this grant left out; the rest of its rule stays."""
    left = copy.deepcopy([dict(document) for document in documents])
    for role in left:
        if role["kind"] in ROLES and _identity(role) == (grant.kind, grant.namespace, grant.role):
            rules = [rule for number, rule in enumerate(role["rules"]) if number != grant.rule]
            kept = [each for each in _parts(role, grant.rule, role["rules"][grant.rule]) if each != grant]
            role["rules"] = [*rules, *(_rule(each) for each in kept)]
    return left


def bound_to(documents: Sequence[Document], user: str, suffix: str) -> list[dict[str, Any]]:
    """The same roles and bindings under names of their own, for a user in place of whom they were for."""
    made = copy.deepcopy([dict(document) for document in documents if document["kind"] in (*ROLES, *BINDINGS)])
    for each in made:
        each["metadata"]["name"] += suffix
        if each["kind"] in BINDINGS:
            each["roleRef"]["name"] += suffix
            each["subjects"] = [{"kind": "User", "name": user, "apiGroup": "rbac.authorization.k8s.io"}]
    return made


def _rule(grant: Grant) -> dict[str, Any]:
    named = {"resourceNames": [grant.name]} if grant.name else {}
    return {"apiGroups": [grant.group], "resources": [grant.resource], "verbs": [grant.verb], **named}


def _identity(role: Document) -> tuple[str, str, str]:
    namespace = role["metadata"].get("namespace", "") if role["kind"] == "Role" else ""
    return role["kind"], namespace, role["metadata"]["name"]


def _referred(binding: Document) -> tuple[str, str, str]:
    reference = binding["roleRef"]
    namespace = binding["metadata"].get("namespace", "") if reference["kind"] == "Role" else ""
    return reference["kind"], namespace, reference["name"]
