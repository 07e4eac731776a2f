"""Elements put into another order, around one that stays: who has the focus loses it when it is moved. Pure."""


def moves(there: "list[str]", wanted: "list[str]", stays: "str | None") -> "list[tuple[str, str | None]]":
    """What to move, one after the other, and before which; None for the end.

    Args:
        there: the ids of what is there, all of them wanted, in its order.
        wanted: the ids in the order wanted; those that are not there are put in.
        stays: the id of what is not moved, if it is there.
    """
    ranks = {name: rank for rank, name in enumerate(wanted)}
    middle = ranks[stays] if stays in there else None
    passed = middle is None  # whether it stands above, in what is there
    still = set()
    last = -1
    for name in there:
        passed = passed or name == stays
        rank = ranks[name]
        if rank > last and (middle is None or (rank >= middle if passed else rank < middle)):
            still.add(name)
            last = rank
    found = []
    below = None
    for name in reversed(wanted):
        if name not in still:
            found.append((name, below))
        below = name
    return found
