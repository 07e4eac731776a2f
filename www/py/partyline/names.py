"""A name for people to read, made from a browser's id: the same id always gives the same name."""

_ADJECTIVES = """
amber bold brave bright calm clever copper cosy curious eager fair gentle golden happy jolly keen kind lively lucky
mellow merry mighty nimble noble patient proud quick quiet rapid silver sunny swift tidy velvet warm witty
""".split()

_ANIMALS = """
badger beaver bison crane dolphin eagle falcon ferret finch fox gecko hare hedgehog heron ibis jackal koala lemur lynx
magpie marten newt ocelot otter owl panda penguin puffin raven robin seal stoat swan tapir turtle wombat
""".split()


def name_of(browser: str) -> str:
    """A name such as ``quiet-otter-3f`` for a browser's id: one of 330,000, chosen by FNV-1a (32 bits)."""
    value = 2166136261
    for byte in browser.encode():
        value = ((value ^ byte) * 16777619) & 0xFFFFFFFF
    value ^= value >> 15  # FNV's low bits are its weakest
    adjective = _ADJECTIVES[value % len(_ADJECTIVES)]
    value //= len(_ADJECTIVES)
    animal = _ANIMALS[value % len(_ANIMALS)]
    value //= len(_ANIMALS)
    return f"{adjective}-{animal}-{value % 256:02x}"
