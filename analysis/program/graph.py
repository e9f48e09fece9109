"""The graph of a program's states: which lead to each other. Nothing here is recursive."""

from __future__ import annotations

from analysis.program.program import Program


def components(program: Program) -> tuple[int, ...]:
    """For every state a number that it shares with the states that lead to it and that it leads to.

    Kosaraju's algorithm, linear in states and edges.
    """
    before: list[list[int]] = [[] for _ in program.states]
    for edge in program.edges:
        if edge.target is not None:
            before[edge.target].append(edge.source)
    found = [-1] * len(program.states)
    for root in reversed(_postorder(program)):
        waiting = [root]
        while waiting:
            state = waiting.pop()
            if found[state] < 0:
                found[state] = root
                waiting += before[state]
    return tuple(found)


def looping_states(program: Program) -> frozenset[int]:
    """The states that can be entered more than once."""
    component = components(program)
    return frozenset(
        edge.source
        for edge in program.edges
        if edge.target is not None and component[edge.target] == component[edge.source]
    )


def _postorder(program: Program) -> list[int]:
    """The states, each after those that a depth-first search enters from it."""
    order: list[int] = []
    seen: set[int] = set()
    waiting = [(state, False) for state in range(len(program.states))]
    while waiting:
        state, left = waiting.pop()
        if left:
            order.append(state)
        elif state not in seen:
            seen.add(state)
            targets = [edge.target for edge in program.edges_of_state[state] if edge.target is not None]
            waiting += [(state, True), *((target, False) for target in targets)]
    return order
