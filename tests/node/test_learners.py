"""PINs and the operator's password: who gets in, and how guessing is slowed down."""

from __future__ import annotations

from pathlib import Path

import pytest

from node.learners import FREE_TRIES, OPERATOR, WAITS_S, Secrets, is_easy, is_pin, wait_after
from node.sittings import IDLE_MS, LONGEST_LOOK_S, Sittings
from node.store import Store

PEPPER = b"p" * 32


class PoweredOn:
    """Log time that a test moves."""

    def __init__(self) -> None:
        self.t = 1_000_000

    def __call__(self) -> int:
        return self.t

    def pass_seconds(self, seconds: float) -> None:
        self.t += int(seconds * 1000)


def made_secrets(data: Path, time: PoweredOn, pepper: bytes = PEPPER) -> Secrets:
    return Secrets(Store(data), time, pepper)


def fail(secrets: Secrets, times: int, who: int = 0) -> int:
    """Wrong tries in a row; returns the last wait."""
    return [secrets.attempt(who, "000000").wait_s for _ in range(times)][-1]


def test_a_pin_that_was_set_is_right_and_others_are_not(tmp_path: Path) -> None:
    secrets = made_secrets(tmp_path, PoweredOn())
    assert not secrets.is_set(0)
    assert secrets.set(0, "482913")
    assert secrets.is_set(0)
    assert secrets.attempt(0, "482913").right
    assert not secrets.attempt(0, "482914").right


def test_a_pin_cannot_be_set_over_another(tmp_path: Path) -> None:
    secrets = made_secrets(tmp_path, PoweredOn())
    secrets.set(0, "482913")
    assert not secrets.set(0, "111213")
    assert secrets.attempt(0, "482913").right


def test_somebody_without_a_pin_gets_nowhere(tmp_path: Path) -> None:
    assert not made_secrets(tmp_path, PoweredOn()).attempt(7, "482913").right


def test_the_same_pin_of_two_people_is_stored_differently_and_needs_the_pepper(tmp_path: Path) -> None:
    time = PoweredOn()
    secrets = made_secrets(tmp_path, time)
    secrets.set(0, "482913")
    secrets.set(1, "482913")
    with Store(tmp_path).write() as db:
        hashes = [row[0] for row in db.execute("SELECT hash FROM pins ORDER BY learner")]
        db.execute("UPDATE pins SET hash = ? WHERE learner = 1", (hashes[0],))
    assert not secrets.attempt(1, "482913").right
    assert secrets.attempt(0, "482913").right
    assert not made_secrets(tmp_path, time, b"q" * 32).attempt(0, "482913").right


def test_five_tries_are_free_then_the_wait_grows_to_a_quarter_of_an_hour() -> None:
    waits = [wait_after(failures) for failures in range(1, 12)]
    assert waits == [0, 0, 0, 0, 30, 60, 120, 300, 900, 900, 900]


def test_while_waiting_even_the_right_pin_is_refused(tmp_path: Path) -> None:
    time = PoweredOn()
    secrets = made_secrets(tmp_path, time)
    secrets.set(0, "482913")
    assert fail(secrets, FREE_TRIES) == WAITS_S[0]
    time.pass_seconds(WAITS_S[0] - 1)
    assert secrets.attempt(0, "482913").wait_s == 1
    time.pass_seconds(1)
    assert secrets.attempt(0, "482913").right


def test_the_right_pin_gives_the_free_tries_back(tmp_path: Path) -> None:
    secrets = made_secrets(tmp_path, PoweredOn())
    secrets.set(0, "482913")
    fail(secrets, FREE_TRIES - 1)
    assert secrets.attempt(0, "482913").right
    assert secrets.attempt(0, "000000").tries_left == FREE_TRIES - 1


def test_one_learners_wrong_tries_stop_nobody_else(tmp_path: Path) -> None:
    secrets = made_secrets(tmp_path, PoweredOn())
    secrets.set(0, "482913")
    secrets.set(1, "482913")
    fail(secrets, FREE_TRIES)
    assert secrets.attempt(1, "482913").right


def test_a_restart_does_not_shorten_the_wait(tmp_path: Path) -> None:
    time = PoweredOn()
    secrets = made_secrets(tmp_path, time)
    secrets.set(0, "482913")
    fail(secrets, FREE_TRIES)
    assert made_secrets(tmp_path, time).wait_s(0) == WAITS_S[0]


def test_log_time_that_fell_back_after_a_power_cut_does_not_stretch_the_wait(tmp_path: Path) -> None:
    time = PoweredOn()
    secrets = made_secrets(tmp_path, time)
    secrets.set(0, "482913")
    time.pass_seconds(5 * 3600)
    fail(secrets, FREE_TRIES)
    time.pass_seconds(-5 * 3600)
    assert secrets.wait_s(0) == WAITS_S[0]
    time.pass_seconds(WAITS_S[0])
    assert secrets.attempt(0, "482913").right


def test_after_a_reset_a_new_pin_can_be_set(tmp_path: Path) -> None:
    secrets = made_secrets(tmp_path, PoweredOn())
    secrets.set(0, "482913")
    fail(secrets, FREE_TRIES)
    secrets.forget(0)
    assert secrets.set(0, "731904")
    assert secrets.attempt(0, "731904").right


def test_the_operators_password_is_throttled_like_a_pin(tmp_path: Path) -> None:
    secrets = made_secrets(tmp_path, PoweredOn())
    secrets.set(OPERATOR, "sandi operator")
    assert secrets.attempt(OPERATOR, "sandi operator").right
    assert fail(secrets, FREE_TRIES, OPERATOR) == WAITS_S[0]


@pytest.mark.parametrize("text", ["12345", "1234567", "12345a", "", "１２３４５６", "12 456"])
def test_a_pin_is_six_digits(text: str) -> None:
    assert not is_pin(text)


@pytest.mark.parametrize("pin", ["000000", "777777", "123456", "654321", "890123", "210987"])
def test_the_first_guesses_are_too_easy(pin: str) -> None:
    assert is_easy(pin)


def test_other_pins_are_not_too_easy() -> None:
    assert not is_easy("482913")
    assert not is_easy("121212")


def test_a_sitting_lasts_while_it_is_used() -> None:
    time = PoweredOn()
    sittings = Sittings(time)
    key = sittings.begin(3).id
    for _ in range(5):
        time.pass_seconds(IDLE_MS / 1000)
        found = sittings.find(key)
        assert found is not None
        assert found.who == 3
    time.pass_seconds(IDLE_MS / 1000 + 1)
    assert sittings.find(key) is None


def test_a_sitting_that_ended_is_gone_and_others_stay() -> None:
    sittings = Sittings(PoweredOn())
    first, second, other = sittings.begin(3), sittings.begin(3), sittings.begin(4)
    sittings.end(first.id)
    assert sittings.find(first.id) is None
    assert sittings.find(second.id) is not None
    sittings.end_all_of(3)
    assert sittings.find(second.id) is None
    assert sittings.find(other.id) is not None


def test_a_page_counts_as_long_as_it_was_looked_at() -> None:
    time = PoweredOn()
    sitting = Sittings(time).begin(3)
    assert sitting.show(time(), 0, 2)
    time.pass_seconds(90)
    assert not sitting.show(time(), 0, 2)
    assert sitting.looked_s(time(), 0, 2) == 90
    assert sitting.looked_s(time(), 0, 3) == 0
    sitting.show(time(), 0, 3)
    time.pass_seconds(10 * 3600)
    assert sitting.looked_s(time(), 0, 3) == LONGEST_LOOK_S
