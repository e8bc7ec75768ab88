"""The ValidatingAdmissionPolicy for what a CRD's own CEL can't see: fields without a type, such as policy documents.

`python -m ibpe.api.admission` prints it. It refuses what is surely not a policy; `ibpe.policy` judges the rest.
"""

import sys
from typing import Final, NamedTuple

from pydantic.json_schema import JsonSchemaValue

from ibpe.api.manifest import as_yaml
from ibpe.api.names import GROUP, PLURAL, VERSION
from ibpe.api.spec import ImageBuilderPolicy

NAME: Final = f"policies.{GROUP}"
_DOCUMENT: Final = "imageBuilder.policy.document"
_SHAPE: Final = "Effect, Principal, Action and Resource"


class _Source(NamedTuple):
    """Where statements may stand: how a message calls it, and the CEL variable that holds them as a list."""

    place: str
    variable: str


_STATEMENTS: Final = _Source(f"{_DOCUMENT}.Statement", "documentStatements")
_SOURCES: Final = (
    _STATEMENTS,
    _Source("imageBuilder.policy.additionalStatements", "imageBuilderStatements"),
    _Source("s3.policy.additionalStatements", "s3Statements"),
)


def admission_policy() -> JsonSchemaValue:
    """The ValidatingAdmissionPolicy as plain values, `admissionregistration.k8s.io/v1` (Kubernetes 1.30)."""
    return {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingAdmissionPolicy",
        "metadata": {"name": NAME},
        "spec": {
            "failurePolicy": "Fail",
            "matchConstraints": {
                "resourceRules": [
                    {
                        "apiGroups": [GROUP],
                        "apiVersions": [VERSION],
                        "operations": ["CREATE", "UPDATE"],
                        "resources": [PLURAL],
                    }
                ]
            },
            # A resource that was let in before must still lose its finalizer and take annotations.
            "matchConditions": [
                {
                    "name": "the-spec-is-new",
                    "expression": "request.operation == 'CREATE' || object.spec != oldObject.spec",
                }
            ],
            "variables": _variables(),
            "validations": [
                *_presence_rules(),
                *_document_rules(),
                *_text_rules(),
                *_documents_statement_rules(_STATEMENTS),
                *(rule for source in _SOURCES for rule in _statement_rules(source)),
            ],
        },
    }


def binding() -> JsonSchemaValue:
    """What puts the policy into effect, in every namespace."""
    return {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingAdmissionPolicyBinding",
        "metadata": {"name": NAME},
        "spec": {"policyName": NAME, "validationActions": ["Deny"]},
    }


def _variables() -> list[JsonSchemaValue]:
    def variable(name: str, expression: str) -> JsonSchemaValue:
        return {"name": name, "expression": expression}

    def additional(part: str) -> str:
        path = f"object.spec.{part}"
        return (
            f"has({path}) && has({path}.policy) && has({path}.policy.additionalStatements)"
            f" ? {path}.policy.additionalStatements : []"
        )

    def actions(source: _Source) -> str:
        """A list of actions for each statement; what is not text is passed over."""
        one_or_many = "(has(s.{0}) ? (type(s.{0}) == list ? s.{0} : [s.{0}]) : [])"
        return (
            f"variables.{source.variable}.filter(s, type(s) == map)"
            f".map(s, ({one_or_many.format('Action')} + {one_or_many.format('NotAction')})"
            r".filter(a, type(a) == string && a.matches('\\s'))).filter(found, size(found) > 0)"
        )

    return [
        variable("hasPolicy", "has(object.spec.imageBuilder) && has(object.spec.imageBuilder.policy)"),
        variable("hasDocument", "variables.hasPolicy && has(object.spec.imageBuilder.policy.document)"),
        variable("document", "variables.hasDocument ? object.spec.imageBuilder.policy.document : ''"),
        variable("text", "type(variables.document) == string ? string(variables.document) : ''"),
        variable("isObject", "type(variables.document) == map"),
        variable(
            "documentStatements",
            "!variables.isObject || !has(variables.document.Statement) ? [] : "
            "type(variables.document.Statement) == list"
            " ? variables.document.Statement : [variables.document.Statement]",
        ),
        variable("imageBuilderStatements", additional("imageBuilder")),
        variable("s3Statements", additional("s3")),
        *(variable(f"{source.variable}Spaced", actions(source)) for source in _SOURCES),
    ]


