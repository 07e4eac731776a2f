"""The tabs by port: who is there, what they want, who must be asked, who is gone."""

from __future__ import annotations

from tabs import ANSWER_SECONDS, QUIET_SECONDS, Tab, Tabs


def tab(name: str = "t", *patterns: str, locked: bool = False, visible: bool = True, heard_at: float = 0.0) -> Tab:
    return Tab(name, "room", patterns=set(patterns), locked=locked, visible=visible, heard_at=heard_at)


def test_tabs_come_and_go() -> None:
    tabs = Tabs()
    assert len(tabs) == 0
    assert not tabs
    first, second = tab("t1"), tab("t2")
    tabs.join(1, first)
    tabs.join(2, second)
    assert len(tabs) == 2
    assert 1 in tabs
    assert tabs.get(1) is first
    assert tabs.leave(1)
    assert not tabs.leave(1)
    assert 1 not in tabs
    assert tabs.get(1) is None
    assert len(tabs) == 1


def test_a_tab_that_says_hello_anew_on_its_port_is_taken_anew() -> None:
    tabs = Tabs()
    tabs.join(1, tab("t1", "room"))
    tabs.join(1, tab("t1", "host.*"))
    assert len(tabs) == 1
    assert tabs.wanted() == {"host.*"}


def test_a_tab_on_another_port_is_there_once() -> None:
    tabs = Tabs()
    tabs.join(1, tab("t1"))
    tabs.join(2, tab("t2"))
    tabs.join(3, tab("t1"))
    assert [port in tabs for port in (1, 2, 3)] == [False, True, True]


def test_all_that_tabs_want_is_wanted() -> None:
    tabs = Tabs()
    assert tabs.wanted() == set()
    tabs.join(1, tab("t1", "room", "host.*"))
    tabs.join(2, tab("t2", "room"))
    assert tabs.wanted() == {"room", "host.*"}
    tabs.leave(1)
    assert tabs.wanted() == {"room"}


def test_hidden_tabs() -> None:
    tabs = Tabs()
    tabs.join(1, tab("t1"))
    tabs.join(2, tab("t2", visible=False))
    tabs.join(3, tab("t3", visible=False))
    assert [(port, each.id) for port, each in tabs.hidden()] == [(2, "t2"), (3, "t3")]


def test_a_quiet_tab_is_asked_once_and_gone_if_it_does_not_answer() -> None:
    tabs = Tabs()
    tabs.join(1, tab("t1", heard_at=100.0))
    asked = 100.0 + QUIET_SECONDS
    assert tabs.next_due() == asked
    assert tabs.quiet(asked - 0.1) == []
    assert tabs.gone(asked) == []
    assert tabs.quiet(asked) == [1]
    assert tabs.quiet(asked + 1) == []
    assert tabs.next_due() == asked + ANSWER_SECONDS
    assert tabs.gone(asked + ANSWER_SECONDS - 0.1) == []
    assert tabs.gone(asked + ANSWER_SECONDS) == [1]


def test_a_tab_asked_late_has_all_its_time_to_answer() -> None:
    tabs = Tabs()
    tabs.join(1, tab("t1"))
    assert tabs.quiet(1000.0) == [1]  # the worker slept, too
    assert tabs.gone(1000.0) == []
    assert tabs.next_due() == 1000.0 + ANSWER_SECONDS


def test_a_word_makes_it_quiet_anew() -> None:
    tabs = Tabs()
    tabs.join(1, tab("t1"))
    tabs.quiet(QUIET_SECONDS)
    tabs.heard(1, 30.0)
    assert tabs.gone(1000.0) == []
    assert tabs.next_due() == 30.0 + QUIET_SECONDS


def test_a_word_of_nobody_changes_nothing() -> None:
    tabs = Tabs()
    tabs.heard(7, 30.0)
    assert 7 not in tabs
    assert tabs.next_due() is None


def test_a_tab_with_a_lock_is_never_asked() -> None:
    tabs = Tabs()
    tabs.join(1, tab("t1", locked=True))
    assert tabs.next_due() is None
    assert tabs.quiet(1e9) == []
    assert tabs.gone(1e9) == []
    tabs.join(2, tab("t2", heard_at=50.0))
    assert tabs.next_due() == 50.0 + QUIET_SECONDS
    assert tabs.quiet(1e9) == [2]


def test_the_quietest_is_due_first() -> None:
    tabs = Tabs()
    tabs.join(1, tab("t1", heard_at=20.0))
    tabs.join(2, tab("t2", heard_at=10.0))
    assert tabs.next_due() == 10.0 + QUIET_SECONDS
    assert tabs.quiet(10.0 + QUIET_SECONDS) == [2]
    assert tabs.next_due() == 20.0 + QUIET_SECONDS
