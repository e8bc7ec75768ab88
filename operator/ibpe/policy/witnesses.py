"""Requests that would show one policy to allow more than another: made from what their statements speak of.

Each Allow that is new is asked for what the earlier one most like it does not take, and each Allow for what a Deny took
that is gone: a request at which both statements part or meet, varied in one or two elements and led around the Denies
that stand. Finitely many samples: they find what an edit widens, and may miss what many edits widen only together.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain, islice, product
from typing import Final, Literal, TypeVar

from ibpe.policy import context, samples
from ibpe.policy.access import ANONYMOUS, Caller, Request, Verdict, decide
from ibpe.policy.clauses import Clause, Options
from ibpe.policy.document import PolicyDocument, Statement
from ibpe.policy.samples import ABSENT, IDENTITY, SERVICE, Value

LIMIT: Final = 2000
"""Requests that are made for two policies, at most."""
WORK: Final = 50_000
"""Statements that are weighed for these requests, at most: long policies get fewer, so that none takes a second."""
PAIRS: Final = 200
"""Pairs of statements that are looked at, at most."""
_GRID: Final = 200
"""Pairs of an action and a resource that are tried for one Allow, at most."""
_STEPS: Final = 6
"""Denies that a request is turned away from, one after another, at most."""

_LIKEST: Final = 3
"""Earlier Allows beside which a new one is looked at, at most: the likest may take nobody, or little."""
_WAYS: Final = 4
"""Ways around a Deny that are tried for one request, at most."""

T = TypeVar("T")
Side = Literal["within", "apart"]
"""Where requests are looked for: within what a statement of the earlier policy takes, or apart from it."""


def witnesses(before: PolicyDocument, after: PolicyDocument) -> Iterator[Request]:
    """Requests with nothing unknown, each once; not all of them tell the policies apart."""
    statements = (*before.statements, *after.statements)
    options = samples.values(statements)
    crowd = samples.once(samples.flat(map(samples.callers, statements)))
    pairs = islice(_pairs(_clauses(before, options), _clauses(after, options)), PAIRS)
    series = (_Pair(allow, other, side, after, options, crowd).requests() for allow, other, side in pairs)
    limit = min(LIMIT, WORK // (len(before.statements) + len(after.statements)))
    return _each_once(islice(_in_turn(series), limit))


def completions(before: PolicyDocument, after: PolicyDocument, request: Request) -> Iterator[Request]:
    """The request with nothing unknown any more: with values that the policies' conditions tell apart, or without."""
    options = samples.values((*before.statements, *after.statements))
    unknown = [key for key in options if _is_unknown(request, key)]
    known = replace(request, unknown=frozenset(), caller=_known(request.caller))
    for clause in (*_clauses(after, options), *_clauses(before, options)):
        given = {key: value for key in clause.keys if key in unknown for value in islice(clause.values(key), 1)}
        yield _with(known, given)
    for key in unknown:
        yield from (_with(known, {key: value}) for value in options[key])


