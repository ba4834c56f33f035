// Remembers where somebody is in a lesson, and goes on there. Without it the lesson begins at its beginning.
(function () {
  "use strict";
  var form = document.getElementById("place");
  var text = document.querySelector("article.reading");
  if (!form || !text || !navigator.sendBeacon) return;
  var OFTEN = 20000, CALM = 2500, WHOLE = 10000;
  var headings = [].slice.call(text.querySelectorAll("h2[id], h3[id], h4[id], h5[id]"));
  var settled = null, said = null, saidAt = 0, calming = 0, telling = 0;

  function topOf(one) { return one.getBoundingClientRect().top + window.pageYOffset; }
  function share(part, whole) { return Math.round(WHOLE * Math.max(0, Math.min(1, whole > 0 ? part / whole : 0))); }

  // The stretches of a lesson begin at its headings; the first one at its beginning.
  function stretch(at) {
    var from = at < 0 ? topOf(text) : topOf(headings[at]);
    var to = at + 1 < headings.length ? topOf(headings[at + 1]) : topOf(text) + text.offsetHeight;
    return { from: from, length: to - from };
  }

  // Above its beginning is no place in a lesson: people go up there for "Bukan saya".
  function place() {
    var line = window.pageYOffset + 1, at = -1;
    if (line < topOf(text)) return null;
    while (at + 1 < headings.length && topOf(headings[at + 1]) <= line) at++;
    var here = stretch(at);
    return {
      heading: at < 0 ? "" : headings[at].id,
      within: share(line - here.from, here.length),
      share: share(window.pageYOffset + window.innerHeight - topOf(text), text.offsetHeight)
    };
  }

  function tell() {
    clearTimeout(telling);
    telling = 0;
    var key = JSON.stringify(settled);
    if (!settled || key === said) return;
    Object.keys(settled).forEach(function (name) { form.elements[name].value = settled[name]; });
    if (navigator.sendBeacon(form.action, new URLSearchParams(new FormData(form)))) {
      said = key;
      saidAt = Date.now();
    }
  }

  // Where somebody has stayed for a moment is being read; what rushes by isn't.
  function noteScrolling() {
    clearTimeout(calming);
    calming = setTimeout(function () {
      settled = place() || settled;
      if (!telling) telling = setTimeout(tell, Math.max(0, OFTEN - (Date.now() - saidAt)));
    }, CALM);
  }

  function mark(y) {
    var blocks = [].slice.call(text.children), before = blocks[0];
    blocks.forEach(function (one) { if (topOf(one) <= y + 1) before = one; });
    var bar = document.createElement("div");
    var button = document.createElement("button");
    bar.className = "lasthere";
    bar.appendChild(document.createElement("span")).textContent = form.dataset.here;
    button.type = "button";
    button.className = "plain";
    button.textContent = form.dataset.start;
    button.addEventListener("click", function () {
      var calm = window.matchMedia("(prefers-reduced-motion: reduce)").matches;
      window.scrollTo({ top: 0, behavior: calm ? "auto" : "smooth" });
      document.getElementById("isi").focus({ preventScroll: true });
    });
    bar.appendChild(button);
    text.insertBefore(bar, before);
    return bar;
  }

  function restore(at) {
    var bar = null, aimed = -1;

    function go() {
      // Whoever has scrolled meanwhile knows better.
      if (bar && Math.abs(window.pageYOffset - aimed) > 2) return;
      if (bar) bar.parentNode.removeChild(bar);
      var here = stretch(at);
      bar = mark(here.from + here.length * form.dataset.within / WHOLE);
      window.scrollTo(0, topOf(bar));
      aimed = window.pageYOffset;
    }

    if ("scrollRestoration" in history) history.scrollRestoration = "manual";
    go();
    // Pictures that came meanwhile have moved the text.
    window.addEventListener("load", function () {
      go();
      said = JSON.stringify(place());
      listen();
    });
  }

  function listen() { window.addEventListener("scroll", noteScrolling, { passive: true }); }

  var last = headings.map(function (one) { return one.id; }).indexOf(form.dataset.heading);
  var isKnown = "heading" in form.dataset && (last >= 0 || !form.dataset.heading);
  if (isKnown && !location.hash && text.children.length) restore(last);
  else listen();
  window.addEventListener("pagehide", tell);
  document.addEventListener("visibilitychange", function () { if (document.visibilityState === "hidden") tell(); });
  // Before the page is left by a button: after "Bukan saya" nobody could say it any more.
  document.addEventListener("submit", tell, true);
})();
