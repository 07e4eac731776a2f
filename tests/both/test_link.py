"""Which worker a tab follows: each step by itself, then many tabs in a browser where workers die, are slow, or fail."""

import json

from partyline.link import (
    ASK,
    CHECK,
    FAIL,
    FIRST_WORD,
    HELD,
    INQUIRE,
    KEEP,
    LATE,
    NOTE,
    OPEN,
    RETRY,
    RUNGS,
    SILENT,
    STARTING,
    Link,
)

SILENCE = 10.0
BUSY = 60.0
SHARED, ELECTED, OWN = (0, 1, 2)
ROUNDING = 1e-6


def new_link(*rungs, build="b"):
    return Link(build, rungs or RUNGS, SILENCE, BUSY)


def opening(*rungs):
    """A link that opens its first worker, (1, shared), at 0."""
    link = new_link(*rungs)
    link.start(None, 0.0)
    return link


def running(*rungs):
    """A link whose first worker runs, heard of last at 1."""
    link = opening(*rungs)
    link.word(False, 0.5)
    link.word(True, 1.0)
    return link


def opened(actions):
    """The record that the actions open; None where they open none."""
    records = [action[1] for action in actions if action[0] == OPEN]
    assert len(records) < 2
    return records[0] if records else None


def kept(actions):
    return [action[1] for action in actions if action[0] == KEEP]


# beginning


def test_the_first_tab_begins_with_the_best_rung_it_can_do():
    for rungs, rung in [(RUNGS, SHARED), (("elected", "own"), ELECTED), (("own",), OWN)]:
        link = new_link(*rungs)
        assert link.next_due() is None
        assert link.start(None, 0.0) == [(KEEP, (1, rung, "b")), (OPEN, (1, rung, "b"))]
        assert (link.rung, link.record) == (RUNGS[rung], (1, rung, "b"))
        assert link.next_due() == FIRST_WORD


def test_a_tab_follows_what_others_left():
    for rung in (SHARED, ELECTED, OWN):
        assert new_link().start((7, rung, "b"), 0.0) == [(OPEN, (7, rung, "b"))]


def test_another_build_begins_a_generation_on_the_best_rung():
    link = new_link()
    assert link.start((7, ELECTED, "old"), 0.0) == [(KEEP, (8, SHARED, "b")), (OPEN, (8, SHARED, "b"))]
    assert opened(new_link().start((7, ELECTED, ""), 0.0)) == (8, SHARED, "b")


def test_a_rung_that_this_tab_cannot_do_begins_a_generation_too():
    assert opened(new_link("elected", "own").start((7, SHARED, "b"), 0.0)) == (8, ELECTED, "b")


def test_a_tab_that_comes_back_goes_where_the_others_are():
    link = running()
    assert opened(link.start((4, SHARED, "newer"), 50.0)) == (4, SHARED, "newer")
    assert opened(link.start((4, SHARED, "newer"), 60.0)) == (4, SHARED, "newer")


def test_a_tab_that_comes_back_where_nothing_is_kept_goes_where_it_was():
    link = running()
    link.told((5, SHARED, "newer"), 2.0)
    assert opened(link.start(None, 50.0)) == (5, SHARED, "newer")
    assert opened(link.start((3, SHARED, "b"), 60.0)) == (5, SHARED, "newer")


# words, pings and silence


def test_a_worker_that_answers_is_asked_again_and_again():
    link = running()
    now = 1.0
    for _ in range(20):
        now = link.next_due()
        assert link.tick(now) == [(ASK,)]
        assert link.word(True, now + 0.1) == []
    assert link.record == (1, SHARED, "b")
    assert now == 1.0 + 19 * 0.1 + 20 * SILENCE / 4 or abs(now - (1.0 + 19 * 0.1 + 20 * SILENCE / 4)) < 1e-6


def test_before_it_is_due_nothing_happens():
    link = running()
    assert link.tick(link.next_due() - 0.01) == []


def test_a_worker_that_answers_no_ping_is_given_up_for_the_next_generation():
    link = running()
    first = link.next_due()
    now = first
    asks = 0
    while True:
        actions = link.tick(now)
        if actions != [(ASK,)]:
            break
        asks += 1
        now = link.next_due()
    assert actions == [(KEEP, (2, SHARED, "b")), (OPEN, (2, SHARED, "b"))]
    assert now - first == SILENCE
    assert asks == 4


