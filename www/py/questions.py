"""What a tab asks its worker about notebooks, and the answers.

    questions = Questions(line, refused)
    questions.ask({"do": "list"}, answered)     # answered(value, code, message), once; code is empty if all went well

What is asked before ``go`` is held until then. Where a worker is lost, ``hold`` at once, before its successor hears
anything: that is asked again what can be asked twice; of the rest it is told that it was lost, since nobody can know
whether it was done.
"""

from partyline import protocol

AGAIN = ("apply", "pull", "export", "share", "shared", "list", "complete", "signature", "hover")
LOST = "Python was lost before it could answer. See whether it was done; if not, do it again."


class Questions:
    """One tab's questions.

    Args:
        line: the tab's ``Tab``.
        refused: is called with what went wrong, as a text, where nobody waits for the answer.
    """

    def __init__(self, line: "object", refused: "object") -> None:
        self._line = line
        self._refused = refused
        self._going = False
        self._last = 0
        self._held = []  # refs, in order
        self._waiting = {}  # by ref: the request, and who wants the answer

    def ask(self, request: dict, answered: "object" = None, at_once: bool = False, file: "object" = None) -> None:
        """Ask the worker; ``answered(value, code, message)`` is called once. ``at_once`` goes before what is held.

        What is in a ``file`` goes along as ``text``.
        """
        self._last += 1
        frame = {"kind": protocol.NOTEBOOK, "ref": self._last}
        frame.update(request)
        self._waiting[self._last] = (frame, answered, file)
        if self._going or at_once:
            self._post(self._last)
        else:
            self._held.append(self._last)

    def hold(self) -> None:
        """The worker is another one, or does not know this tab any more: no answer comes to what was asked before."""
        self._going = False
        for ref in sorted(self._waiting):
            frame, answered, _ = self._waiting[ref]
            if ref not in self._held and frame["do"] not in AGAIN:
                del self._waiting[ref]
                if answered is not None:
                    answered(None, "lost", LOST)
        self._held = sorted(self._waiting)

    def forget_edits(self, there: "list[str]") -> None:
        """Do not ask for the edits that are held: their versions mean nothing any more. The editors push anew.

        But for those of a cell that is added by what is held, and not ``there`` yet: they come after it, as before.
        """
        held = [(ref, self._waiting[ref][0].get("operation", {})) for ref in self._held]
        made = [op.get("id") for _, op in held if op.get("op") == "add" and op.get("id") not in there]
        for ref, op in held:
            if op.get("op") == "edit" and op.get("cell") not in made:
                self._held.remove(ref)
                del self._waiting[ref]

    def go(self) -> None:
        """The worker may be asked what was held, and all that comes."""
        held, self._held = self._held, []
        self._going = True
        for ref in held:
            self._post(ref)

    def take(self, header: dict) -> bool:
        """Whether this frame of the worker is an answer; then it is with whoever asked."""
        if "ref" not in header:
            return False
        if header["ref"] in self._held:  # a worker's last word, after it was given up; its successor will be asked
            return True
        _, answered, _ = self._waiting.pop(header["ref"], (None, None, None))
        code, message = header.get("code", ""), header.get("error", "")
        if answered is not None:
            answered(header.get("value"), code, message)
        elif code:
            self._refused(message)
        return True

    def _post(self, ref: int) -> None:
        frame, _, file = self._waiting[ref]
        if file is None:
            self._line.post(frame)
            return

        def failed(message: str) -> None:
            self.take({"ref": ref, "code": "unreadable", "error": f"{file.name} could not be read: {message}"})

        self._line.post_file(frame, file, failed)