@dataclass(frozen=True, slots=True)
class _Pair:
    """An Allow of the later policy, and a statement of the earlier one beside which it may open something."""

    allow: Clause
    other: Clause | None
    side: Side
    after: PolicyDocument
    options: Options
    crowd: Sequence[Caller]

    def requests(self) -> Iterator[Request]:
        """The request that both statements take, or the Allow alone, as far as may be; then others around it."""
        actions = self._shared(samples.actions, Clause.takes_action)
        resources = self._shared(samples.resources, Clause.takes_resource)
        known = self._shared(samples.callers, Clause.takes_caller)
        callers = samples.once((*known, *filter(self.allow.takes_caller, self.crowd)))
        if not (actions and resources and callers):
            return
        base = self._made(actions[0], resources[0], callers[0], self._context())
        for request in _each_once(chain((base,), self._varied(base, actions, resources, callers))):
            yield from self._ways_around(request)

    def _varied(
        self, base: Request, actions: Iterable[str], resources: Iterable[str], callers: Iterable[Caller]
    ) -> Iterator[Request]:
        given = base.context
        yield from (replace(base, action=action) for action in actions)
        yield from (replace(base, resource=resource) for resource in resources)
        yield from (self._made(base.action, base.resource, caller, given) for caller in callers)
        for key in self.options:
            for value in self.allow.values(key):
                yield self._made(base.action, base.resource, base.caller, {**given, key: value})
        if self.side == "apart":
            yield from islice(_in_turn(self._crossed(base, actions, resources, callers)), _GRID)

    def _crossed(
        self, base: Request, actions: Iterable[str], resources: Iterable[str], callers: Iterable[Caller]
    ) -> Iterator[Iterator[Request]]:
        """Two elements at a time: what is new of one may be let through already for most of the other."""
        yield (replace(base, action=action, resource=arn) for action, arn in product(actions, resources))
        yield (self._made(action, base.resource, who, base.context) for who, action in product(callers, actions))
        yield (self._made(base.action, arn, who, base.context) for who, arn in product(callers, resources))

    def _shared(self, of: Callable[[Statement], tuple[T, ...]], takes: Callable[[Clause, T], bool]) -> tuple[T, ...]:
        """Samples of both statements that the Allow takes, those on the right side of the other first."""
        named = (*of(self.other.statement), *of(self.allow.statement)) if self.other else of(self.allow.statement)
        taken = (sample for sample in samples.once(named) if takes(self.allow, sample))
        return tuple(sorted(taken, key=lambda sample: self._strays(takes, sample)))

    def _strays(self, takes: Callable[[Clause, T], bool], sample: T) -> bool:
        """Whether a sample lies on the wrong side of the other statement."""
        return self.other is not None and takes(self.other, sample) is (self.side == "apart")

    def _context(self) -> dict[str, Value]:
        keys = (*self.allow.keys, *(self.other.keys if self.other else ()))
        return {key: value for key in samples.once(keys) for value in islice(self._values(key), 1)}

    def _values(self, key: str) -> list[Value]:
        """Values of the key that the Allow takes, those on the right side of the other statement first."""
        return sorted(self.allow.values(key), key=partial(self._strays, _taking(key)))

    def _ways_around(self, request: Request) -> Iterator[Request]:
        """The request, or where a Deny of the later policy takes it, a few that get by."""
        deny = self._deny(request)
        if deny is None:
            yield request
        else:
            yield from map(self._turned, islice(self._away(request, deny), _WAYS))

    def _turned(self, request: Request) -> Request:
        """The request with other elements, so that no Deny of the later policy takes it, if that may be."""
        for _ in range(_STEPS):
            deny = self._deny(request)
            away = next(self._away(request, deny), None) if deny else None
            if away is None:
                return request
            request = away
        return request

    def _deny(self, request: Request) -> Clause | None:
        decision = decide(self.after, request)
        if decision.verdict is not Verdict.DENIED or decision.statement is None:
            return None
        return Clause(self.after, decision.statement, self.options)

    def _away(self, request: Request, deny: Clause) -> Iterator[Request]:
        """The request with one element that the Deny doesn't take; on the right side of the other statement if may be.

        Tried, for a Deny may take it all the same: for another of its resources, say.
        """
        for _, moved in sorted(_in_turn(self._moves(request, deny)), key=lambda move: move[0]):
            if decide(self.after, moved).statement is not deny.statement:
                yield moved

    def _moves(self, request: Request, deny: Clause) -> Iterator[Iterator[tuple[bool, Request]]]:
        """Other requests that the Allow takes and the Deny doesn't, element by element, and whether they stray."""
        yield from (self._other_values(request, deny, key) for key in deny.keys)
        yield (
            (strays, replace(request, action=action))
            for strays, action in self._free(deny, samples.actions(deny.statement), Clause.takes_action)
        )
        yield (
            (strays, replace(request, resource=resource))
            for strays, resource in self._free(deny, samples.resources(deny.statement), Clause.takes_resource)
        )
        yield (
            (strays, self._made(request.action, request.resource, caller, request.context))
            for strays, caller in self._free(deny, samples.callers(deny.statement), Clause.takes_caller)
        )

    def _other_values(self, request: Request, deny: Clause, key: str) -> Iterator[tuple[bool, Request]]:
        for strays, value in self._free(deny, self.options[key], _taking(key)):
            given = {**request.context, key: value}
            yield strays, self._made(request.action, request.resource, request.caller, given)

    def _free(self, deny: Clause, choice: Iterable[T], takes: Callable[[Clause, T], bool]) -> Iterator[tuple[bool, T]]:
        for sample in choice:
            if takes(self.allow, sample) and not takes(deny, sample):
                yield self._strays(takes, sample), sample

    def _made(self, action: str, resource: str, caller: Caller, given: Mapping[str, Value]) -> Request:
        """A request as AWS might see it: without a signature there are no keys of the principal but three."""
        keys = dict(given)
        if caller == ANONYMOUS:
            keys = {key: value for key, value in keys.items() if not context.is_of_principal(key)}
            keys |= {key: (value,) for key, value in context.nobody().keys.items() if key in self.options}
        elif keys.get("aws:principalisawsservice") == ("true",):
            caller = SERVICE if caller.kind == "Identity" and self.allow.takes_caller(SERVICE) else caller
        return _with(Request(action, resource, caller), keys)


