"""How admission policies reach a spec's untyped parts in CEL, and the frame that each of them has. Knows no rule."""

from typing import Final, Literal, NamedTuple

from pydantic.json_schema import JsonSchemaValue

from ibpe.api.names import GROUP, PLURAL, VERSION


class Source(NamedTuple):
    """Where statements may stand: how a message calls it, and the CEL variable that holds them as a list.

    A second variable, its name with `Actions`, holds a list for each statement: all its actions that are text.
    """

    place: str
    variable: str

    @property
    def statements(self) -> str:
        """The statements, as an expression."""
        return f"variables.{self.variable}"

    @property
    def actions(self) -> str:
        """The actions of each, as an expression."""
        return f"variables.{self.variable}Actions"


DOCUMENT: Final = "imageBuilder.policy.document"
DOCUMENT_STATEMENTS: Final = Source(f"{DOCUMENT}.Statement", "documentStatements")
IMAGE_BUILDERS: Final = (
    DOCUMENT_STATEMENTS,
    Source("imageBuilder.policy.additionalStatements", "imageBuilderStatements"),
)
S3S: Final = Source("s3.policy.additionalStatements", "s3Statements")
SOURCES: Final = (*IMAGE_BUILDERS, S3S)


def variables() -> list[JsonSchemaValue]:
    """What expressions may name as `variables.…`."""
    return [
        variable("hasPolicy", "has(object.spec.imageBuilder) && has(object.spec.imageBuilder.policy)"),
        variable("hasDocument", f"variables.hasPolicy && has(object.spec.{DOCUMENT})"),
        variable("document", f"variables.hasDocument ? object.spec.{DOCUMENT} : ''"),
        variable("text", "type(variables.document) == string ? string(variables.document) : ''"),
        variable("isObject", "type(variables.document) == map"),
        variable(
            DOCUMENT_STATEMENTS.variable,
            "!variables.isObject || !has(variables.document.Statement) ? [] : "
            "type(variables.document.Statement) == list"
            " ? variables.document.Statement : [variables.document.Statement]",
        ),
        variable(IMAGE_BUILDERS[1].variable, _additional("imageBuilder")),
        variable(S3S.variable, _additional("s3")),
        *(variable(source.actions.removeprefix("variables."), _actions(source)) for source in SOURCES),
    ]


def variable(name: str, expression: str) -> JsonSchemaValue:
    """One variable of a policy."""
    return {"name": name, "expression": expression}


def _additional(part: str) -> str:
    path = f"object.spec.{part}"
    return (
        f"has({path}) && has({path}.policy) && has({path}.policy.additionalStatements)"
        f" ? {path}.policy.additionalStatements : []"
    )


def _actions(source: Source) -> str:
    one_or_many = "(has(s.{0}) ? (type(s.{0}) == list ? s.{0} : [s.{0}]) : [])"
    return (
        f"{source.statements}.filter(s, type(s) == map)"
        f".map(s, ({one_or_many.format('Action')} + {one_or_many.format('NotAction')})"
        ".filter(a, type(a) == string))"
    )


def validation(expression: str, message: str, message_expression: str = "") -> JsonSchemaValue:
    """One rule: what must hold, and the sentence where it doesn't; the expression may name what was found."""
    computed = {"messageExpression": message_expression} if message_expression else {}
    return {"expression": expression, "message": message, **computed}


def each(source: Source, test: str, message: str) -> JsonSchemaValue:
    """A rule that every statement `s` of the source passes the test, but for what is no object."""
    return validation(f"{source.statements}.all(s, type(s) != map || ({test}))", f"{source.place}: {message}")


def no_action(source: Source, test: str, problem: str, fix: str, fix_expression: str = "") -> JsonSchemaValue:
    """A rule that no action `a` of the source meets the test; the message puts the first that does after `problem`.

    `fix_expression`: the fix in CEL, with `{found}` where the action stands.
    """
    failing = f"{source.actions}.filter(of, of.exists(a, {test}))"
    found = f"{failing}[0].filter(a, {test})[0]"
    words = fix_expression.format(found=found) if fix_expression else f'"{fix}"'
    return validation(
        f"size({failing}) == 0",
        f"{source.place}: {problem}; {fix}",
        f'"{source.place}: {problem} \'" + {found} + "\'; " + {words}',
    )


def admission_policy_over_new_specs(
    name: str, variables: list[JsonSchemaValue], validations: list[JsonSchemaValue]
) -> JsonSchemaValue:
    """A ValidatingAdmissionPolicy, `admissionregistration.k8s.io/v1` (Kubernetes 1.30), as plain values."""
    return {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingAdmissionPolicy",
        "metadata": {"name": name},
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
            "variables": variables,
            "validations": validations,
        },
    }


def binding_of(name: str, action: Literal["Deny", "Warn"]) -> JsonSchemaValue:
    """What puts a policy into effect, in every namespace."""
    return {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingAdmissionPolicyBinding",
        "metadata": {"name": name},
        "spec": {"policyName": name, "validationActions": [action]},
    }