def test_an_answer_to_the_last_ping_keeps_it():
    link = running()
    first = link.next_due()
    while link.next_due() < first + SILENCE:
        link.tick(link.next_due())
    link.word(True, first + SILENCE - 0.1)
    assert link.tick(first + SILENCE) == []
    assert link.tick(link.next_due()) == [(ASK,)]


def asked_until(link, end):
    """Have time go by until ``end``, or another worker is opened; returns what was done but asking, and when."""
    done = []
    while link.next_due() < end:
        now = link.next_due()
        actions = link.tick(now)
        if opened(actions):
            return done, now
        assert actions[0] == (ASK,)
        done += actions[1:]
    return done, end


def test_a_worker_that_is_held_may_be_silent_for_longer_and_it_is_told():
    link = running()
    link.hold(True, 1.0)
    link.hold(True, 1.1)  # told once more, as the tab joins, say
    done, given_up = asked_until(link, 1000.0)
    assert done == [(SILENT,)]
    assert BUSY <= given_up - 1.0 <= BUSY + SILENCE
    assert not link.silent


def test_a_word_ends_what_was_told_of_silence():
    link = running()
    link.hold(True, 1.0)
    for end in (30.0, 60.0):
        assert asked_until(link, end) == ([(SILENT,)], end)
        assert link.silent
        link.word(True, end)
        assert not link.silent


def test_where_stacks_cannot_be_suspended_it_may_be_silent_until_it_says_that_this_is_over():
    link = Link("b", RUNGS, SILENCE, None)
    link.start(None, 0.0)
    link.word(True, 1.0)
    link.hold(True, 1.0)
    assert asked_until(link, 1000.0) == ([(SILENT,)], 1000.0)
    link.hold(False, 1000.0)
    done, given_up = asked_until(link, 2000.0)
    assert (done, given_up > 1000.0 + SILENCE) == ([], True)


def test_a_new_tab_is_told_by_the_others_that_its_worker_is_held():
    old = running()
    new = new_link()
    new.start(old.record, 5.0)
    assert old.inquired(new.record, 5.0) == []
    old.hold(True, 2.0)
    now = 5.0
    for told in ([(SILENT,)], [], []):
        assert old.inquired(new.record, now) == [(HELD, old.record)]
        assert new.held(old.record, now) == []
        now = new.next_due()
        assert new.tick(now) == [(INQUIRE, old.record)] + told
    now = new.next_due()
    assert opened(new.tick(now)) == (2, SHARED, "b"), "nobody says so any more"


def test_a_worker_that_may_be_held_for_ever_is_not_spoken_for_without_an_end():
    """It may have died: then a new tab goes on to the next one, and the others follow."""
    link = Link("b", RUNGS, SILENCE, None)
    link.start(None, 0.0)
    link.word(True, 1.0)
    link.hold(True, 1.0)
    assert asked_until(link, 300.0)[1] == 300.0
    assert link.inquired(link.record, 300.0) == [(HELD, link.record)]
    assert asked_until(link, 1000.0)[1] == 1000.0
    assert link.inquired(link.record, 1000.0) == []


def test_what_is_said_of_another_worker_or_of_one_tabs_own_is_not_heeded():
    link = opening()
    assert link.held((2, SHARED, "b"), 1.0) == []
    assert link.next_due() == FIRST_WORD
    link.word(True, 1.0)
    assert link.held((1, SHARED, "b"), 1.0) == []
    own = running("own")
    own.hold(True, 1.0)
    assert own.inquired(own.record, 1.0) == []


def test_who_is_told_that_it_need_not_wait_goes_on_waiting_for_an_answer():
    link = running()
    first = link.next_due()
    now = first
    while now - first <= SILENCE and opened(link.tick(now)) is None:
        link.hold(False, now)
        now = link.next_due()
    assert now - first == SILENCE


