"""Questions that a page asks its user before it does something: one dialog at a time, with a field or without.

    ask("Delete it?", "It is gone for good.", "Delete", delete)          # delete("") where the user says so
    ask("A name", "For the copy.", "Save", save, value="copy", check=wrong)     # save("copy"), once wrong("copy") is ""

It is the browser's own ``<dialog>``: Escape cancels, the focus stays inside, and goes back where it was.
"""

from pyscript import document, ffi

from dom import make, show


def ask(title: str, text: str, verb: str, act: "object", value: "str | None" = None, check: "object" = None) -> None:
    """Ask, and act if the user agrees. With a ``value`` there is a field; ``check(text)`` tells what is wrong there."""
    dialog = make("dialog", data_testid="dialog", aria_labelledby="dialog-title", aria_describedby="dialog-text")
    form = make("form", method="dialog", novalidate="")
    field = make("input", data_testid="dialog-field", aria_label=title, spellcheck="false", autocomplete="off")
    wrong = make("p", class_="wrong", role="alert", data_testid="dialog-wrong")
    cancel = make("button", "Cancel", type="button", class_="secondary outline", data_testid="dialog-cancel")
    buttons = make("div", class_="dialog-buttons")
    buttons.append(cancel, make("button", verb, type="submit", data_testid="dialog-yes"))
    form.append(make("h2", title, id="dialog-title"), make("p", text, id="dialog-text"))
    if value is not None:
        field.value = value
        form.append(field, wrong)
    form.append(buttons)
    box = make("article")
    box.append(form)
    dialog.append(box)

    def submitted(event: "object") -> None:
        event.preventDefault()
        problem = check(field.value) if check is not None else ""
        show(wrong, problem)
        if not problem:
            dialog.close()
            act(field.value if value is not None else "")

    form.addEventListener("submit", ffi.create_proxy(submitted))
    cancel.addEventListener("click", ffi.create_proxy(lambda event: dialog.close()))
    dialog.addEventListener("close", ffi.create_proxy(lambda event: dialog.remove()))
    document.body.append(dialog)
    dialog.showModal()
    if value is not None:
        field.select()
