"""What the officer does: take from a stick, hand over to the hub, fill a stick for the villages.

A stick is cleaned only of what the hub's signed word says that it holds. Each step is on the disk before the next
begins, so a pulled stick, a broken line or a power cut costs at most the part that was under way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Final

from courier.centre import Centre
from courier.config import Config, with_hub
from courier.errors import NotReadyError
from courier.ledger import Ledger, Mail, Part, State
from courier.outcomes import Collected, Delivered, Fetched, Sent
from courier.packs import Brought, Packs
from courier.spool import Spool
from courier.trust import Trust
from sync import bundle, courier, stick
from sync.client import Road
from sync.courier import MailPart, MailRequest, Taken
from sync.errors import N_, RefusedError, StickError, SyncError, TornError
from sync.keys import fingerprint, key_id
from sync.keyset import Keyset, open_keyset
from sync.machine import Machine
from sync.post import Post, Progress
from sync.registration import read_code
from sync.sealing import sealing_public
from sync.stick import IN, OUT, PUB, Stick

REGISTRATION: Final = "registration"
REGION: Final = "region"
LAST_CONTACT: Final = "last_contact_ms"
_KEYSET_MOST: Final = 64 * 1024
_SKIPPED: Final = {"malformed", "too-large", "unknown-version", "torn"}
"""Refusals of one part, after which the others are still worth bringing."""


def nothing(done: int, total: int) -> None:
    """Progress that nobody looks at."""


class Desk:
    """One courier's laptop."""

    def __init__(
        self,
        config: Config,
        ledger: Ledger,
        spool: Spool,
        trust: Trust,
        machine: Machine,
        packs: Packs,
        road: Callable[[str], Road] = Post,
    ) -> None:
        self.config = config
        self.ledger = ledger
        self.trust = trust
        self.packs = packs
        self._spool = spool
        self._machine = machine
        self._road = road

    def now_ms(self) -> int:
        return self._machine.reading().wall_ms

    def is_registered(self) -> bool:
        return bool(self.ledger.get(REGISTRATION, "") == "registered")

    def set_hub(self, hub_url: str) -> None:
        """
        Raises:
            DataFolderError: that is no address.
        """
        self.config = with_hub(self.config, hub_url)

    def register(self, hub_url: str, code_text: str) -> Keyset:
        """Make this laptop known to the hub, and pin the hub's keyset.

        Raises:
            LontarError: the hub wasn't reached, refused, or couldn't prove that it knows the code.
        """
        code = read_code(code_text)
        self.set_hub(hub_url)
        nonce = self._machine.random_bytes(16)
        sealing = sealing_public(self.config.sealing_seed)
        answer = self._centre().register(self.config.key, sealing, code, nonce)
        self.ledger.put(REGISTRATION, answer.state)
        self.ledger.put(REGION, answer.village)
        return self.trust.known()

    def collect(self, drive: Stick, progress: Progress = nothing) -> Collected:
        """Copy every whole part that isn't here yet; the stick is only read.

        Raises:
            StickError: it can't be read; what was copied before is here.
            DiskFullError: this laptop is full.
        """
        name, done = stick_name(drive), Collected(keyset=self._newer_keyset(drive))
        found = drive.parts(OUT)
        unreadable = len(drive.file_paths(OUT, stick.PART)) - len(found)
        seen, total = 0, sum(part.size for part in found)
        unread: StickError | None = None
        for one in found:
            seen += one.size
            try:
                data = drive.read_part(one)
            except TornError:
                self.ledger.note_torn(one.head, name, self.now_ms())
                done = replace(done, torn=done.torn + 1)
            except StickError as problem:
                # One bad spot must not keep the others from being read.
                unread, unreadable = problem, unreadable + 1
            else:
                unread, done = None, self._keep(data, name, done)
            progress(seen, total)
        if unread is not None:
            raise unread
        return replace(done, torn=done.torn + unreadable)

    def send(self, progress: Progress = nothing) -> Sent:
        """Bring the hub what it lacks, once it has said what that is. A cut goes on at the next part.

        Raises:
            NotReadyError: the hub's address or keys aren't known.
            ExchangeError: the hub wasn't reached or refused; what it took until then is written down.
        """
        centre, keyset = self._centre(), self.trust.known()
        waiting, done = self.ledger.waiting(), Sent()
        above = {key.id for key in keyset.upstream}
        # Sealed to the hub above this one, which gets them by its own officers.
        elsewhere = [part for part in waiting if part.recipient in above]
        done = self._settle(elsewhere, State.FOREIGN, replace(done, foreign=len(elsewhere)))
        mine = [part for part in waiting if part.recipient not in above]
        lacking: list[Part] = []
        for at in range(0, len(mine), courier.PARTS_ASKED_MOST):
            asked = mine[at : at + courier.PARTS_ASKED_MOST]
            lacks = centre.lacking([part.id for part in asked])
            has = [part for part, lack in zip(asked, lacks, strict=True) if not lack]
            lacking += [part for part, lack in zip(asked, lacks, strict=True) if lack]
            done = self._settle(has, State.HELD, replace(done, held=done.held + len(has)))
        done = replace(done, asked=len(waiting))
        total = sum(part.size for part in lacking)
        for part in lacking:
            done = self._bring(centre, part, done, _further(progress, done.size, total))
        self.ledger.put(LAST_CONTACT, self.now_ms())
        return done

    def fetch(self, progress: Progress = nothing) -> Fetched:
        """Tell the hub what is carried here, and take what goes back to the villages; only what changed.

        Raises:
            NotReadyError: this laptop isn't registered.
            ExchangeError: the hub wasn't reached, refused, or ended this courier's access.
        """
        if not self.is_registered():
            raise NotReadyError(
                N_(
                    "Laptop ini belum terdaftar di pusat, jadi tidak menerima kiriman balik untuk desa. Minta kode petugas dari pusat."
                )
            )
        centre, done = self._centre(), Fetched()
        while True:
            notes = self.ledger.to_note(courier.NOTES_MOST)
            held = sorted({(mail.recipient, mail.version) for mail in self.ledger.mail()})
            request = MailRequest(
                key_id(self.config.key.public),
                self.now_ms() // 1000,
                tuple(held[: courier.VILLAGES_MOST]),
                tuple(notes),
                tuple(one.id for one in self.ledger.begun()[: courier.PARTS_ASKED_MOST]),
            )
            try:
                answer, parts = centre.mail(self.config.key, request)
            except RefusedError as problem:
                if problem.details.get("code") == "unknown-device":
                    self.ledger.put(REGISTRATION, "revoked")
                raise
            self.ledger.note_told(notes)
            self.ledger.set_route(answer.route)
            self.packs.want(answer.packs)
            villages = self._take_mail(parts)
            size = sum(len(mail.part) for mail in parts)
            done = Fetched(done.villages + villages, done.parts + len(parts), done.size + size)
            progress(done.size, done.size)
            if not (answer.more and parts) and len(notes) < courier.NOTES_MOST:
                self.ledger.put(LAST_CONTACT, self.now_ms())
                return done

    def bring_packs(self, progress: Progress = nothing) -> Brought:
        """Fetch the courses that villages on the route lack; long ones go on after each break.

        Raises:
            NotReadyError: the hub's address or keys aren't known.
            LontarError: the line broke or this laptop is full; what came is kept.
        """
        self._centre()
        return self.packs.bring(self.config.settings.hub_url, self.trust.known(), progress)

    def deliver(self, drive: Stick, progress: Progress = nothing) -> Delivered:
        """Fill a stick for the villages; when this returns it may be pulled.

        Raises:
            StickError: full, read-only, pulled, or false; nothing here changes.
        """
        cleaned = self._clean(drive)
        mail = self.ledger.mail()
        read = [(one, data) for one in mail if (data := self._spool.read(one.id)) is not None]
        # A village's mail counts only as a whole; what was lost here is fetched again.
        there = {one.id for one, _ in read}
        lost = {one.recipient for one in mail if one.id not in there}
        for recipient in lost:
            self._spool.drop(self.ledger.forget_mail(recipient))
        whole = [(one, data) for one, data in read if one.recipient not in lost]
        old = drive.parts(IN)
        if whole:
            kept = {path.name for path in drive.write_parts(IN, [data for _, data in whole], progress)}
            self._remove_older(drive, old, {one.recipient for one, _ in whole}, kept)
            self.ledger.note_written([one for one, _ in whole], stick_name(drive), self.now_ms())
        self._write_keyset(drive)
        packs = self.packs.deliver(drive)
        return Delivered(len({one.recipient for one, _ in whole}), len(whole), cleaned, packs)

    def keyset_on(self, drive: Stick) -> Keyset | None:
        """The keyset that a stick brings, for the officer to compare before it is believed for the first time."""
        data = drive.read_file(PUB, stick.KEYSET, _KEYSET_MOST)
        try:
            return None if data is None else open_keyset(data, self.trust.keyset)
        except SyncError:
            return None

    def believe(self, drive: Stick, seen: str) -> Keyset:
        """Pin the stick's keyset: the officer has compared its root's fingerprint, which was `seen`.

        Raises:
            NotReadyError: the stick brings no keyset, or one of another root.
        """
        keyset = self.keyset_on(drive)
        data = drive.read_file(PUB, stick.KEYSET, _KEYSET_MOST)
        if keyset is None or data is None or _letters(fingerprint(keyset.root)) != _letters(seen):
            raise NotReadyError(
                N_("Flashdisk ini tidak membawa kunci pusat dengan sidik itu. Periksa sidiknya di pusat.")
            )
        return self.trust.take(data)

    def _centre(self) -> Centre:
        url = self.config.settings.hub_url
        if not url:
            raise NotReadyError(
                N_(
                    "Alamat pusat belum diisi. Isi alamatnya di bagian Pusat; data tetap aman di laptop ini."
                )
            )
        return Centre(self._road(url), self.trust)

    def _keep(self, data: bytes, name: str, done: Collected) -> Collected:
        id_, head = bundle.part_id(data), bundle.read_head(data)
        known = self.ledger.part(id_)
        if known is None or known.state is State.HERE:
            self._spool.keep(data)
        self.ledger.note_seen(id_, head, name, self.now_ms())
        if known is not None:
            return replace(done, known=done.known + 1)
        return replace(done, new=done.new + 1, size=done.size + len(data))

    def _bring(self, centre: Centre, part: Part, done: Sent, progress: Progress) -> Sent:
        data = self._spool.read(part.id)
        if data is None:
            self.ledger.forget(part.id)
            return replace(done, skipped=done.skipped + 1)
        try:
            taken = centre.bring(data, progress)
        except RefusedError as problem:
            if problem.details.get("code") not in _SKIPPED:
                raise
            return replace(done, skipped=done.skipped + 1)
        done = replace(done, size=done.size + len(data))
        match taken:
            case Taken.NEW:
                return self._settle([part], State.NEW, replace(done, new=done.new + 1))
            case Taken.HELD:
                return self._settle([part], State.HELD, replace(done, held=done.held + 1))
            case Taken.FOREIGN:
                return self._settle([part], State.FOREIGN, replace(done, foreign=done.foreign + 1))
            case Taken.REFUSED:
                return self._settle([part], State.REFUSED, replace(done, refused=done.refused + 1))
            case Taken.LATER:
                return replace(done, later=done.later + 1)

    def _settle(self, parts: Iterable[Part], state: State, done: Sent) -> Sent:
        """Write down the hub's word, then let go of the copies here."""
        ids = [part.id for part in parts]
        self.ledger.decide(ids, state, self.now_ms())
        self._spool.drop(ids)
        return done

    def _take_mail(self, parts: list[MailPart]) -> int:
        """Keep mail as it comes; returns of how many devices it is whole now."""
        whole = 0
        for mail in parts:
            self._spool.keep(mail.part)
            count = bundle.read_head(mail.part).count
            kept = Mail(bundle.part_id(mail.part), mail.recipient, mail.version, len(mail.part))
            is_whole, replaced = self.ledger.keep_mail(kept, count, self.now_ms())
            self._spool.drop(replaced)
            whole += is_whole
        return whole

    def _clean(self, drive: Stick) -> int:
        """Take off the stick what the hub holds; a torn copy of such a part goes too."""
        done: list[Path] = []
        for found, data in stick.whole_parts(drive, OUT):
            head = found.head
            part = (
                self.ledger.part_at(head.bundle, head.index)
                if data is None
                else self.ledger.part(bundle.part_id(data))
            )
            if part is not None and part.state.is_delivered:
                done.append(found.path)
        drive.remove(done)
        return len(done)

    def _remove_older(
        self, drive: Stick, old: list[stick.Found], recipients: set[bytes], kept: set[str]
    ) -> None:
        """Newer mail of a hub for the same device holds all that older mail of it held."""
        keyset = self.trust.keyset
        drive.remove(
            found.path
            for found in old
            if keyset is not None
            and found.head.sender == keyset.intake.id
            and found.head.recipient in recipients
            and found.path.name not in kept
        )

    def _newer_keyset(self, drive: Stick) -> bool:
        """Take a newer keyset of the root that is known; the first one needs people (see `believe`)."""
        known, offered = self.trust.keyset, self.keyset_on(drive)
        if known is None or offered is None or offered.version <= known.version:
            return False
        data = drive.read_file(PUB, stick.KEYSET, _KEYSET_MOST)
        if data is not None:
            self.trust.take(data)
        return data is not None

    def _write_keyset(self, drive: Stick) -> None:
        """Sticks carry the newest keyset that anybody on their way has."""
        self._newer_keyset(drive)
        mine, offered, envelope = self.trust.keyset, self.keyset_on(drive), self.trust.envelope
        if mine is not None and envelope and (offered is None or offered.version < mine.version):
            drive.write_file(PUB, stick.KEYSET, envelope)


def stick_name(drive: Stick) -> str:
    """What people call a stick: the last part of its place."""
    return drive.drive.name or str(drive.drive)


def _further(progress: Progress, base: int, total: int) -> Progress:
    """Progress of one of several parts, told as that of them all."""
    return lambda sent, _: progress(base + sent, total)


def _letters(text: str) -> str:
    return "".join(char for char in text.upper() if char.isalnum())