def test_a_worker_that_loads_may_be_silent_for_long():
    link = opening()
    now = 0.0
    for _ in range(3):
        now += FIRST_WORD - 0.1 if now == 0 else STARTING - 0.1
        assert link.tick(now) == []
        link.word(False, now)
    assert link.record == (1, SHARED, "b")
    assert opened(link.tick(now + STARTING)) == (2, SHARED, "b")


def test_a_worker_that_begins_anew_behind_the_same_name_may_load_as_long():
    link = running("elected", "own")
    assert link.word(False, 20.0) == []
    assert link.next_due() == 20.0 + STARTING
    link.word(True, 70.0)
    assert link.next_due() == 70.0 + SILENCE / 4


def test_a_worker_that_says_nothing_at_all_is_tried_anew_and_then_the_rung_is_left():
    link = opening()
    assert link.tick(FIRST_WORD) == [(KEEP, (2, SHARED, "b")), (OPEN, (2, SHARED, "b"))]
    now = 2 * FIRST_WORD
    assert link.tick(now) == [(CHECK,)]
    assert link.broken(now) == [(OPEN, (3, ELECTED, "b"))]  # nobody else is told, until it works
    now += FIRST_WORD
    assert link.tick(now) == [(CHECK,)]
    assert link.broken(now) == [(OPEN, (3, OWN, "b"))]
    now += FIRST_WORD
    assert link.tick(now) == [(CHECK,)]
    assert link.broken(now) == [(FAIL,)]
    assert link.next_due() == now + RETRY
    assert link.tick(now + RETRY) == [(OPEN, (4, SHARED, "b"))]
    assert link.word(False, now + 6) == [(KEEP, (4, SHARED, "b"))]


def test_a_script_that_cannot_be_had_says_nothing_of_the_rung():
    link = opening()
    assert link.broken(1.0, True) == [(FAIL,)]
    assert link.woke(2.0) == []
    assert link.tick(1.0 + RETRY + 100.0) == [(OPEN, (2, SHARED, "b"))]  # however late: nobody could have answered
    assert link.tick(1000.0) == []


def test_a_word_gives_the_rung_another_chance():
    link = opening()
    link.tick(FIRST_WORD)
    link.word(False, 15.0)
    assert opened(link.tick(15.0 + STARTING)) == (3, SHARED, "b")
    assert opened(link.tick(15.0 + STARTING + FIRST_WORD)) == (4, SHARED, "b")


# the ladder


def test_an_error_of_the_browser_goes_down_at_once():
    link = opening()
    assert link.broken(0.1) == [(OPEN, (2, ELECTED, "b"))]
    assert link.rung == "elected"
    assert link.broken(0.2) == [(OPEN, (2, OWN, "b"))]
    assert link.broken(0.3) == [(FAIL,)]


def test_rungs_that_the_browser_cannot_do_are_passed_over():
    link = opening("shared", "own")
    assert link.broken(0.1) == [(OPEN, (1, OWN, "b"))]
    assert opening("elected").broken(0.1) == [(FAIL,)]


def test_an_error_of_a_worker_that_is_there_changes_nothing():
    link = running()
    assert link.broken(2.0) == []
    assert link.record == (1, SHARED, "b")
    link = opening()
    link.word(False, 0.5)
    assert link.broken(2.0) == []


def test_a_lower_rung_is_told_to_the_others_once_it_works():
    link = opening()
    link.broken(0.1)
    assert link.told((1, SHARED, "b"), 0.2) == []
    assert link.word(False, 0.3) == [(KEEP, (2, ELECTED, "b"))]
    assert link.word(True, 0.4) == [(KEEP, (2, ELECTED, "b"))]
    assert link.told((1, SHARED, "b"), 0.5) == [(KEEP, (2, ELECTED, "b"))]


def test_the_next_generation_stays_on_its_rung():
    link = opening()
    link.broken(0.1)
    link.word(True, 1.0)
    now = link.next_due()
    while opened(actions := link.tick(now)) is None:
        now = link.next_due()
    assert actions == [(KEEP, (3, ELECTED, "b")), (OPEN, (3, ELECTED, "b"))]


def test_after_a_failure_another_tabs_worker_is_followed():
    link = opening("shared", "elected")
    link.broken(0.1)
    assert link.broken(0.2) == [(FAIL,)]
    assert opened(link.told((9, SHARED, "b"), 5.0)) == (9, SHARED, "b")
    assert link.next_due() == 5.0 + FIRST_WORD


