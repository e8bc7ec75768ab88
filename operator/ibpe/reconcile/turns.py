"""Which of a plan's writes may be sent now: each that AWS limits needs a token, and who finds none does not wait here.

The question stands before the intents are stored: a write that has to wait leaves nothing behind.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from ibpe.aws.limits import CREATE, DELETE, MODIFY, Turns
from ibpe.reconcile.actions import Action, Contribute, Create, Delete, Modify, Resolve, Retag, Wait, Withdraw
from ibpe.reconcile.aftermath import Round
from ibpe.reconcile.apply import due_deletions
from ibpe.reconcile.memory import Recollection
from ibpe.reconcile.plan import Plan, RolePlan

Turn = Callable[[str], float]
"""Operation -> 0.0 when it may be sent now, once; else the seconds until its turn."""


def turn_of(turns: Turns, account: str, region: str, uid: str) -> Turn:
    """One resource's turns in a Region of an account (twelve digits)."""
    return lambda operation: turns.turn(account=account, region=region, operation=operation, caller=uid)


def in_turn(work: Round) -> Round:
    """The round with what may be done in it now; of a suspended resource nothing is done, and nothing taken."""
    if work.spec.suspend:
        return work
    return replace(work, plan=rationed(work.plan, turn_for(work), work.past, work.now))


def turn_for(work: Round) -> Turn:
    """The turns of a round's resource."""
    return turn_of(work.eyes.turns, work.seen.account, work.desired.region, work.resource.uid)


def rationed(plan: Plan, turn: Turn, past: Recollection, now: datetime) -> Plan:
    """The plan up to its first write that has to wait; what is left is held, and planned anew when its turn comes."""
    waits: float | None = None
    roles: list[RolePlan] = []
    for role in plan.roles:
        sent: list[Action] = []
        for action in role.actions:
            if waits is None:
                waits = _wait(action, turn, past, now)
            if waits is not None:
                break
            sent.append(action)
        roles.append(role if waits is None else _held(role, tuple(sent), waits))
    return Plan(tuple(roles), turn_in=waits)


def _held(role: RolePlan, sent: tuple[Action, ...], seconds: float) -> RolePlan:
    if len(sent) == len(role.actions):
        return role
    words = "What is next to be written waits for its turn: AWS takes few such calls from an account and Region."
    return replace(role, actions=sent, held=role.actions[len(sent) :], wait=Wait("AwaitingTurn", words, seconds))


def _wait(action: Action, turn: Turn, past: Recollection, now: datetime) -> float | None:
    operation = _operation(action, past, now)
    return (turn(operation) or None) if operation is not None else None


def _operation(action: Action, past: Recollection, now: datetime) -> str | None:
    """The limited call that an action makes; None: none."""
    match action:
        case Create() | Resolve():
            return CREATE
        case Modify() | Contribute() | Withdraw():
            return MODIFY
        case Delete(ids=ids):
            return DELETE if due_deletions(ids, past, now) else None
        case Retag():
            return None