def _validation(expression: str, message: str, message_expression: str = "") -> JsonSchemaValue:
    computed = {"messageExpression": message_expression} if message_expression else {}
    return {"expression": expression, "message": message, **computed}


def _presence_rules() -> list[JsonSchemaValue]:
    """The model's own rules, with `self` under the name that it has here."""
    return [
        _validation(
            f"!variables.hasPolicy || ({rule.cel.replace('self.', 'object.spec.imageBuilder.policy.')})",
            f"imageBuilder.policy: {rule.message}",
        )
        for rule in ImageBuilderPolicy.untyped_rules
    ]


def _document_rules() -> list[JsonSchemaValue]:
    return [
        _validation(
            "!variables.hasDocument || variables.isObject || type(variables.document) == string",
            f"{_DOCUMENT}: write an IAM policy as YAML, or as a JSON string",
        ),
        _validation(
            "!variables.isObject || (has(variables.document.Statement) && size(variables.documentStatements) > 0)",
            f"{_DOCUMENT}: it has no Statement; add one with {_SHAPE}",
        ),
    ]


def _text_rules() -> list[JsonSchemaValue]:
    """What can be said of JSON text without reading it: CEL has no JSON."""
    item = r'"[^"]*"'
    spaced = r'"[^"]*\\s[^"]*"'
    return [
        _validation(
            r"!variables.hasDocument || variables.isObject || variables.text.matches('^\\s*[{]')",
            f"{_DOCUMENT}: as a string it has to be one JSON object; write {{…}}, or YAML in place of the string",
        ),
        _validation(
            "variables.text == '' || variables.text.contains('\"Statement\"')",
            f"{_DOCUMENT}: it has no Statement; add one with {_SHAPE}",
        ),
        _validation(
            "variables.text == '' || !variables.text.contains('\"Statement\"') || "
            "variables.text.contains('\"Principal\"') || variables.text.contains('\"NotPrincipal\"')",
            f'{_DOCUMENT}: its statements name no Principal; add "Principal": "*" and narrow it with a Condition',
        ),
        _validation(
            rf"variables.text.findAll('[{{,]\\s*\"Effect\"\\s*:\\s*{item}').all(e, e.matches('\"(Allow|Deny)\"$'))",
            f'{_DOCUMENT}: write "Effect": "Allow" or "Effect": "Deny" in every statement',
        ),
        _validation(
            rf"!variables.text.matches('[{{,]\\s*\"(Not)?Action\"\\s*:\\s*(\\[\\s*({item}\\s*,\\s*)*)?{spaced}')",
            f"{_DOCUMENT}: there is a space in an action; write it as service:Action, such as imagebuilder:DeleteImage",
        ),
    ]


def _documents_statement_rules(source: _Source) -> list[JsonSchemaValue]:
    """What the schema itself holds additional statements to."""
    place, statements = source.place, f"variables.{source.variable}"
    return [
        _validation(
            f"{statements}.all(s, type(s) == map)",
            f"{place}: write each statement as an object with {_SHAPE}",
        ),
        _validation(
            f"{statements}.all(s, type(s) != map || (has(s.Effect) && s.Effect in ['Allow', 'Deny']))",
            f"{place}: write Effect: Allow or Effect: Deny in every statement",
        ),
    ]


def _statement_rules(source: _Source) -> list[JsonSchemaValue]:
    place, statements = source.place, f"variables.{source.variable}"
    spaced = f"{statements}Spaced"
    return [
        _validation(
            f"{statements}.all(s, type(s) != map || has(s.Principal) || has(s.NotPrincipal))",
            f'{place}: a statement names no Principal; add Principal: "*" and narrow it with a Condition',
        ),
        _validation(
            f"{statements}.all(s, type(s) != map || has(s.Action) || has(s.NotAction))",
            f"{place}: a statement has no Action; add one, such as imagebuilder:GetComponent",
        ),
        _validation(
            f"size({spaced}) == 0",
            f"{place}: there is a space in an action; write it as service:Action",
            f'"{place}: there is a space in the action \'" + {spaced}[0][0] + "\'; write \'"'
            f" + {spaced}[0][0].replace(' ', '') + \"'\"",
        ),
    ]


if __name__ == "__main__":
    sys.stdout.write(as_yaml(admission_policy(), binding()))