# other tabs


def test_the_highest_record_wins():
    link = running()
    for record in [(2, SHARED, "b"), (2, SHARED, "c"), (2, ELECTED, "a"), (3, SHARED, "a")]:
        assert link.told(record, 2.0) == [(OPEN, record)]
        assert link.told(record, 2.0) == []
    assert link.told((2, ELECTED, "z"), 2.0) == [(KEEP, (3, SHARED, "a"))]
    assert link.record == (3, SHARED, "a")


def test_a_rung_that_this_tab_cannot_do_is_not_followed():
    link = running("shared", "own")
    assert link.told((2, ELECTED, "b"), 2.0) == []
    assert link.record == (1, SHARED, "b")


def test_nobody_is_dragged_along_to_a_worker_that_is_one_tabs_own():
    for link in (running(), running("elected", "own"), running("own"), opening()):
        before = link.record
        assert opened(link.told((9, OWN, "b"), 2.0)) is None
        assert link.record == before


def test_a_worker_for_all_is_kept_for_tabs_to_come_rather_than_one_tabs_own():
    assert running().told((9, OWN, "b"), 2.0) == [(KEEP, (1, SHARED, "b"))]
    assert opening().told((9, OWN, "b"), 2.0) == []  # it may not work
    assert running("own").told((9, OWN, "b"), 2.0) == []
    assert running("own").told((1, SHARED, "b"), 2.0) == []  # or the two would tell each other for ever


def test_who_has_a_worker_of_its_own_is_alone_with_its_silence():
    link = running("own")
    now = link.next_due()
    while opened(actions := link.tick(now)) is None:
        now = link.next_due()
    assert actions == [(OPEN, (2, OWN, "b"))]


def test_a_rung_that_did_not_work_for_this_tab_is_not_tried_twice_for_it():
    link = opening("shared", "own")
    link.tick(FIRST_WORD)
    link.tick(2 * FIRST_WORD)
    link.broken(2 * FIRST_WORD)
    link.word(True, 21.0)
    assert link.rung == "own"
    assert opened(link.told((5, SHARED, "b"), 22.0)) == (5, SHARED, "b")
    assert link.tick(22.0 + FIRST_WORD) == [(CHECK,)]
    assert link.broken(22.0 + FIRST_WORD) == [(OPEN, (5, OWN, "b"))]  # the others, for whom it may work, stay
    link.word(True, 35.0)
    link.told((9, SHARED, "b"), 36.0)
    link.word(True, 36.1)  # it works now, so next time it has two chances again
    link.told((12, SHARED, "b"), 40.0)
    assert opened(link.tick(40.0 + FIRST_WORD)) == (13, SHARED, "b")


def test_who_had_to_leave_the_others_is_with_them_again_at_their_next_generation():
    link = opening("elected", "own")
    link.broken(0.1)
    link.word(True, 1.0)
    assert link.record == (1, OWN, "b")
    assert link.told((1, ELECTED, "b"), 2.0) == []
    assert opened(link.told((2, ELECTED, "b"), 2.0)) == (2, ELECTED, "b")


def test_who_has_a_worker_of_its_own_follows_a_better_one():
    link = opening("shared", "own")
    link.broken(0.1)
    link.word(True, 1.0)
    assert opened(link.told((5, SHARED, "b"), 2.0)) == (5, SHARED, "b")


# sleep


def test_a_tab_that_slept_asks_before_it_gives_up():
    link = running()
    link.tick(link.next_due())  # a ping, which is answered while the tab sleeps
    assert link.tick(1000.0) == [(ASK,)]
    assert link.next_due() == 1000.0 + SILENCE
    assert opened(link.tick(1000.0 + SILENCE)) == (2, SHARED, "b")


def test_a_tick_that_is_a_little_late_is_no_sleep():
    link = opening()
    assert opened(link.tick(FIRST_WORD + LATE)) == (2, SHARED, "b")
    link = opening()
    assert link.tick(FIRST_WORD + LATE + 0.1) == []
    assert link.next_due() == FIRST_WORD + LATE + 0.1 + FIRST_WORD


