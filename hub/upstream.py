"""Passing on what this hub holds to the hub above it, as signed by the devices that wrote it.

To the hub above, this one is a device whose place is a region instead of a village. It sends its own logs, which certify
the region's devices, and then every segment that it hasn't sent, on whatever branch. A receipt means that everything in
that request is stored there; what was under way when a line broke is sent again and changes nothing. First of all it asks whether the
hub above still holds what went up last: if not, that one was set back, and gets again what it lacks. What the hub above
says to everyone (announcements, merges, erasures) is said again here, to this hub's villages.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, Engine, insert, select, update

from hub import audit, downlink, identity, passed_on, schema
from hub.config import Config
from hub.db import reading, writing
from hub.errors import HubError
from sync import exchange, limits, segment
from sync.client import ANSWER_LIMIT, Outcome
from sync.decisions import (
    AnnouncementPosted,
    LearnersMerged,
    LearnersSeparated,
    PersonalDataErased,
    read_decision,
)
from sync.entries import LearnerAdded, ProfileChanged
from sync.errors import N_, LontarError, NotAHubError, SyncError
from sync.exchange import Request, Verdict, Wants
from sync.items import ItemKind, read_items, wrap
from sync.keys import KEY_SIZE, SigningKey, key_id
from sync.keyset import Keyset, open_keyset
from sync.log import Head, Status
from sync.post import Post
from sync.registration import (
    PATH,
    Registration,
    device_proof,
    open_answer,
    read_code,
    sign_registration,
)
from sync.sealing import sealing_public
from web.data_folder import read_key, write_key

_UPSTREAM: Final = "upstream"
_KEY: Final = "relay.key"
_BATCH_BYTES: Final = limits.REQUEST_BODY - 8 * 1024
_s: Final = schema.segments
_hub: Final = schema.hub_segments

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Upstream:
    """The hub above: where it is, which region this hub speaks for there, whom it is known by."""

    url: str
    region: str
    key: SigningKey
    keyset: Keyset


def register(
    engine: Engine, config: Config, url: str, code_text: str, region: str, post: Callable[[str], Post]
) -> Keyset:
    """Make this hub known to the one above it, with a code for `region` that an operator there made.

    Raises:
        LontarError: it wasn't reached, refused, or couldn't prove that it knows the code.
    """
    path = config.data / "keys" / _KEY
    if not path.exists():
        write_key(path, config.random_bytes(KEY_SIZE))
    key = _key(path)
    code, nonce = read_code(code_text), config.random_bytes(16)
    asked = Registration(
        key.public,
        sealing_public(key.seed),
        region,
        code.handle,
        device_proof(code.key(), key.public, nonce),
        nonce,
    )
    request = sign_registration(key, asked)
    answer = open_answer(post(url).send(PATH, request, limits.CONTROL_ITEM), request, code)
    keyset = open_keyset(answer.keyset)
    with writing(engine) as connection:
        _put(connection, "url", url.encode())
        _put(connection, "region", region.encode())
        _put(connection, "keyset", answer.keyset)
    return keyset


def find(engine: Engine, config: Config) -> Upstream | None:
    """The hub above, if there is one."""
    with reading(engine) as connection:
        url, region, keyset = (_get(connection, name) for name in ("url", "region", "keyset"))
    if url is None or region is None or keyset is None:
        return None
    key = _key(config.data / "keys" / _KEY)
    return Upstream(url.decode(), region.decode(), key, open_keyset(keyset))


def pass_on(
    engine: Engine,
    config: Config,
    post: Callable[[str], Post],
    now_ms: Callable[[], int],
    progress: Callable[[int], None] = lambda sent: None,
) -> Outcome:
    """Send everything that the hub above hasn't confirmed; returns what it cost.

    Raises:
        HubError: there is no hub above.
        ExchangeError: it wasn't reached, or refused; what it confirmed before stays confirmed.
    """
    above = find(engine, config)
    if above is None:
        raise HubError(N_("Pusat ini belum terhubung ke pusat di atasnya."))
    with writing(engine) as connection:
        scopes = connection.execute(select(schema.hub_pending.c.scope).distinct()).scalars().all()
        downlink.seal(connection, config, scopes, now_ms())
    talk = _Talk(engine, above, post(above.url), now_ms)
    with reading(engine) as connection:
        last = passed_on.last(connection)
    if passed_on.lacking(last, talk.ask((), last)):
        _find_lost(engine, talk)
    while True:
        with reading(engine) as connection:
            batch = _next_batch(connection, config)
        if not batch.items:
            return talk.cost
        verdicts = talk.ask(batch.items)
        with writing(engine) as connection:
            batch.mark(connection)
            for verdict in verdicts:
                if verdict.status is Status.GAP:
                    passed_on.send_again(connection, verdict.head.log)
        progress(talk.cost.sent)


class _Talk:
    """Round trips with the hub above, and what they cost."""

    def __init__(self, engine: Engine, above: Upstream, post: Post, now_ms: Callable[[], int]) -> None:
        self._engine = engine
        self._above = above
        self._post = post
        self._now_ms = now_ms
        self.cost = Outcome()

    def ask(self, items: Sequence[bytes], heads: tuple[Head, ...] = ()) -> tuple[Verdict, ...]:
        """What it holds of the logs of these items or heads, by its signed word; what it says to everybody is taken down."""
        with reading(self._engine) as connection:
            have = _have(connection)
        key, now = self._above.key, self._now_ms()
        request = Request(key_id(key.public), now, now // 1000, heads, have, Wants.NOTHING)
        header = exchange.sign_request(key, request)
        body = b"".join([header, *items])
        answer = self._post.send(exchange.PATH, body, ANSWER_LIMIT)
        try:
            data, stream = exchange.split_answer(answer)
            receipt = exchange.open_receipt(data, self._above.keyset.hub_keys, header)
        except SyncError as problem:
            raise NotAHubError(problem.text, **problem.details) from problem
        self.cost = self.cost.plus(Outcome(1, len(body), len(answer)))
        with writing(self._engine) as connection:
            _take_down(connection, self._above, stream, self._now_ms())
        return receipt.verdicts


def _find_lost(engine: Engine, talk: _Talk) -> None:
    """The hub above was set back: what it lacks since goes up again, this hub's own logs first."""
    log.warning("the hub above was set back to an older state; it is sent again what it lacks")
    with reading(engine) as connection:
        asked = list(passed_on.ends(connection))
    lost = [head for heads in asked for head in passed_on.lacking(heads, talk.ask((), heads))]
    with writing(engine) as connection:
        passed_on.send_own_again(connection)
        for head in lost:
            passed_on.send_again(connection, head.log)


