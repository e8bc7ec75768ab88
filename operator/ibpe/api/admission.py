"""The ValidatingAdmissionPolicy for what a CRD's own CEL can't see: fields without a type, such as policy documents.

`python -m ibpe.api.admission` prints it. It refuses what is surely no policy of this endpoint, so that its author sees
it at once; `ibpe.policy` judges the rest.
"""

import sys
from typing import Final

from pydantic.json_schema import JsonSchemaValue

from ibpe.actions.reference import ACTIONS
from ibpe.api.cel import (
    DOCUMENT,
    DOCUMENT_STATEMENTS,
    IMAGE_BUILDERS,
    S3S,
    SOURCES,
    Source,
    admission_policy_over_new_specs,
    binding_of,
    each,
    no_action,
    validation,
    variables,
)
from ibpe.api.manifest import as_yaml
from ibpe.api.names import GROUP
from ibpe.api.policies import ImageBuilderPolicy

NAME: Final = f"policies.{GROUP}"
_SHAPE: Final = "Effect, Principal, Action and Resource"
_ACTION: Final = "^([*]|[A-Za-z0-9-]+:[A-Za-z0-9*?_-]+)$"
_SPACE: Final = r"a.matches('\\s')"


def admission_policy() -> JsonSchemaValue:
    """The ValidatingAdmissionPolicy as plain values."""
    return admission_policy_over_new_specs(
        NAME,
        variables(),
        [
            *_presence_rules(),
            *_document_rules(),
            *_text_rules(),
            *_documents_statement_rules(DOCUMENT_STATEMENTS),
            *(rule for source in SOURCES for rule in _statement_rules(source)),
            *(rule for source in SOURCES for rule in _action_rules(source)),
            *(_known_actions_rule(source) for source in IMAGE_BUILDERS),
            _gateway_principal_rule(S3S),
        ],
    )


def binding() -> JsonSchemaValue:
    """What puts the policy into effect, in every namespace."""
    return binding_of(NAME, "Deny")


def _presence_rules() -> list[JsonSchemaValue]:
    """The model's own rules, with `self` under the name that it has here."""
    return [
        validation(
            f"!variables.hasPolicy || ({rule.cel.replace('self.', 'object.spec.imageBuilder.policy.')})",
            f"imageBuilder.policy: {rule.message}",
        )
        for rule in ImageBuilderPolicy.untyped_rules
    ]


def _document_rules() -> list[JsonSchemaValue]:
    return [
        validation(
            "!variables.hasDocument || variables.isObject || type(variables.document) == string",
            f"{DOCUMENT}: write an IAM policy as YAML, or as a JSON string",
        ),
        validation(
            "!variables.isObject || (has(variables.document.Statement) && size(variables.documentStatements) > 0)",
            f"{DOCUMENT}: it has no Statement; add one with {_SHAPE}",
        ),
    ]


def _text_rules() -> list[JsonSchemaValue]:
    """What can be said of JSON text without reading it: CEL has no JSON."""
    item = r'"[^"]*"'
    spaced = r'"[^"]*\\s[^"]*"'
    return [
        validation(
            r"!variables.hasDocument || variables.isObject || variables.text.matches('^\\s*[{]')",
            f"{DOCUMENT}: as a string it has to be one JSON object; write {{…}}, or YAML in place of the string",
        ),
        validation(
            "variables.text == '' || variables.text.contains('\"Statement\"')",
            f"{DOCUMENT}: it has no Statement; add one with {_SHAPE}",
        ),
        validation(
            "variables.text == '' || !variables.text.contains('\"Statement\"') || "
            "variables.text.contains('\"Principal\"') || variables.text.contains('\"NotPrincipal\"')",
            f'{DOCUMENT}: its statements name no Principal; add "Principal": "*" and narrow it with a Condition',
        ),
        validation(
            rf"variables.text.findAll('[{{,]\\s*\"Effect\"\\s*:\\s*{item}').all(e, e.matches('\"(Allow|Deny)\"$'))",
            f'{DOCUMENT}: write "Effect": "Allow" or "Effect": "Deny" in every statement',
        ),
        validation(
            rf"!variables.text.matches('[{{,]\\s*\"(Not)?Action\"\\s*:\\s*(\\[\\s*({item}\\s*,\\s*)*)?{spaced}')",
            f"{DOCUMENT}: there is a space in an action; write it as service:Action, such as imagebuilder:DeleteImage",
        ),
    ]


def _documents_statement_rules(source: Source) -> list[JsonSchemaValue]:
    """What the schema itself holds additional statements to."""
    return [
        validation(
            f"{source.statements}.all(s, type(s) == map)",
            f"{source.place}: write each statement as an object with {_SHAPE}",
        ),
        each(
            source,
            "has(s.Effect) && s.Effect in ['Allow', 'Deny']",
            "write Effect: Allow or Effect: Deny in every statement",
        ),
    ]


def _statement_rules(source: Source) -> list[JsonSchemaValue]:
    return [
        each(
            source,
            "has(s.Principal) || has(s.NotPrincipal)",
            'a statement names no Principal; add Principal: "*" and narrow it with a Condition',
        ),
        each(
            source,
            "!has(s.Principal) || type(s.Principal) == map || s.Principal == '*'",
            'a Principal has another form; write Principal: "*", or Principal: {AWS: "arn:…"}',
        ),
        each(
            source,
            "has(s.Action) || has(s.NotAction)",
            "a statement has no Action; add one, such as imagebuilder:GetComponent",
        ),
        each(
            source,
            "has(s.Resource) || has(s.NotResource)",
            'a statement has no Resource; add Resource: "*", or ARNs',
        ),
    ]


def _action_rules(source: Source) -> list[JsonSchemaValue]:
    return [
        no_action(
            source,
            _SPACE,
            "there is a space in the action",
            "write it as service:Action",
            "\"write '\" + {found}.replace(' ', '') + \"'\"",
        ),
        no_action(
            source,
            f"!{_SPACE} && !a.matches('{_ACTION}')",
            "this is not an action:",
            "write it as service:Action, or * for all",
        ),
    ]


def _known_actions_rule(source: Source) -> JsonSchemaValue:
    """Names in full that Image Builder doesn't have; one that is newer than the list passes with a * at its end."""
    names = ", ".join(f"'{action.name.lower()}'" for action in ACTIONS["imagebuilder"])
    return no_action(
        source,
        "a.lowerAscii().matches('^imagebuilder:[a-z0-9_-]+$')"
        f" && !(a.lowerAscii().substring({len('imagebuilder:')}) in [{names}])",
        "Image Builder has no action",
        "correct its name (a newer one than this list passes with a * at its end)",
    )


def _gateway_principal_rule(source: Source) -> JsonSchemaValue:
    """PrivateLink guide, "Control access to VPC endpoints using endpoint policies", principals of gateway endpoints."""
    return each(
        source,
        "!has(s.NotPrincipal) && (!has(s.Principal) || type(s.Principal) == string"
        " || (type(s.Principal) == map && size(s.Principal) == 1 && has(s.Principal.AWS)"
        " && (s.Principal.AWS == '*' || s.Principal.AWS == ['*'])))",
        'a gateway endpoint takes Principal: "*" alone; narrow it with a Condition on aws:PrincipalArn',
    )


if __name__ == "__main__":
    sys.stdout.write(as_yaml(admission_policy(), binding()))