def test_a_tab_that_slept_while_its_worker_loaded_lets_it_load():
    link = opening()
    link.word(False, 1.0)
    assert link.tick(1000.0) == []
    assert link.next_due() == 1000.0 + STARTING


def test_a_tab_that_is_shown_again_asks_at_once():
    link = running()
    assert link.woke(1.5) == [(ASK,)]
    assert link.next_due() == 1.5 + SILENCE
    link.word(True, 2.0)
    assert link.next_due() == 2.0 + SILENCE / 4


def test_a_tab_that_is_shown_while_its_worker_comes_shortens_no_time():
    link = opening()
    link.word(False, 1.0)
    assert link.woke(2.0) == []
    assert link.next_due() >= 1.0 + STARTING


# a browser full of tabs


class Chance:
    """Numbers that look random, the same ones on every Python."""

    def __init__(self, seed):
        self._state = seed * 7919 + 17

    def below(self, many):
        self._state = self._state * 1103515245 + 12345 & 0x7FFFFFFF
        return (self._state >> 8) % many

    def between(self, least, most):
        return least + (most - least) * self.below(1000) / 1000

    def one_of(self, choices):
        return choices[self.below(len(choices))]


class FakeWorker:
    """One that answers, after what it needs to load; until it does not any more."""

    def __init__(self, browser, record):
        chance = browser.chance
        self.rung = record[1]
        self.tabs = []
        self.answers = True
        self.first_word = browser.now + chance.between(0.01, FIRST_WORD / 3)
        self.runs = self.first_word + chance.between(0.1, STARTING * 0.8)
        self.latency = chance.between(0.01, SILENCE / 4)


class FakeTab:
    def __init__(self, browser, number, rungs, broken):
        self.browser = browser
        self.number = number
        self.broken = broken  # rungs that do not work for this tab: by name, "error" or "silent"
        self.link = Link(browser.build, rungs, SILENCE, BUSY)
        self.worker = None
        self.asleep = False
        self.waiting = []  # what came while it slept
        self.has_failed = False
        self.failed = False

    def start(self):
        text = self.browser.storage.get("record")
        self.act(self.link.start(tuple(json.loads(text)) if text else None, self.browser.now), "start")

    def act(self, actions, why):
        for action in actions:
            if action[0] == OPEN:
                self.open(action[1], why)
            elif action[0] == KEEP:
                self.browser.keep(self, action[1])
            elif action[0] == ASK:
                self.browser.ask(self)
            elif action[0] == CHECK:
                self.act(self.link.broken(self.browser.now), "check")
            elif action[0] in (NOTE, INQUIRE, HELD, SILENT):  # no worker is held in these schedules
                pass
            else:
                self.failed = self.has_failed = True
                self.leave()

    def leave(self):
        if self.worker is not None:
            self.worker.tabs.remove(self)
            self.worker = None

    def open(self, record, why):
        old = self.worker
        if why == "tick":
            assert old is None or not old.answers, f"{self.number} gives up a worker that answers"
        self.leave()
        self.failed = False
        self.records.append(record)
        self.browser.open(self, record)

    @property
    def records(self):
        return self.browser.records.setdefault(self.number, [])


