"""What the officer's laptop says to the hub: registration, which parts are lacking, parts, mail.

A shell over `sync.post`; what is said is in `sync.courier`. Every answer is believed only with the pinned keyset; if
the hub has newer keys, its root says so.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, TypeVar

from courier.trust import Trust
from sync import bundle, courier, exchange, items, limits, registration
from sync.client import Road
from sync.courier import MailAnswer, MailPart, MailRequest, Taken
from sync.errors import (
    N_,
    ExchangeError,
    MalformedError,
    NotAHubError,
    RefusedError,
    SignatureError,
    SyncError,
    UnknownVersionError,
)
from sync.keys import SigningKey
from sync.keyset import Keyset, is_outdated, open_keyset
from sync.post import Progress
from sync.registration import Code, Registration, RegistrationAnswer

SHORT: Final = 2 * limits.REQUEST_BODY
"""The most bytes of any answer but mail."""
MAIL: Final = 16 * 1024 * 1024
"""A hub gives 64 KB at a time, unless the history of one village alone is larger."""

T = TypeVar("T")


class Centre:
    """Speaks to one hub on behalf of one courier."""

    def __init__(self, post: Road, trust: Trust) -> None:
        self._post = post
        self._trust = trust

    def register(self, key: SigningKey, sealing_key: bytes, code: Code, nonce: bytes) -> RegistrationAnswer:
        """Prove the code to the hub, and let it prove the same; its keyset is pinned.

        Raises:
            ExchangeError: the hub wasn't reached, refused, or doesn't know the code.
            SyncError: another hub's keys are pinned already.
        """
        proof = registration.device_proof(code.key(), key.public, nonce)
        said = Registration(key.public, sealing_key, "", code.handle, proof, nonce)
        request = registration.sign_registration(key, said)
        data = self._post.send(registration.PATH, request, SHORT)
        pinned = self._trust.keyset
        answer = _a_hub_s(lambda: registration.open_answer(data, request, code, pinned))
        if not is_outdated(open_keyset(answer.keyset), pinned):
            self._trust.take(answer.keyset)
        return answer

    def lacking(self, ids: Sequence[bytes]) -> list[bool]:
        """Which of these parts the hub lacks.

        Raises:
            ExchangeError: the hub wasn't reached, refused, or isn't the hub of the keyset.
        """
        question = courier.ask_missing(ids)
        answer = self._post.send(courier.MISSING_PATH, question, SHORT)
        return self._believed(lambda keyset: courier.open_missing(answer, keyset.hub_keys, question))

    def bring(self, part: bytes, progress: Progress = lambda sent, total: None) -> Taken:
        """Hand over one part; returns what the hub did with it.

        Raises:
            ExchangeError: as for `lacking`.
        """
        answer = self._post.send(courier.PART_PATH, part, SHORT, progress)
        return self._believed(lambda keyset: courier.open_taken(answer, keyset.hub_keys, part))

    def mail(self, key: SigningKey, request: MailRequest) -> tuple[MailAnswer, list[MailPart]]:
        """Tell what is carried; get what goes back.

        Raises:
            ExchangeError: as for `lacking`.
        """
        signed = courier.sign_mail_request(key, request)
        data = self._post.send(courier.MAIL_PATH, signed, MAIL)
        answer, stream = _a_hub_s(lambda: exchange.split_answer(data))
        said = self._believed(lambda keyset: courier.open_mail_answer(answer, keyset.hub_keys, signed))
        if courier.hash_of_following(stream) != said.following:
            raise NotAHubError(N_("Kiriman pusat berubah di jalan. Coba lagi."))
        if self._trust.keyset is not None:
            _a_hub_s(lambda: self._trust.take(said.keyset))
        return said, _a_hub_s(lambda: [_mail_part(item) for item in items.split(stream)])

    def _believed(self, opened: Callable[[Keyset], T]) -> T:
        try:
            return opened(self._trust.known())
        except SignatureError:
            # The hub may have another key now; its root, which this laptop knows, says so or not.
            data = self._post.send(exchange.KEYSET_PATH, b"", SHORT)
            return _a_hub_s(lambda: opened(self._trust.take(data)))
        except UnknownVersionError as problem:
            raise RefusedError(problem.text, **problem.details) from problem
        except SyncError as problem:
            raise NotAHubError(problem.text, **problem.details) from problem


def _mail_part(item: bytes) -> MailPart:
    """A part of mail that is whole, and for whom it says."""
    mail = courier.read_mail_part(item)
    if bundle.check_part(mail.part).recipient != mail.recipient:
        raise MalformedError(N_("Pesan antara petugas dan pusat ini rusak."))
    return mail


def _a_hub_s(read: Callable[[], T]) -> T:
    """What isn't a hub's answer ends as an ExchangeError."""
    try:
        return read()
    except ExchangeError:
        raise
    except UnknownVersionError as problem:
        raise RefusedError(problem.text, **problem.details) from problem
    except SyncError as problem:
        raise NotAHubError(problem.text, **problem.details) from problem
