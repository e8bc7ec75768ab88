"""Requests that would show one policy to allow more than another: made from what their statements speak of.

Each Allow that is new is crossed with the statements that stood there before: a request that both take, turned so that
no Deny stands in its way, and then varied in one element at a time. Finitely many samples: they find what an edit
widens, and may miss what several edits widen only together.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from heapq import nlargest
from itertools import chain, islice, product
from typing import Final, TypeVar

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
_AKIN: Final = 4
"""Earlier Allows, the likest ones, that a new one is crossed with."""
_GRID: Final = 200
"""Pairs of an action and a resource that are tried for one Allow, at most."""
_STEPS: Final = 6
"""Denies that a request is turned away from, one after another, at most."""

T = TypeVar("T")


def witnesses(before: PolicyDocument, after: PolicyDocument) -> Iterator[Request]:
    """Requests with nothing unknown, each once; not all of them tell the policies apart."""
    options = samples.values((*before.statements, *after.statements))
    pairs = islice(_pairs(_clauses(before, options), _clauses(after, options)), PAIRS)
    series = (_Pair(allow, other, after, options).requests() for allow, other in pairs)
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
    after: PolicyDocument
    options: Options

    def requests(self) -> Iterator[Request]:
        """The request that both statements take, then others around it."""
        actions = self._shared(samples.actions, Clause.takes_action)
        resources = self._shared(samples.resources, Clause.takes_resource)
        callers = self._shared(samples.callers, Clause.takes_caller)
        if not (actions and resources and callers):
            return
        base = self._turned(self._made(actions[0], resources[0], callers[0], self._context()))
        around = _each_once(chain((base,), self._varied(base, actions, resources, callers)))
        yield from map(self._turned, around)

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
        if self.other is None:
            for action, resource in islice(product(actions, resources), _GRID):
                yield replace(base, action=action, resource=resource)

    def _shared(self, of: Callable[[Statement], tuple[T, ...]], takes: Callable[[Clause, T], bool]) -> tuple[T, ...]:
        """Samples of both statements that the Allow takes, those first that the other takes too."""
        named = (*of(self.other.statement), *of(self.allow.statement)) if self.other else of(self.allow.statement)
        taken = (sample for sample in samples.once(named) if takes(self.allow, sample))
        return tuple(sorted(taken, key=lambda sample: self.other is not None and not takes(self.other, sample)))

    def _context(self) -> dict[str, Value]:
        keys = (*self.allow.keys, *(self.other.keys if self.other else ()))
        return {key: value for key in samples.once(keys) for value in islice(self._values(key), 1)}

    def _values(self, key: str) -> list[Value]:
        """Values of the key that the Allow takes, those first that the other statement takes too."""
        other = self.other
        return sorted(self.allow.values(key), key=lambda value: other is not None and not other.takes_value(key, value))

    def _turned(self, request: Request) -> Request:
        """The request with other values, so that no Deny of the later policy takes it; itself where there are none."""
        for _ in range(_STEPS):
            decision = decide(self.after, request)
            if decision.verdict is not Verdict.DENIED or decision.statement is None:
                return request
            away = self._away(request, Clause(self.after, decision.statement, self.options))
            if away is None:
                return request
            request = away
        return request

    def _away(self, request: Request, deny: Clause) -> Request | None:
        """The request with one element that the Deny doesn't take; one that the other statement takes, if there is."""
        return next((moved for _, moved in sorted(self._moves(request, deny), key=lambda move: move[0])), None)

    def _moves(self, request: Request, deny: Clause) -> Iterator[tuple[bool, Request]]:
        """Other requests that the Allow takes and the Deny doesn't; true: the other statement takes them no more."""
        for key in deny.keys:
            for value in self.allow.values(key):
                if not deny.takes_value(key, value):
                    given = {**request.context, key: value}
                    strays = self.other is not None and not self.other.takes_value(key, value)
                    yield strays, self._made(request.action, request.resource, request.caller, given)
        for strays, action in self._free(deny, samples.actions, Clause.takes_action):
            yield strays, replace(request, action=action)
        for strays, resource in self._free(deny, samples.resources, Clause.takes_resource):
            yield strays, replace(request, resource=resource)
        for strays, caller in self._free(deny, samples.callers, Clause.takes_caller):
            yield strays, self._made(request.action, request.resource, caller, request.context)

    def _free(
        self, deny: Clause, of: Callable[[Statement], tuple[T, ...]], takes: Callable[[Clause, T], bool]
    ) -> Iterator[tuple[bool, T]]:
        for sample in of(deny.statement):
            if takes(self.allow, sample) and not takes(deny, sample):
                yield self.other is not None and not takes(self.other, sample), sample

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


def _pairs(before: list[Clause], after: list[Clause]) -> Iterator[tuple[Clause, Clause | None]]:
    """What can have opened something: new Allows, and Denies that are gone. The rest is in both policies alike."""
    known, kept = {clause.meaning for clause in before}, {clause.meaning for clause in after}
    allows = list({clause.meaning: clause for clause in after if clause.effect == "Allow"}.values())
    new = [clause for clause in allows if clause.meaning not in known]
    gone = [clause for clause in before if clause.effect == "Deny" and clause.meaning not in kept]
    yield from ((allow, None) for allow in new)
    yield from ((allow, deny) for deny in gone for allow in allows)
    old = [clause for clause in before if clause.effect == "Allow"]
    yield from ((allow, likest) for allow in new for likest in nlargest(_AKIN, old, key=partial(_likeness, allow)))


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