class Browser:
    """Tabs, their storage, the channel on which they tell each other of workers, and the workers; time is a number."""

    def __init__(self, seed, broken):
        self.chance = Chance(seed)
        self.now = 0.0
        self.build = "b"
        self.broken = broken
        self.storage = {}
        self.tabs = []
        self.workers = {}
        self.records = {}  # of each tab, all that it followed
        self._coming = []  # (time, number, function)
        self._count = 0

    def later(self, seconds, function):
        self._count += 1
        self._coming.append((self.now + seconds, self._count, function))

    def to_tab(self, tab, function):
        """What comes to a tab waits while it sleeps."""
        if tab not in self.tabs:
            return
        if tab.asleep:
            tab.waiting.append(function)
        else:
            function()

    # what tabs do

    def keep(self, tab, record):
        self.storage["record"] = json.dumps(record)
        for other in self.tabs:
            if other is not tab:
                self.later(self.chance.between(0.001, 0.5), lambda other=other: self.tell(other, record))

    def tell(self, tab, record):
        self.to_tab(tab, lambda: tab.act(tab.link.told(record, self.now), "told"))

    def open(self, tab, record):
        manner = tab.broken.get(RUNGS[record[1]], "")
        if manner == "error":
            self.later(0.1, lambda: self.fail(tab, record))
        if manner:
            return
        name = (record, tab.number) if record[1] == OWN else (record, 0)
        worker = self.workers.get(name)
        if worker is None or not worker.tabs:  # its last owner has gone, and so has it
            worker = self.workers[name] = FakeWorker(self, record)
            self.later(worker.first_word - self.now, lambda: self.say_to_all(worker))
            self.later((worker.runs + worker.first_word) / 2 - self.now, lambda: self.say_to_all(worker))
            self.later(worker.runs - self.now, lambda: self.say_to_all(worker))
        tab.worker = worker
        worker.tabs.append(tab)
        if self.now >= worker.first_word:
            self.ask(tab)

    def fail(self, tab, record):
        if tab.link.record == record:
            self.to_tab(tab, lambda: tab.act(tab.link.broken(self.now), "broken"))

    def ask(self, tab):
        worker = tab.worker
        if worker is not None:
            self.later(worker.latency, lambda: self.say(worker, tab))

    # what workers do

    def say_to_all(self, worker):
        for tab in list(worker.tabs):
            self.say(worker, tab)

    def say(self, worker, tab):
        if worker.answers and self.now >= worker.first_word - ROUNDING:
            self.to_tab(tab, lambda: self.hear(worker, tab))

    def hear(self, worker, tab):
        if tab.worker is worker:
            tab.act(tab.link.word(self.now >= worker.runs - ROUNDING, self.now), "word")

    # what happens

    def open_tab(self):
        tab = FakeTab(self, len(self.records), RUNGS, self.chance.one_of(self.broken))
        tab.records.clear()
        self.tabs.append(tab)
        tab.start()

    def close_tab(self, tab):
        tab.leave()
        self.tabs.remove(tab)

    def wake(self, tab):
        tab.asleep = False
        waiting, tab.waiting = tab.waiting, []
        for each in waiting:
            each()

    def begin_anew(self, worker):
        """Another one stands behind the same name, as where the tab of an elected worker was closed."""
        worker.answers = True
        worker.first_word = self.now
        worker.runs = self.now + self.chance.between(0.1, STARTING * 0.8)
        self.say_to_all(worker)
        self.later(worker.runs - self.now, lambda: self.say_to_all(worker))

    def something(self):
        draw = self.chance.below(20)
        tabs = self.tabs
        workers = [worker for worker in self.workers.values() if worker.tabs]
        if draw < 4 and len(tabs) < 6:
            self.open_tab()
        elif draw < 6 and len(tabs) > 1:
            self.close_tab(self.chance.one_of(tabs))
        elif draw < 9 and workers:
            worker = self.chance.one_of(workers)
            if worker.rung != OWN or self.now > worker.first_word:  # else that tab has failed
                worker.answers = False
        elif draw < 11 and workers:
            self.begin_anew(self.chance.one_of(workers))
        elif draw < 14 and tabs:
            tab = self.chance.one_of(tabs)
            if tab.asleep:
                self.wake(tab)
            else:
                tab.asleep = True
        elif draw < 15 and tabs:
            tab = self.chance.one_of(tabs)
            self.to_tab(tab, lambda: tab.act(tab.link.woke(self.now), "woke"))

    def run(self, seconds):
        """Let time go by: all that comes, in order, and the timers of tabs that are awake."""
        end = self.now + seconds
        while True:
            timers = [(max(self.now, tab.link.next_due()), tab) for tab in self.tabs if self.has_timer(tab)]
            at, tab = min(timers, key=lambda timer: timer[0]) if timers else (end, None)
            coming = min(self._coming, key=lambda each: each[:2]) if self._coming else None
            if coming is not None and coming[0] <= min(at, end):
                self._coming.remove(coming)
                self.now = max(self.now, coming[0])
                coming[2]()
            elif tab is not None and at < end:
                self.now = at
                tab.act(tab.link.tick(self.now), "tick")
            else:
                self.now = end
                return

    def has_timer(self, tab):
        return not tab.asleep and tab.link.next_due() is not None


