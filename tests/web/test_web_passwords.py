"""Slow hashes."""

from __future__ import annotations

from argon2 import PasswordHasher

from web import passwords


def test_only_the_same_password_fits() -> None:
    stored = passwords.hash_password("rahasia desa")
    assert passwords.password_fits(stored, "rahasia desa")
    assert not passwords.password_fits(stored, "rahasia desa ")


def test_the_hash_is_argon2id_with_the_agreed_cost() -> None:
    assert passwords.hash_password("x").startswith("$argon2id$v=19$m=19456,t=2,p=1$")


def test_a_damaged_hash_fits_nothing() -> None:
    assert not passwords.password_fits("$argon2id$nonsense", "x")
    assert not passwords.password_fits("", "")


def test_a_hash_of_other_parameters_fits_and_is_outdated() -> None:
    old = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash("x")
    assert passwords.password_fits(old, "x")
    assert passwords.is_outdated(old)
    assert not passwords.is_outdated(passwords.hash_password("x"))
