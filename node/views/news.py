"""Kabar dari pusat: what the centre said to this village. Open to everyone at the laptop."""

from __future__ import annotations

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from node import news
from node.desk import desk

blueprint = Blueprint("news", __name__)


@blueprint.get("/kabar")
def show() -> ResponseReturnValue:
    unseen = news.unseen(desk().node)
    told = news.news(desk().node)
    news.note_seen(desk().node)
    return render_template("news.html", news=told, unseen=unseen)