def schedule(seed, broken):
    """A browser in which much has happened, and then nothing for long."""
    browser = Browser(seed, broken)
    browser.open_tab()
    for _ in range(5 + 11 * seed % 40):
        browser.something()
        browser.run(browser.chance.one_of([0.0, 0.05, 1.0, 4.0, 15.0, 70.0]))
    for tab in list(browser.tabs):
        if tab.asleep:
            browser.wake(tab)
    browser.run(1000.0)
    return browser


def check_records(browser):
    for number, records in browser.records.items():
        assert records == sorted(set(records)), (number, records)


def check_living(tab):
    assert not tab.failed
    assert tab.link.state == "running", tab.link.state
    assert tab.worker is not None
    assert tab.worker.answers


def test_whatever_happened_all_tabs_follow_the_same_living_worker():
    for seed in range(25):
        browser = schedule(seed, [{}])
        check_records(browser)
        assert browser.tabs
        (record,) = {tab.link.record for tab in browser.tabs}
        assert record[1] == SHARED
        assert json.loads(browser.storage["record"]) == list(record)
        for tab in browser.tabs:
            check_living(tab)
        assert len({id(tab.worker) for tab in browser.tabs}) == 1


def test_where_a_rung_works_for_none_all_meet_on_the_next():
    for seed in range(15):
        manner = ("error", "silent")[seed % 2]
        browser = schedule(seed, [{"shared": manner}])
        check_records(browser)
        (record,) = {tab.link.record for tab in browser.tabs}
        assert record[1] == ELECTED
        for tab in browser.tabs:
            check_living(tab)


def test_where_a_rung_fails_for_some_all_meet_where_it_works_for_all():
    for seed in range(15):
        manner = ("error", "silent")[seed % 2]
        browser = schedule(seed, [{}, {"shared": manner}])
        check_records(browser)
        (record,) = {tab.link.record for tab in browser.tabs}
        assert all(RUNGS[record[1]] not in tab.broken for tab in browser.tabs)
        for tab in browser.tabs:
            check_living(tab)


def test_where_each_tab_has_its_own_none_minds_the_others():
    for seed in range(15):
        manner = ("error", "silent")[seed % 2]
        browser = schedule(seed, [{"shared": manner, "elected": manner}])
        check_records(browser)
        for tab in browser.tabs:
            assert tab.link.rung == "own"
            check_living(tab)
        assert len({id(tab.worker) for tab in browser.tabs}) == len(browser.tabs)


def test_a_tab_for_which_nothing_but_its_own_works_leaves_the_others_together():
    for seed in range(15):
        browser = schedule(seed, [{}, {}, {"shared": "error", "elected": "error"}])
        check_records(browser)
        for tab in browser.tabs:
            check_living(tab)
            assert tab.link.rung == "own" or not tab.broken
        together = {tab.link.record for tab in browser.tabs if tab.link.rung != "own"}
        assert len(together) <= 1, together


def test_where_nothing_works_every_tab_says_so():
    for seed in range(6):
        manner = ("error", "silent")[seed % 2]
        browser = schedule(seed, [{"shared": manner, "elected": manner, "own": manner}])
        check_records(browser)
        assert all(tab.has_failed for tab in browser.tabs)


def test_a_worker_that_cannot_start_python_is_left_to_tabs_to_come_and_tried_again():
    link = opening()
    link.word(False, 0.1)
    assert link.gave_up(5.0) == [(NOTE, (2, SHARED, "b"))]
    assert link.broken(5.1) == []
    assert link.tick(30.0) == []
    assert link.told((2, SHARED, "b"), 31.0) == [(OPEN, (2, SHARED, "b"))]  # it works for another tab
    assert link.word(False, 31.1) == []
    assert link.word(True, 32.0) == [(KEEP, (2, SHARED, "b"))]


def test_a_worker_that_cannot_start_python_is_tried_again_after_a_while():
    link = opening()
    link.word(False, 0.1)
    link.gave_up(5.0)
    assert link.next_due() == 65.0
    assert link.tick(65.0) == [(OPEN, (3, SHARED, "b"))]
