"""Notebooks as files: opened by a button or by dropping one on the page, and saved.

    filing = Filing(questions, refused)      # whoever has ask(request, answered); refused(message)
    filing.take_drops(); filing.choose(); filing.bring_in("hello", packed); save("hello", text)

What a file holds goes to the worker, which reads it with care and refuses what is no notebook. Nothing of it runs.
"""

from pyscript import document, ffi, window

import left
from dialogs import ask
from dom import make

MAX_BYTES = 20_000_000  # as the worker has it: no more is read into memory, to be refused then
NAME_HINT = "Letters from a to z, digits, - and _; at most 60 of them."
MAX_NAME = 60


def is_name(text: str) -> bool:
    """Whether a notebook may have this name."""
    return 0 < len(text) <= MAX_NAME and all([is_name_character(each) for each in text])


def is_name_character(character: str) -> bool:
    """Whether a name may hold it."""
    return character in "-_" or ("a" <= character.lower() <= "z") or ("0" <= character <= "9")


def wrong_name(text: str) -> str:
    """What is wrong with a name; empty where nothing is."""
    return "" if is_name(text.strip()) else f"This cannot be a name. {NAME_HINT}"


def name_of(text: str) -> str:
    """A name made of a file's name or a title."""
    if text.lower().endswith(".ipynb"):
        text = text[:-6]
    text = "".join([each if is_name_character(each) else " " for each in text])
    return "-".join(text.split())[:MAX_NAME] or "notebook"


def next_name(name: str) -> str:
    """Another name, like this one: ``hello``, ``hello-2``, ``hello-3``."""
    stem, _, number = name.rpartition("-")
    if stem and number.isdigit() and len(number) < 4:
        return f"{stem}-{int(number) + 1}"
    return f"{name[: MAX_NAME - 2]}-2"


def save(name: str, text: str) -> None:
    """Have the browser save a notebook's file."""
    blob = window.Blob.new(ffi.to_js([text]), ffi.to_js({"type": "application/x-ipynb+json"}))
    address = window.URL.createObjectURL(blob)
    link = make("a", href=address, download=f"{name}.ipynb")
    link.click()
    window.setTimeout(ffi.create_proxy(lambda *_: window.URL.revokeObjectURL(address)), 10_000)


class Filing:
    """What brings files in.

    Args:
        questions: who asks the worker.
        refused: is called with what went wrong, as a text.
    """

    def __init__(self, questions: "object", refused: "object") -> None:
        self._questions = questions
        self._refused = refused
        self._field = make("input", type="file", accept=".ipynb,application/x-ipynb+json", data_testid="file")
        self._field.hidden = True
        self._field.addEventListener("change", ffi.create_proxy(self._chosen))
        document.body.append(self._field)

    def choose(self) -> None:
        """Let the user choose a file."""
        self._field.click()

    def take_drops(self) -> None:
        """Take a file that is dropped anywhere on the page."""
        for name in ("dragenter", "dragover", "dragleave", "drop"):
            document.addEventListener(name, ffi.create_proxy(self._dragged), True)  # before an editor takes it as text

    def bring_in(self, name: str, packed: str = "", file: "object" = None) -> None:
        """Keep a link's notebook or a file's under a name, and go there; where the name is taken, under another one."""

        def answered(value: object, code: str, message: str) -> None:
            if code == "name_taken":
                title = f"There is a notebook named {name} already"
                again = lambda chosen: self.bring_in(chosen.strip(), packed, file)  # noqa: E731
                ask(title, f"Give this one another name. {NAME_HINT}", "Open", again, next_name(name), wrong_name)
            elif code:
                self._refused(message)
            else:
                left.forget(window.workers, name)
                window.location.href = f"/notebook/{name}"

        request = {"do": "import", "name": name}
        if packed:
            request["packed"] = packed
        self._questions.ask(request, answered, file=file)

    def _chosen(self, event: "object") -> None:
        if self._field.files.length:
            self._read(self._field.files.item(0))
            self._field.value = ""  # the same file again is a change again

    def _dragged(self, event: "object") -> None:
        if event.dataTransfer is None or not event.dataTransfer.types.includes("Files"):
            return  # text that is moved within an editor
        event.preventDefault()
        event.stopPropagation()
        over = event.type in ("dragenter", "dragover")
        document.documentElement.classList.toggle("dropping", over)
        if event.type == "drop" and event.dataTransfer.files.length:
            self._read(event.dataTransfer.files.item(0))

    def _read(self, file: "object") -> None:
        if file.size > MAX_BYTES:
            self._refused(
                f"{file.name} has {file.size / 1e6:.0f} MB; {MAX_BYTES // 1_000_000} MB can be opened. Clear its "
                "outputs in Jupyter (Edit, Clear Outputs of All Cells), save it, and open that."
            )
            return
        self.bring_in(name_of(file.name), file=file)