def _clauses(document: PolicyDocument, options: Options) -> list[Clause]:
    return [Clause(document, statement, options) for statement in document.statements]


def _taking(key: str) -> Callable[[Clause, Value], bool]:
    """Whether a clause takes a value of this key."""
    return lambda clause, value: clause.takes_value(key, value)


def _pairs(before: list[Clause], after: list[Clause]) -> Iterator[tuple[Clause, Clause | None, Side]]:
    """What can have opened something: new Allows, and Denies that are gone. The rest is in both policies alike."""
    known, kept = {clause.meaning for clause in before}, {clause.meaning for clause in after}
    allows = list({clause.meaning: clause for clause in after if clause.effect == "Allow"}.values())
    gone = [clause for clause in before if clause.effect == "Deny" and clause.meaning not in kept]
    old = [clause for clause in before if clause.effect == "Allow"]
    new = (allow for allow in allows if allow.meaning not in known)
    for allow in new:
        likest = sorted(old, key=partial(_likeness, allow), reverse=True)[:_LIKEST]
        yield from ((allow, other, "apart") for other in likest or (None,))
    yield from ((allow, deny, "within") for deny in gone for allow in allows)


def _likeness(one: Clause, other: Clause) -> int:
    """How many words two statements share: what an edited statement was before is the one most like it."""
    return len(one.words & other.words)


def _each_once(requests: Iterable[Request]) -> Iterator[Request]:
    seen: set[object] = set()
    for request in requests:
        mark = (request.action, request.resource, request.caller, tuple(sorted(request.context.items())))
        if mark not in seen:
            seen.add(mark)
            yield request


def _in_turn(series: Iterable[Iterator[T]]) -> Iterator[T]:
    """One of each series, then another of each, until all are at their end."""
    waiting = deque(series)
    while waiting:
        first = waiting.popleft()
        for item in islice(first, 1):
            waiting.append(first)
            yield item


def _with(request: Request, given: Mapping[str, Value]) -> Request:
    keys = {**request.context, **given}
    return replace(request, context={key: value for key, value in keys.items() if value != ABSENT})


def _known(caller: Caller) -> Caller:
    if caller.kind != "Identity" or caller.name:
        return caller
    account = caller.account or IDENTITY.account
    return Caller("Identity", IDENTITY.name.replace(IDENTITY.account, account), account)


def _is_unknown(request: Request, key: str) -> bool:
    return key not in request.context and any(
        key.startswith(name[:-1]) if name.endswith("*") else key == name for name in request.unknown
    )