@dataclass(frozen=True)
class _Batch:
    items: Sequence[bytes]
    segments: Sequence[int]
    hub_segments: Sequence[tuple[int, int]]

    def mark(self, connection: Connection) -> None:
        passed_on.note(connection, self.hub_segments, self.segments)


def _next_batch(connection: Connection, config: Config) -> _Batch:
    """This hub's own logs first, because they say which devices are to be believed."""
    items: list[bytes] = []
    size = 0
    own: list[tuple[int, int]] = []
    # What operators here did is this hub's own affair.
    acts = select(schema.hub_logs.c.pk).where(schema.hub_logs.c.scope == audit.SCOPE)
    query = select(_hub.c.log, _hub.c.idx, _hub.c.data).where(_hub.c.relayed == 0, _hub.c.log.not_in(acts))
    for row in connection.execute(
        query.order_by(_hub.c.log, _hub.c.idx).limit(limits.SEGMENTS_PER_REQUEST)
    ):
        if not items:
            items.append(wrap(ItemKind.KEYSET, config.keyset_data))
            size += len(items[0])
        item = wrap(ItemKind.HUB_SEGMENT, row.data)
        if own and size + len(item) > _BATCH_BYTES:
            break
        items.append(item)
        size += len(item)
        own.append((row.log, row.idx))
    if own:
        return _Batch(items, [], own)
    chosen: list[int] = []
    states = (schema.STORED, schema.MERGED, schema.UNREADABLE)
    waiting = select(_s.c.pk, _s.c.data).where(_s.c.relayed == 0, _s.c.state.in_(states))
    waiting = waiting.order_by(_s.c.log, _s.c.idx, _s.c.id).limit(limits.SEGMENTS_PER_REQUEST)
    for pk, data in connection.execute(waiting).all():
        with_profiles = [*_profiles(connection, bytes(data)), bytes(data)]
        added = sum(map(len, with_profiles))
        if chosen and size + added > _BATCH_BYTES:
            break
        items += with_profiles
        size += added
        chosen.append(pk)
    return _Batch(items, chosen, [])


def _profiles(connection: Connection, data: bytes) -> list[bytes]:
    """The profiles here that the entries of a segment commit to."""
    try:
        entries = segment.open_segment(data).read().of_kinds({LearnerAdded.number, ProfileChanged.number})
    except LontarError:
        return []
    commitments = [entry.fields[-1] for entry in entries]
    query = select(schema.profiles.c.data).where(schema.profiles.c.commitment.in_(commitments))
    return [bytes(profile) for profile in connection.execute(query).scalars()]


def _take_down(connection: Connection, above: Upstream, stream: bytes, now_ms: int) -> None:
    """Say again here what the hub above says to everybody in this region."""
    for item in read_items(stream):
        if item.kind is not ItemKind.HUB_SEGMENT:
            continue
        said = segment.open_segment(item.data)
        said.verify_hub(above.keyset.hub_keys)
        known = _get(connection, f"seen/{said.log.hex()}")
        if known is not None and int.from_bytes(known[:4], "big") >= said.index:
            continue
        _put(connection, f"seen/{said.log.hex()}", said.index.to_bytes(4, "big") + said.id)
        for entry in said.read().entries():
            decision = read_decision(entry)
            if isinstance(decision, AnnouncementPosted | LearnersMerged | LearnersSeparated):
                downlink.decide(connection, above.region, decision, now_ms)
            elif isinstance(decision, PersonalDataErased):
                identity.erase_commitment(connection, decision.commitment, now_ms)
                downlink.decide(connection, above.region, decision, now_ms)


def _have(connection: Connection) -> Any:
    settings = schema.settings
    prefix = f"{_UPSTREAM}/seen/"
    query = select(settings.c.key, settings.c.value).where(settings.c.key.like(f"{prefix}%"))
    heads = [
        Head(bytes.fromhex(key.removeprefix(prefix)), int.from_bytes(value[:4], "big"), bytes(value[4:]))
        for key, value in connection.execute(query)
    ]
    return tuple(heads[: limits.LOGS_PER_REQUEST])


def _key(path: Path) -> SigningKey:
    return SigningKey.from_seed(read_key(path))


def _get(connection: Connection, name: str) -> bytes | None:
    query = select(schema.settings.c.value).where(schema.settings.c.key == f"{_UPSTREAM}/{name}")
    value = connection.execute(query).scalar()
    return None if value is None else bytes(value)


def _put(connection: Connection, name: str, value: bytes) -> None:
    key = f"{_UPSTREAM}/{name}"
    changed = connection.execute(
        update(schema.settings).where(schema.settings.c.key == key).values(value=value)
    )
    if changed.rowcount == 0:
        connection.execute(insert(schema.settings).values(key=key, value=value))
