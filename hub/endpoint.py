"""The addresses that devices, couriers and publishers speak to, as a small WSGI application in front of the pages.

Kept out of Flask because it must read the body as it arrives: each segment is committed before the next
is waited for, so a cut upload goes on at the next segment. gunicorn hands over partial bodies; a server
that buffers whole requests (waitress) must not serve it.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Any, Final

from content_packs import limits as pack_limits
from content_packs import pack_files, publishing
from hub import couriers, health, log_lines, packs, parts, registry
from hub.errors import BusyError
from hub.intake import Exchange, Intake
from hub.projection import project
from hub.uploads import Upload, Uploads
from sync import courier, exchange, limits, registration
from sync.errors import N_, LontarError, MalformedError

_RETRY_S: Final = (60, 120)
"""Between these, by chance: who was refused together shall not come back together."""

log = logging.getLogger(__name__)

WsgiApp = Callable[[dict[str, Any], Any], Iterable[bytes]]


class Endpoint:
    """Answers devices, and passes everything else on to `pages`."""

    def __init__(self, intake: Intake, pages: WsgiApp) -> None:
        self._intake = intake
        self._pages = pages
        self._uploads = Uploads()
        self._answers: dict[str, Callable[[Upload], bytes]] = {
            exchange.PATH: self._sync,
            registration.PATH: self._register,
            exchange.KEYSET_PATH: lambda upload: self._intake.config.keyset_data,
            courier.MISSING_PATH: self._missing,
            courier.PART_PATH: self._part,
            courier.MAIL_PATH: self._mail,
            publishing.OFFER_PATH: self._pack_offer,
            publishing.PIECES_PATH: self._pack_pieces,
        }

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        answer = self._answers.get(path)
        if answer is not None or path in health.PATHS or pack_files.is_pack_file(path):
            environ[log_lines.SHOWN] = path
        if path in health.PATHS:
            made = health.answer(self._intake.engine, self._intake.config, environ, self._intake.now_ms())
            return made(environ, start_response)
        if answer is None and pack_files.is_pack_file(path):
            folder = self._intake.config.data / packs.FOLDER
            return pack_files.serve(folder, environ)(environ, start_response)
        if answer is None:
            return self._pages(environ, start_response)
        status, body = self._spoken(answer, environ)
        headers = [("Content-Type", exchange.MEDIA_TYPE), ("Content-Length", str(len(body)))]
        if status == HTTPStatus.SERVICE_UNAVAILABLE:
            headers.append(("Retry-After", str(random.randint(*_RETRY_S))))  # noqa: S311
        start_response(f"{status.value} {status.phrase}", headers)
        return [body]

    def _spoken(
        self, answer: Callable[[Upload], bytes], environ: dict[str, Any]
    ) -> tuple[HTTPStatus, bytes]:
        if environ.get("REQUEST_METHOD") != "POST":
            text = N_("Alamat ini hanya untuk perangkat Lontar.")
            return HTTPStatus.METHOD_NOT_ALLOWED, exchange.encode_refusal("method", text)
        try:
            # Before a byte is read or the database is asked: a refusal for want of room must cost next to nothing.
            with self._uploads.room(environ) as upload:
                return HTTPStatus.OK, answer(upload)
        except LontarError as problem:
            body = exchange.encode_refusal(problem.code, problem.sentence())
            return HTTPStatus(problem.http_status), body
        except Exception:
            log.exception("%s", environ.get("PATH_INFO"))
            text = N_("Terjadi kesalahan di pusat. Data aman di perangkat; coba lagi nanti.")
            return HTTPStatus.SERVICE_UNAVAILABLE, exchange.encode_refusal(BusyError.code, text)

    def _register(self, upload: Upload) -> bytes:
        data = upload.whole(limits.CONTROL_ITEM)
        return registry.register(self._intake.engine, self._intake.config, data, self._intake.now_ms())

    def _missing(self, upload: Upload) -> bytes:
        question = upload.whole(limits.CONTROL_ITEM)
        return couriers.answer_missing(
            self._intake.engine, self._intake.config, question, self._intake.now_ms()
        )

    def _part(self, upload: Upload) -> bytes:
        part = upload.whole(limits.PART + 1024)
        taken = parts.take(self._intake, part)
        return courier.sign_taken(self._intake.config.hub_key, part, self._intake.now_ms(), taken)

    def _mail(self, upload: Upload) -> bytes:
        data = upload.whole(4 * limits.CONTROL_ITEM)
        return couriers.answer_mail(self._intake.engine, self._intake.config, data, self._intake.now_ms())

    def _pack_offer(self, upload: Upload) -> bytes:
        return packs.take_offer(self._intake.config, upload.whole(pack_limits.MANIFEST))

    def _pack_pieces(self, upload: Upload) -> bytes:
        body = upload.whole(publishing.BODY_MOST)
        return packs.take_pieces(self._intake.engine, self._intake.config, body)

    def _sync(self, upload: Upload) -> bytes:
        pieces = upload.pieces(limits.REQUEST_BODY)
        splitter = exchange.ItemSplitter()
        under_way: Exchange | None = None
        try:
            for piece in pieces:
                for item in splitter.feed(piece):
                    if under_way is None:
                        under_way = self._intake.open(item)
                    else:
                        under_way.take(item)
            if under_way is None or not splitter.is_between_items:
                raise MalformedError(
                    N_("Kiriman terpotong. Yang sudah lengkap tersimpan; kirim lagi sisanya.")
                )
            return under_way.receipt()
        finally:
            # What arrived counts at once, even if the rest of the request didn't.
            touched = under_way.touched_logs if under_way else ()
            project(self._intake.engine, self._intake.config, touched, self._intake.now_ms())
