"""What a wheel holds besides the package: the pages, and what names the browser's files, under ``server/_root/``.

An editable install gets no copy: there ``server`` stands in the checkout, and finds them beside itself.
"""

from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class RootHook(BuildHookInterface[Any]):
    """Called by hatchling before it makes a wheel; ``version`` is ``standard`` or ``editable``."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Add the copies to a standard wheel."""
        if version == "standard":
            for name in ("www", "package.json", "package-lock.json", ".npmrc"):
                build_data["force_include"][name] = f"server/_root/{name}"
